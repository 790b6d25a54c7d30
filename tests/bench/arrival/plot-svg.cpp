// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cmath>

#include "plot.h"
#include "report.h"
#include "text.h"

namespace bench {

namespace {

constexpr double kWidth = 960;
constexpr double kLeft = 72;
constexpr double kRight = 928;
constexpr double kTop = 104;
constexpr double kBottom = 416;
constexpr double kStripTop = 464;
constexpr double kStripBottom = 544;
constexpr double kBelowAxis = 56; // for tick labels and the axis title

constexpr const char *kStyle = R"(<style>
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #52606d }
.title { font-size: 19px; font-weight: 600; fill: #1f2933 }
.grid { stroke: #e4e7eb }
.axis { stroke: #9aa5b1 }
.real { stroke: #9aa5b1; stroke-width: 1.5; stroke-dasharray: 5 5; fill: none }
.stream { stroke: #0967d2; stroke-width: 2; stroke-linejoin: round; fill: none }
.late { stroke: #cb6e17; stroke-width: 2; stroke-linecap: round; fill: none }
.lead { stroke: #1f2933; fill: none }
.note { fill: #1f2933 }
.paper { fill: #fff }
.end { text-anchor: end }
.middle { text-anchor: middle }
@media (prefers-color-scheme: dark) {
text { fill: #9aa5b1 }
.title, .note { fill: #e4e7eb }
.grid { stroke: #28313a }
.axis, .real { stroke: #616e7c }
.stream { stroke: #47a3f3 }
.late { stroke: #f0a35e }
.lead { stroke: #e4e7eb }
.paper { fill: #0d1117 }
}
</style>
)";

// One panel: a range of wall seconds and a range of values.
struct Panel {
  double wall_begin = 0;
  double wall_end = 0;
  double value_end = 0;
  double top = 0;
  double bottom = 0;

  [[nodiscard]] double x(double wall) const {
    return kLeft + (kRight - kLeft) * (wall - wall_begin) / (wall_end - wall_begin);
  }
  [[nodiscard]] double y(double value) const { return bottom - (bottom - top) * value / value_end; }
};

void append_text(std::string &out, double x, double y, const char *style, const std::string &text) {
  append(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, style, text.c_str());
}

std::string number(double value, double step) {
  std::string out;
  append(out, "%.*f", decimals(step), value);
  return out;
}

void append_value_grid(std::string &out, const Panel &panel, double step) {
  for (int i = 0; i * step <= panel.value_end * 1.0001; ++i) {
    const double y = panel.y(i * step);
    append(out, "<path class=\"%s\" d=\"M%.1f,%.1fH%.1f\"/>\n", i == 0 ? "axis" : "grid", kLeft, y,
           kRight);
    append_text(out, kLeft - 10, y + 4.5, "end", number(i * step, step));
  }
}

void append_wall_grid(std::string &out, const Panel &panel, double step, bool labels) {
  for (int i = 0; i * step <= panel.wall_end; ++i) {
    const double x = panel.x(i * step);
    append(out, "<path class=\"grid\" d=\"M%.1f,%.1fV%.1f\"/>\n", x, panel.top, panel.bottom);
    if (labels)
      append_text(out, x, panel.bottom + 20, "middle", number(i * step, step));
  }
}

void append_header(std::string &out, const Figures &figures) {
  append_text(out, kLeft, 34, "title", "Arrival of an FLV stream");
  append_text(out, kLeft, 60, "", summary(figures));
  constexpr double kLegend = 30;
  append(out, "<path class=\"stream\" d=\"M%.1f,%.1fh30\"/>\n", kRight - 204, kLegend);
  append_text(out, kRight - 168, kLegend + 4.5, "", "stream");
  append(out, "<path class=\"real\" d=\"M%.1f,%.1fh30\"/>\n", kRight - 98, kLegend);
  append_text(out, kRight, kLegend + 4.5, "end", "real time");
}

// Omits steps that are too small to be visible, to keep the file small.
void append_stream(std::string &out, const Panel &panel, std::span<const Point> points) {
  constexpr double kVisible = 0.4;
  double x = panel.x(0);
  double y = panel.y(0);
  append(out, "<path class=\"stream\" d=\"M%.1f,%.1f", x, y);
  for (const Point &point : points) {
    const double next_x = panel.x(point.wall / 1000);
    const double next_y = panel.y(point.media / 1000);
    const bool last = &point == &points.back();
    if (!last && next_x - x < kVisible && y - next_y < kVisible)
      continue;
    append(out, "H%.1fV%.1f", next_x, next_y);
    x = next_x;
    y = next_y;
  }
  out += "\"/>\n";
}

// The lead is the distance between the two lines.
void append_lead(std::string &out, const Panel &panel, double lead) {
  constexpr double kWhere = 0.6;
  constexpr double kSmallest = 24; // pixels: the minimum for two arrow heads
  const double wall = panel.wall_end * kWhere;
  const double top = panel.y(wall + lead);
  const double bottom = panel.y(wall);
  if (bottom - top < kSmallest || top < panel.top)
    return;
  const double x = panel.x(wall);
  append(out,
         "<path class=\"lead\" d=\"M%.1f,%.1fV%.1fm-4,7l4,-7l4,7M%.1f,%.1fm-4,-7l4,7l4,-7\"/>\n", x,
         bottom - 2, top + 2, x, bottom - 2);
  std::string label;
  append(label, "lead %.0f ms", lead * 1000);
  append_text(out, x - 8, top - 6, "end note", label);
}

// A vertical line for each pixel column, from its lowest to its highest lateness.
void append_lateness(std::string &out, const Panel &panel, std::span<const Point> points,
                     const Pace &pace) {
  double column = -1;
  double low = 0;
  double high = 0;
  const auto stroke = [&] {
    if (column >= 0)
      append(out, "M%.0f,%.1fV%.1f", column, panel.y(low) + 0.1, panel.y(high));
  };
  out += "<path class=\"late\" d=\"";
  for (const Point &point : points) {
    if (!is_paced(point, pace.lead))
      continue;
    const double late = std::clamp(lateness(point, pace), 0.0, panel.value_end);
    const double x = std::round(panel.x(point.wall / 1000));
    if (x > column) {
      stroke();
      column = x;
      low = high = late;
    }
    low = std::min(low, late);
    high = std::max(high, late);
  }
  stroke();
  out += "\"/>\n";
}

void append_media_panel(std::string &out, const Panel &panel, const Axes &axes,
                        std::span<const Point> points, const Figures &figures, bool wall_labels) {
  append_wall_grid(out, panel, axes.wall_step, wall_labels);
  append_value_grid(out, panel, axes.media_step);
  append_text(out, kLeft, kTop - 10, "", "media received (s)");
  const double meet = std::min(panel.wall_end, panel.value_end);
  append(out, "<path class=\"real\" d=\"M%.1f,%.1fL%.1f,%.1f\"/>\n", panel.x(0), panel.y(0),
         panel.x(meet), panel.y(meet));
  append_stream(out, panel, points);
  if (figures.pace)
    append_lead(out, panel, figures.pace->lead / 1000);
}

void append_lateness_panel(std::string &out, const Axes &axes, std::span<const Point> points,
                           const Pace &pace) {
  const double highest = std::max(pace.lateness.max, 0.1);
  const double step = nice_step(highest, 3);
  const Panel panel{.wall_begin = axes.wall_begin,
                    .wall_end = axes.wall_end,
                    .value_end = std::ceil(highest / step) * step,
                    .top = kStripTop,
                    .bottom = kStripBottom};
  append_wall_grid(out, panel, axes.wall_step, true);
  append_value_grid(out, panel, step);
  append_text(out, kLeft, kStripTop - 10, "", "lateness of the tags (ms)");
  append_lateness(out, panel, points, pace);
}

} // namespace

std::string plot_svg(std::span<const Point> points, const Figures &figures) {
  constexpr int kWallTicks = 10;
  constexpr int kMediaTicks = 6;
  const Axes axes = make_axes(figures, kWallTicks, kMediaTicks);
  const double bottom = figures.pace ? kStripBottom : kBottom;
  const double height = bottom + kBelowAxis;

  std::string out;
  append(out,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
         "viewBox=\"0 0 %.0f %.0f\">\n",
         kWidth, height, kWidth, height);
  out += kStyle;
  append(out, "<rect width=\"%.0f\" height=\"%.0f\" class=\"paper\"/>\n", kWidth, height);
  append_header(out, figures);
  const Panel media{.wall_begin = axes.wall_begin,
                    .wall_end = axes.wall_end,
                    .value_end = axes.media_end,
                    .top = kTop,
                    .bottom = kBottom};
  append_media_panel(out, media, axes, points, figures, !figures.pace);
  if (figures.pace)
    append_lateness_panel(out, axes, points, *figures.pace);
  append_text(out, (kLeft + kRight) / 2, bottom + 44, "middle",
              "wall time since the first tag (s)");
  out += "</svg>\n";
  return out;
}

} // namespace bench
