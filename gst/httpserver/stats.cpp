// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stats.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace flvhttp {

using gstflv::StringPtr;
using gstflv::StructurePtr;

namespace {

constexpr std::array kTransports = {"http", "https", "ws", "wss"};

const char *name_of(std::optional<fanout::StartPoint> start) {
  constexpr std::array names = {"key-frame", "configuration", "recovery-point", "frame"};
  return start ? names[static_cast<std::size_t>(*start)] : "none";
}

const char *transport_of(const Visitor &visitor) {
  const bool websocket = visitor.framing == fanout::Framing::WebSocket;
  return kTransports[(websocket ? 2U : 0U) + (visitor.secure ? 1U : 0U)];
}

// JSON requires valid UTF-8, and a User-Agent field may have any bytes.
std::string quoted(const char *text) {
  const StringPtr valid(g_utf8_make_valid(text, -1));
  std::string out = "\"";
  for (const char *c = valid.get(); *c; c++) {
    const auto byte = static_cast<unsigned char>(*c);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += *c;
    } else if (byte < 0x20 || byte == 0x7F) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", unsigned{byte});
      out += code.data();
    } else {
      out += *c;
    }
  }
  return out + "\"";
}

std::string number_of(double number) {
  std::array<char, G_ASCII_DTOSTR_BUF_SIZE> text{};
  return g_ascii_formatd(text.data(), static_cast<int>(text.size()), "%.3f", number);
}

std::string json_of(const GValue *value) {
  if (G_VALUE_HOLDS_UINT64(value))
    return std::to_string(g_value_get_uint64(value));
  if (G_VALUE_HOLDS_INT64(value))
    return std::to_string(g_value_get_int64(value));
  if (G_VALUE_HOLDS_DOUBLE(value))
    return number_of(g_value_get_double(value));
  if (G_VALUE_HOLDS_STRING(value))
    return quoted(g_value_get_string(value));
  if (GST_VALUE_HOLDS_STRUCTURE(value))
    return flvhttp::json_of(gst_value_get_structure(value));
  std::string out = "[";
  for (guint i = 0; i < gst_value_array_get_size(value); i++) {
    out += i > 0 ? "," : "";
    out += json_of(gst_value_array_get_value(value, i));
  }
  return out + "]";
}

// Escapes the value of a Prometheus label.
std::string escaped(const std::string &text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

} // namespace

StructurePtr structure_of(const ClientStats &stats) {
  const double rate =
      stats.duration > 0 ? static_cast<double>(stats.bytes) * 8 / stats.duration : 0;
  // clang-format off
  return StructurePtr(gst_structure_new("client",
      "id", G_TYPE_UINT64, stats.id,
      "address", G_TYPE_STRING, stats.visitor.address.c_str(),
      "user-agent", G_TYPE_STRING, stats.visitor.agent.c_str(),
      "transport", G_TYPE_STRING, transport_of(stats.visitor),
      "since", G_TYPE_INT64, stats.since,
      "duration", G_TYPE_DOUBLE, stats.duration,
      "bytes", G_TYPE_UINT64, stats.bytes,
      "rate", G_TYPE_DOUBLE, rate,
      "lag", G_TYPE_INT64, gint64{stats.lag.now},
      "lag-minimum", G_TYPE_INT64, gint64{stats.lag.min},
      "lag-average", G_TYPE_DOUBLE, stats.lag.average,
      "lag-maximum", G_TYPE_INT64, gint64{stats.lag.max},
      "skips", G_TYPE_UINT64, stats.skips,
      "start-point", G_TYPE_STRING, name_of(stats.start),
      nullptr));
  // clang-format on
}

StructurePtr structure_of(const BroadcastStats &stats) {
  // clang-format off
  StructurePtr structure(gst_structure_new("httpserversink-stats",
      "clients-now", G_TYPE_UINT64, guint64{stats.clients.size()},
      "clients-served", G_TYPE_UINT64, stats.served,
      "bytes-in", G_TYPE_UINT64, stats.bytes_in,
      "bytes-out", G_TYPE_UINT64, stats.bytes_out,
      "skips", G_TYPE_UINT64, stats.skips,
      "history-bytes", G_TYPE_UINT64, stats.history_bytes,
      "history-duration", G_TYPE_INT64, stats.history_ms,
      nullptr));
  // clang-format on
  GValue clients = G_VALUE_INIT;
  g_value_init(&clients, GST_TYPE_ARRAY);
  for (const ClientStats &each : stats.clients) {
    GValue client = G_VALUE_INIT;
    g_value_init(&client, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&client, structure_of(each).release());
    gst_value_array_append_and_take_value(&clients, &client);
  }
  gst_structure_take_value(structure.get(), "clients", &clients);
  return structure;
}

std::string json_of(const GstStructure *structure) {
  std::string out = "{";
  for (gint i = 0; i < gst_structure_n_fields(structure); i++) {
    const char *name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    out += i > 0 ? "," : "";
    out += quoted(name);
    out += ":";
    out += json_of(gst_structure_get_value(structure, name));
  }
  return out + "}";
}

std::string metrics_of(const BroadcastStats &stats, const std::string &path) {
  std::string out;
  const std::string label = "{path=\"" + escaped(path) + "\"} ";
  const auto add = [&](const char *name, const char *type, const char *help, double value) {
    const std::string full = std::string("httpserversink_") + name;
    out += "# HELP " + full + " " + help + "\n# TYPE " + full + " " + type + "\n" + full + label +
           number_of(value) + "\n";
  };
  std::int64_t worst = 0;
  double sum = 0;
  for (const ClientStats &client : stats.clients) {
    worst = std::max(worst, client.lag.now);
    sum += static_cast<double>(client.lag.now);
  }
  const auto count = static_cast<double>(stats.clients.size());
  add("clients", "gauge", "Clients now.", count);
  add("clients_total", "counter", "Clients since the start.", static_cast<double>(stats.served));
  add("in_bytes_total", "counter", "Bytes of the stream.", static_cast<double>(stats.bytes_in));
  add("out_bytes_total", "counter", "Bytes sent to clients.", static_cast<double>(stats.bytes_out));
  add("skips_total", "counter", "Skips of clients to a key frame.",
      static_cast<double>(stats.skips));
  add("history_bytes", "gauge", "Bytes kept for joining and slow clients.",
      static_cast<double>(stats.history_bytes));
  add("lag_seconds_max", "gauge", "Lag of the slowest client.", static_cast<double>(worst) / 1000);
  add("lag_seconds_avg", "gauge", "Average lag of the clients.",
      count > 0 ? sum / count / 1000 : 0);
  return out;
}

} // namespace flvhttp
