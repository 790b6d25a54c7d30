// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "plot.h"
#include "text.h"

namespace bench {

namespace {

constexpr int kColumns = 73; // plus 7 for the labels on the left
constexpr int kRows = 17;    // plus 3 for the title and the axis
constexpr int kDotColumns = kColumns * 2;
constexpr int kDotRows = kRows * 4;

constexpr const char *kStreamColour = "\033[36m";
constexpr const char *kRealTimeColour = "\033[2m";
constexpr const char *kPlain = "\033[0m";

enum class Ink : std::uint8_t { None, RealTime, Stream };

// A Braille pattern has eight dots per character.
class Canvas {
public:
  explicit Canvas(const Axes &axes) : axes_(axes) {}

  void real_time() {
    constexpr int kGap = 3;
    for (int x = 0; x < kDotColumns; x += kGap) {
      const double wall =
          axes_.wall_begin + (axes_.wall_end - axes_.wall_begin) * x / (kDotColumns - 1);
      if (wall >= 0 && wall <= axes_.media_end)
        dot(x, row(wall), Ink::RealTime);
    }
  }

  // Media stays constant until the next tag.
  void stream(std::span<const Point> points) {
    int before_x = column(0);
    int before_y = row(0);
    for (const Point &point : points) {
      const int x = column(point.wall / 1000);
      const int y = row(point.media / 1000);
      for (int i = before_x; i <= x; ++i)
        dot(i, before_y, Ink::Stream);
      for (int i = y; i <= before_y; ++i)
        dot(x, i, Ink::Stream);
      before_x = x;
      before_y = y;
    }
  }

  void append_row(std::string &out, int row, bool colours) const {
    Ink now = Ink::None;
    for (int column = 0; column < kColumns; ++column) {
      const Cell &cell = this->cell(column, row);
      if (colours && cell.ink != now) {
        if (now != Ink::None)
          out += kPlain;
        if (cell.ink != Ink::None)
          out += cell.ink == Ink::Stream ? kStreamColour : kRealTimeColour;
        now = cell.ink;
      }
      // UTF-8 of U+2800 and up.
      if (cell.dots == 0)
        out += ' ';
      else
        for (const int byte : {0xE2, 0xA0 + (cell.dots >> 6), 0x80 + (cell.dots & 0x3F)})
          out += static_cast<char>(byte);
    }
    if (now != Ink::None && colours)
      out += kPlain;
  }

  [[nodiscard]] int column(double wall) const {
    const double share = (wall - axes_.wall_begin) / (axes_.wall_end - axes_.wall_begin);
    return static_cast<int>(std::lround(share * (kDotColumns - 1)));
  }

  [[nodiscard]] int row(double media) const {
    return static_cast<int>(std::lround((1 - media / axes_.media_end) * (kDotRows - 1)));
  }

private:
  struct Cell {
    std::uint8_t dots = 0;
    Ink ink = Ink::None;
  };

  [[nodiscard]] const Cell &cell(int column, int row) const {
    return cells_[static_cast<std::size_t>(row * kColumns + column)];
  }

  void dot(int x, int y, Ink ink) {
    constexpr std::array<std::array<std::uint8_t, 2>, 4> kDots = {
        {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
    if (x < 0 || x >= kDotColumns || y < 0 || y >= kDotRows)
      return;
    Cell &cell = cells_[static_cast<std::size_t>(y / 4 * kColumns + x / 2)];
    // The two lines do not share a character, because it has only one colour.
    if (ink > cell.ink)
      cell = {.dots = 0, .ink = ink};
    cell.dots |= kDots[static_cast<std::size_t>(y % 4)][static_cast<std::size_t>(x % 2)];
  }

  Axes axes_;
  std::array<Cell, static_cast<std::size_t>(kColumns *kRows)> cells_{};
};

void append_title(std::string &out, bool colours) {
  const auto coloured = [&](const char *colour, const char *text) {
    append(out, "%s%s%s", colours ? colour : "", text, colours ? kPlain : "");
  };
  append(out, "%-42s", " media received (s) over wall time (s)");
  coloured(kStreamColour, "⠤⠤⠤");
  out += " stream   ";
  coloured(kRealTimeColour, "⠄⠠⠄");
  out += " exactly at real time\n";
}

// The row's label, if a tick is in the row, and the axis.
void append_media_axis(std::string &out, const Axes &axes, const Canvas &canvas, int row) {
  for (int i = 0; i * axes.media_step <= axes.media_end; ++i) {
    if (canvas.row(i * axes.media_step) / 4 == row) {
      append(out, "%5.*f ┤", decimals(axes.media_step), i * axes.media_step);
      return;
    }
  }
  out += "      │";
}

void append_wall_axis(std::string &out, const Axes &axes, const Canvas &canvas) {
  std::array<bool, kColumns> ticks{};
  constexpr int kIndent = 7;
  std::string labels;
  for (int i = 0; i * axes.wall_step <= axes.wall_end; ++i) {
    const int column = canvas.column(i * axes.wall_step) / 2;
    ticks[static_cast<std::size_t>(column)] = true;
    std::string label;
    append(label, "%.*f", decimals(axes.wall_step), i * axes.wall_step);
    const auto size = static_cast<int>(label.size());
    const int begin = std::min(kIndent + column - size / 2, kIndent + kColumns - size);
    labels.resize(static_cast<std::size_t>(begin), ' ');
    labels += label;
  }
  out += "      └";
  for (const bool tick : ticks)
    out += tick ? "┬" : "─";
  out += '\n' + labels + '\n';
}

} // namespace

std::string plot_terminal(std::span<const Point> points, const Figures &figures, bool colours) {
  constexpr int kWallTicks = 10;
  constexpr int kMediaTicks = 6;
  const Axes axes = make_axes(figures, kWallTicks, kMediaTicks);
  Canvas canvas(axes);
  canvas.real_time();
  canvas.stream(points);

  std::string out;
  append_title(out, colours);
  for (int row = 0; row < kRows; ++row) {
    append_media_axis(out, axes, canvas, row);
    canvas.append_row(out, row, colours);
    out += '\n';
  }
  append_wall_axis(out, axes, canvas);
  return out;
}

} // namespace bench
