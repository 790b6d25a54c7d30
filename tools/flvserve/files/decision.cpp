// SPDX-License-Identifier: LGPL-2.1-or-later
#include "decision.h"

#include "http/conditions.h"
#include "http/date.h"
#include "http/range.h"

namespace flvserve {

namespace {

// RFC 9110, 15.4.5: a 304 has the fields that a cache updates.
void add_validators(Decision &decision, const Representation &what) {
  decision.fields.emplace_back("ETag", what.etag);
  decision.fields.emplace_back("Last-Modified", http::format_date(what.modified));
  decision.fields.emplace_back("Cache-Control", cache_control(what.max_age_s));
}

// RFC 9110, 14.2: only GET has ranges.
http::Range wanted_range(const flvhttp::Request &request, const http::Conditions &conditions,
                         const http::Validators &validators, std::uint64_t size) {
  const std::string *range = request.field("Range");
  if (!range || request.is_head || !http::allows_range(conditions, validators))
    return {};
  return http::parse_range(*range, size);
}

} // namespace

std::string cache_control(std::uint32_t max_age_s) {
  return max_age_s > 0 ? "max-age=" + std::to_string(max_age_s) : "no-cache";
}

Decision decide(const flvhttp::Request &request, const Representation &what) {
  const http::Conditions conditions{
      request.field("If-Match"), request.field("If-None-Match"), request.field("If-Modified-Since"),
      request.field("If-Unmodified-Since"), request.field("If-Range")};
  const http::Validators validators{what.etag, what.modified};
  Decision decision;
  add_validators(decision, what);
  switch (http::evaluate(conditions, validators)) {
  case http::Outcome::NotModified:
    decision.status = 304;
    return decision;
  case http::Outcome::PreconditionFailed:
    decision.status = 412;
    return decision;
  case http::Outcome::Full:
    break;
  }
  decision.fields.emplace_back("Accept-Ranges", "bytes");
  const http::Range range = wanted_range(request, conditions, validators, what.size);
  if (range.kind == http::Range::Kind::Unsatisfiable) {
    decision.status = 416;
    decision.fields.emplace_back("Content-Range", http::unsatisfied_content_range(what.size));
    return decision;
  }
  decision.fields.emplace_back("Content-Type", what.type);
  decision.size = what.size;
  if (range.kind == http::Range::Kind::Part) {
    decision.status = 206;
    decision.fields.emplace_back("Content-Range", http::content_range(range, what.size));
    decision.first = range.first;
    decision.size = range.size();
  }
  return decision;
}

} // namespace flvserve
