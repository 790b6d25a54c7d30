// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "http/text.h"

namespace http {

namespace {

namespace chrono = std::chrono;

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t kShortDay = 3;

constexpr std::int64_t kFirst = -62'135'596'800; // the start of year 1
constexpr std::int64_t kLast = 253'402'300'799;  // the end of year 9999

struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

// Reads a text from its start. After a failure, all calls fail.
class Reader {
public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool is_at_end() const { return valid_ && text_.empty(); }

  void expect(std::string_view text) {
    valid_ = valid_ && text_.starts_with(text);
    if (valid_)
      text_.remove_prefix(text.size());
  }

  [[nodiscard]] unsigned number(std::size_t digits) {
    const std::string_view part = text_.substr(0, digits);
    valid_ = valid_ && part.size() == digits && std::all_of(part.begin(), part.end(), is_digit);
    if (!valid_)
      return 0;
    unsigned value = 0;
    for (const char c : part)
      value = value * 10 + static_cast<unsigned>(c - '0');
    text_.remove_prefix(digits);
    return value;
  }

  // Returns 1 for January.
  [[nodiscard]] unsigned month() {
    for (std::size_t i = 0; i < kMonths.size() && valid_; i++) {
      if (!text_.starts_with(kMonths[i]))
        continue;
      text_.remove_prefix(kMonths[i].size());
      return static_cast<unsigned>(i) + 1;
    }
    valid_ = false;
    return 0;
  }

  void time(Fields &fields) {
    fields.hour = number(2);
    expect(":");
    fields.minute = number(2);
    expect(":");
    fields.second = number(2);
  }

private:
  std::string_view text_;
  bool valid_ = true;
};

std::optional<std::int64_t> seconds_of(const Fields &fields) {
  const chrono::year_month_day date{chrono::year(fields.year), chrono::month(fields.month),
                                    chrono::day(fields.day)};
  constexpr unsigned kLeapSecond = 60;
  if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > kLeapSecond)
    return std::nullopt;
  const chrono::seconds time = chrono::sys_days(date).time_since_epoch() +
                               chrono::hours(fields.hour) + chrono::minutes(fields.minute) +
                               chrono::seconds(fields.second);
  return time.count();
}

int year_at(std::int64_t seconds) {
  const chrono::sys_seconds time{chrono::seconds(std::clamp(seconds, kFirst, kLast))};
  return static_cast<int>(chrono::year_month_day(chrono::floor<chrono::days>(time)).year());
}

// "06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> parse_fixdate(Reader reader) {
  Fields fields;
  fields.day = reader.number(2);
  reader.expect(" ");
  fields.month = reader.month();
  reader.expect(" ");
  fields.year = static_cast<int>(reader.number(4));
  reader.expect(" ");
  reader.time(fields);
  reader.expect(" GMT");
  return reader.is_at_end() ? seconds_of(fields) : std::nullopt;
}

// "06-Nov-94 08:49:37 GMT"
std::optional<std::int64_t> parse_rfc850(Reader reader, std::int64_t now) {
  constexpr int kFuture = 50; // years
  Fields fields;
  fields.day = reader.number(2);
  reader.expect("-");
  fields.month = reader.month();
  reader.expect("-");
  const int this_year = year_at(now);
  fields.year = this_year - this_year % 100 + static_cast<int>(reader.number(2));
  if (fields.year > this_year + kFuture)
    fields.year -= 100;
  reader.expect(" ");
  reader.time(fields);
  reader.expect(" GMT");
  return reader.is_at_end() ? seconds_of(fields) : std::nullopt;
}

// "Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime(Reader reader, bool has_padding) {
  Fields fields;
  fields.month = reader.month();
  reader.expect(has_padding ? "  " : " ");
  fields.day = reader.number(has_padding ? 1 : 2);
  reader.expect(" ");
  reader.time(fields);
  reader.expect(" ");
  fields.year = static_cast<int>(reader.number(4));
  return reader.is_at_end() ? seconds_of(fields) : std::nullopt;
}

} // namespace

std::string format_date(std::int64_t seconds) {
  const chrono::sys_seconds time{chrono::seconds(std::clamp(seconds, kFirst, kLast))};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss<chrono::seconds> clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3s, %02u %.3s %04d %02d:%02d:%02d GMT",
                kDays[chrono::weekday(day).c_encoding()].data(), static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1].data(),
                static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now) {
  text = trimmed(text);
  for (const std::string_view day : kDays) {
    const std::string_view short_day = day.substr(0, kShortDay);
    if (!text.starts_with(short_day))
      continue;
    std::string_view rest = text.substr(kShortDay);
    if (rest.starts_with(", "))
      return parse_fixdate(Reader(rest.substr(2)));
    if (rest.starts_with(" "))
      return parse_asctime(Reader(rest.substr(1)), rest.substr(1).find("  ") == kShortDay);
    const std::string_view more = day.substr(kShortDay);
    if (rest.starts_with(more) && rest.substr(more.size()).starts_with(", "))
      return parse_rfc850(Reader(rest.substr(more.size() + 2)), now);
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  return parse_date(text, std::time(nullptr));
}

} // namespace http
