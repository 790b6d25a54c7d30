// SPDX-License-Identifier: LGPL-2.1-or-later
// The known facts of a file and its keyframe indexes, which serve all starts in the file.
#pragma once

#include "index_base.h"
#include "index_scan.h"
#include "start_settings.h"

namespace flv {

// Whether the request is for an offset inside the file header, which means the whole file.
[[nodiscard]] bool is_in_header(const StartSettings &settings, std::uint64_t first_tag);

class KnownFile {
public:
  // ms: an index whose times differ more from those of the tags is wrong.
  static constexpr std::int64_t kWrongTime = 5000;

  // The index of onMetaData.
  struct Listed {
    enum class Kind : std::uint8_t {
      Truncated,  // the file ends inside onMetaData
      Unreadable, // the AMF of onMetaData is malformed
      Missing,    // there is no index, or no onMetaData
      Invalid,
      Usable,
      Confirmed, // and a keyframe was found at one of its entries
    };
    Kind kind = Kind::Missing;
    std::string fault; // the reason, unless the index is usable
    KeyframeIndex index;

    [[nodiscard]] bool is_usable() const { return kind == Kind::Usable || kind == Kind::Confirmed; }
    [[nodiscard]] bool is_metadata_bad() const {
      return kind == Kind::Truncated || kind == Kind::Unreadable;
    }
  };
  enum class Use : std::uint8_t { None, Metadata, Scanned };

  // `size` is in bytes; 0: unknown.
  KnownFile(Access access, std::uint64_t size) : access_(access), size_(size) {}
  // Searches refer to the facts and to the index.
  KnownFile(const KnownFile &) = delete;
  KnownFile &operator=(const KnownFile &) = delete;
  KnownFile(KnownFile &&) = delete;
  KnownFile &operator=(KnownFile &&) = delete;
  ~KnownFile() = default;

  [[nodiscard]] Access access() const { return access_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  // `probe` is complete. Its fault is None or Truncated.
  void note_probe(FileProbe &probe);
  // s: the time base of the index of onMetaData.
  void note_base(double base);
  // A scan of the whole file, or of its first part. Its index is in use from now on.
  void note_scan(IndexScan scan);
  void note_confirmed() { listed_.kind = Listed::Kind::Confirmed; }
  void use(Use use) { use_ = use; }

  // Whether the facts are known. The other functions need them, unless they say otherwise.
  [[nodiscard]] bool has_facts() const { return facts_.has_value(); }
  [[nodiscard]] const FileFacts &facts() const { return *facts_; }
  [[nodiscard]] const Listed &listed() const { return listed_; }
  [[nodiscard]] double base() const { return base_; } // s; 0 before it is known
  // The last scan that has ended.
  [[nodiscard]] const IndexScan &scan() const { return *scan_; }
  [[nodiscard]] bool has_scanned_all() const { return scan_ && !scan_->next_request(); }

  // The index in use; empty if there is none. Its times count from the file's first tag.
  [[nodiscard]] const KeyframeIndex &index() const;
  [[nodiscard]] bool is_scanned() const { return use_ == Use::Scanned; }
  // Whether the index in use covers the whole file.
  [[nodiscard]] bool is_index_whole() const { return use_ == Use::Metadata || has_scanned_all(); }

  [[nodiscard]] bool has_video() const { return facts_->has_video(); }
  // The configurations at the beginning of the file that are before an offset.
  [[nodiscard]] StreamHeader head_before(std::uint64_t before) const;
  // Whether the tags at the beginning of the file show that the index of onMetaData belongs to
  // another file.
  [[nodiscard]] bool contradicts_listed() const;
  // s: the duration from onMetaData; nullopt: the facts or the duration are unknown.
  [[nodiscard]] std::optional<double> duration() const;
  // ms: the time of the last entry of the index in use that is at or before `position`.
  [[nodiscard]] std::uint64_t time_in_index(std::uint64_t position) const;
  // ms: of the times that the 32-bit timestamp allows, the one nearest to `near`.
  [[nodiscard]] std::int64_t time_in_tag(std::uint32_t timestamp, std::uint64_t near) const;

  // False: the known facts show that the start would be an error. The facts may be unknown.
  [[nodiscard]] bool can_meet(const StartSettings &settings) const;

private:
  [[nodiscard]] bool might_start(const StartSettings &settings, const KeyframeIndex &index,
                                 bool is_scanned) const;

  Access access_;
  std::uint64_t size_;
  std::optional<FileFacts> facts_;
  Listed listed_;
  double base_ = 0;
  std::optional<IndexScan> scan_;
  Use use_ = Use::None; // the index in use
};

} // namespace flv
