// SPDX-License-Identifier: LGPL-2.1-or-later
// Parses the numbers, times and sizes of the command line. nullopt: the text is invalid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tools {

[[nodiscard]] std::optional<std::uint64_t> parse_number(const std::string &text,
                                                        std::uint64_t maximum);

// Digits with or without a fraction.
[[nodiscard]] std::optional<double> parse_decimal(const std::string &text);

// In ms: "2000", "500ms", "2s", "1.5s".
[[nodiscard]] std::optional<std::uint64_t> parse_span(const std::string &text);

// In ms: seconds, m:ss or h:mm:ss, each with a fraction, or a span with a unit.
[[nodiscard]] std::optional<std::uint64_t> parse_time(const std::string &text);

// In bytes: "300000", "10M", "1.5G". The units k, M, G and T are powers of 1024.
[[nodiscard]] std::optional<std::uint64_t> parse_size(const std::string &text);

} // namespace tools
