// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source_reader.h"

#include <utility>

#include "flv_cutter.h"
#include "matroska_cutter.h"
#include "mpegts_cutter.h"

namespace failover {

namespace {

std::unique_ptr<Cutter> cutter_for(Container container) {
  switch (container) {
  case Container::Flv:
    return std::make_unique<FlvCutter>();
  case Container::MpegTs:
    return std::make_unique<MpegTsCutter>();
  case Container::Matroska:
    return std::make_unique<MatroskaCutter>();
  }
  return nullptr;
}

std::string failure_text(const Detection &detection) {
  return detection.other.empty() ? "the source sends an unknown format"
                                 : "the source sends " + detection.other;
}

} // namespace

void SourceReader::set_state(State next) {
  states::change_state<Transitions>("SourceReader", state_, std::move(next));
}

void SourceReader::begin(Bytes chunk) {
  if (std::holds_alternative<Detecting>(state_))
    detect(chunk);
  else if (auto *cutting = std::get_if<Cutting>(&state_))
    cutting->cutter->begin(chunk);
}

void SourceReader::detect(Bytes chunk) {
  Buffer &bytes = std::get<Detecting>(state_).bytes;
  bytes.insert(bytes.end(), chunk.begin(), chunk.end());
  const Detection detection = failover::detect(bytes);
  if (detection.kind == Detection::Kind::Unknown)
    return set_state(Failed{failure_text(detection)});
  if (detection.kind == Detection::Kind::NeedMore)
    return;
  Cutting cutting{detection.container, cutter_for(detection.container)};
  cutting.cutter->begin(bytes);
  set_state(std::move(cutting));
}

std::optional<Piece> SourceReader::next() {
  auto *cutting = std::get_if<Cutting>(&state_);
  if (!cutting)
    return std::nullopt;
  if (was_start_)
    opening_.reset();
  was_start_ = false;
  std::optional<Piece> piece = cutting->cutter->next();
  if (piece)
    note(*piece);
  else if (cutting->cutter->is_malformed())
    set_state(Failed{std::string("the source sends damaged ") + name_of(cutting->container)});
  return piece;
}

void SourceReader::note(const Piece &piece) {
  was_start_ = piece.is_start;
  if (piece.is_start || !opening_)
    return;
  if (piece.is_dependent || opening_->size() + piece.bytes.size() > kMaxOpening)
    opening_.reset();
  else
    opening_->insert(opening_->end(), piece.bytes.begin(), piece.bytes.end());
}

std::optional<Container> SourceReader::container() const {
  const auto *cutting = std::get_if<Cutting>(&state_);
  return cutting ? std::optional(cutting->container) : std::nullopt;
}

bool SourceReader::is_undecided() const {
  const auto *detecting = std::get_if<Detecting>(&state_);
  return detecting && !detecting->bytes.empty();
}

const std::string *SourceReader::failure() const {
  const auto *failed = std::get_if<Failed>(&state_);
  return failed ? &failed->reason : nullptr;
}

Buffer SourceReader::header() const {
  const auto *cutting = std::get_if<Cutting>(&state_);
  return cutting ? cutting->cutter->header() : Buffer();
}

Buffer SourceReader::prefix() const {
  return opening_ && container() == Container::Flv ? *opening_ : header();
}

} // namespace failover
