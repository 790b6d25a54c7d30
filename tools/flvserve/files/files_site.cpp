// SPDX-License-Identifier: LGPL-2.1-or-later
#include "files_site.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <utility>

#include <gio/gio.h>
#include <gst/gst.h>

#include "file_cache.h"
#include "file_load.h"
#include "file_path.h"
#include "http/query.h"
#include "responses.h"
#include "served_file.h"
#include "work_queue.h"

GST_DEBUG_CATEGORY_STATIC(flv_serve_files_debug);
#define GST_CAT_DEFAULT flv_serve_files_debug

namespace flvserve {

namespace {

using ExchangePtr = std::shared_ptr<flvhttp::Exchange>;
using ServedPtr = std::shared_ptr<ServedFile>;

constexpr unsigned kWorkers = 2;
constexpr std::size_t kMaxRequests = 4096; // that wait for a worker
constexpr std::size_t kMaxScans = 64;      // that wait for the scanner
constexpr unsigned kAttempts = 3;          // if the file is replaced meanwhile

// Answers the requests below one prefix.
//
// The listener's thread only queues a request. A worker opens the file and reads what it needs. If
// all tag headers of a file must be read, the scanner does that, and the requests for this file
// wait in its FileEntry. The body is sent by the listener's threads.
class FilesSite : public flvhttp::Site {
public:
  FilesSite(std::string prefix, FilesSettings settings, RootFolder root)
      : prefix_(std::move(prefix)), settings_(std::move(settings)), root_(std::move(root)),
        workers_("files", kWorkers, kMaxRequests, WorkQueue::Priority::Normal),
        scanner_("files-scan", 1, kMaxScans, WorkQueue::Priority::Low) {}
  // The threads add work to each other's queue until both have stopped.
  ~FilesSite() override {
    stop_ = true;
    workers_.stop();
    scanner_.stop();
  }
  FilesSite(const FilesSite &) = delete;
  FilesSite &operator=(const FilesSite &) = delete;

  void answer(ExchangePtr exchange) override;
  [[nodiscard]] std::string allow_origin() const override { return settings_.allow_origin; }

private:
  void open(const ExchangePtr &exchange, unsigned attempts);
  void open_file(const ExchangePtr &exchange, Descriptor descriptor, unsigned attempts);
  void load(const std::shared_ptr<FileLoad> &load, unsigned attempts, bool may_scan);
  void end_load(const FileLoad &load);
  void fail_load(const FileLoad &load, const std::function<void(const ExchangePtr &)> &answer);
  void answer_with(const ExchangePtr &exchange, const flvhttp::FilePtr &stored,
                   const ServedPtr &file);
  void answer_start(const ExchangePtr &exchange, const flvhttp::FilePtr &stored,
                    const ServedPtr &file, const WantsStart &wanted, bool may_scan);
  [[nodiscard]] flvhttp::Response whole(const flvhttp::Request &request,
                                        const flvhttp::FilePtr &stored, ServedFile &file,
                                        const WantsFile &wanted) const;
  [[nodiscard]] flvhttp::Response start(const flvhttp::Request &request,
                                        const flvhttp::FilePtr &stored, ServedFile &file,
                                        const FileStart &found, const WantsStart &wanted) const;
  [[nodiscard]] flvhttp::Response bytes(const flvhttp::Request &request,
                                        const flvhttp::FilePtr &stored, const ServedFile &file,
                                        const WantsBytes &wanted) const;

  const std::string prefix_;
  const FilesSettings settings_;
  const RootFolder root_;
  std::atomic<bool> stop_ = false; // ends a scan
  FileCache cache_{{}};
  WorkQueue workers_;
  WorkQueue scanner_;
};

void FilesSite::answer(ExchangePtr exchange) {
  const ExchangePtr refused = exchange;
  if (!workers_.add([this, exchange = std::move(exchange)] { open(exchange, kAttempts); })) {
    GST_WARNING("too many requests wait: 503 for %s", refused->request().path.c_str());
    refused->respond(busy());
  }
}

void FilesSite::open(const ExchangePtr &exchange, unsigned attempts) {
  if (exchange->is_cancelled())
    return;
  const auto path = relative_path(exchange->request().path, prefix_);
  if (!path)
    return exchange->respond(not_found());
  RootFolder::Found found = root_.find(*path);
  if (auto *file = std::get_if<RootFolder::File>(&found))
    return open_file(exchange, std::move(file->descriptor), attempts);
  if (const auto *folder = std::get_if<RootFolder::Folder>(&found))
    return exchange->respond(
        folder_response(exchange->request(), settings_, *path, folder->descriptor));
  const int error = std::get<RootFolder::Missing>(found).error;
  GST_DEBUG("cannot open \"%s\": %s", path->c_str(), g_strerror(error));
  const bool is_full = error == EMFILE || error == ENFILE || error == ENOMEM;
  exchange->respond(is_full ? busy() : not_found());
}

void FilesSite::open_file(const ExchangePtr &exchange, Descriptor descriptor, unsigned attempts) {
  const auto version = flvhttp::FileVersion::of(descriptor.get());
  if (!version)
    return exchange->respond(text_response(500, "The file cannot be read."));
  const auto entry = cache_.find(*version);
  const flvhttp::FilePtr file = entry->share(std::move(descriptor));
  const FileEntry::Entered entered = entry->enter(exchange);
  if (const auto *served = std::get_if<ServedPtr>(&entered))
    return answer_with(exchange, file, *served);
  if (std::holds_alternative<FileEntry::MustWait>(entered))
    return;
  const auto policy = settings_.index == FileIndex::Auto ? flv::IndexedFile::Policy::Auto
                                                         : flv::IndexedFile::Policy::Stored;
  load(std::make_shared<FileLoad>(entry, file, exchange, policy), attempts, false);
}

// --- Reading a file for the first time ---

void FilesSite::load(const std::shared_ptr<FileLoad> &load, unsigned attempts, bool may_scan) {
  using Progress = FileLoad::Progress;
  const std::string &path = load->exchange()->request().path;
  if (may_scan)
    GST_INFO("scanning %s, %" G_GUINT64_FORMAT " bytes", path.c_str(),
             guint64{load->entry()->version().size});
  const gint64 begin = g_get_monotonic_time();
  const Progress progress = load->run(may_scan, stop_);
  if (may_scan)
    GST_INFO("scanned %s in %" G_GINT64_FORMAT " ms", path.c_str(),
             (g_get_monotonic_time() - begin) / 1000);
  switch (progress) {
  case Progress::Done:
    return end_load(*load);
  case Progress::NeedsScan:
    if (scanner_.add([this, load, attempts] { this->load(load, attempts, true); }))
      return;
    GST_WARNING("too many files wait for a scan: 503 for %s", path.c_str());
    return fail_load(*load, [](const ExchangePtr &each) { each->respond(busy()); });
  case Progress::ReadError:
    GST_WARNING("cannot read %s", path.c_str());
    return fail_load(*load, [](const ExchangePtr &each) {
      each->respond(text_response(500, "The file cannot be read."));
    });
  case Progress::Changed:
    GST_INFO("%s was changed while it was read", path.c_str());
    return fail_load(*load, [this, attempts](const ExchangePtr &each) {
      if (attempts <= 1)
        return each->respond(busy());
      workers_.add_again([this, each, attempts] { open(each, attempts - 1); });
    });
  }
}

void FilesSite::end_load(const FileLoad &load) {
  const std::vector<ExchangePtr> waiters = load.entry()->finish(load.served());
  cache_.update(load.entry());
  const auto answer_soon = [&](const ExchangePtr &each) {
    workers_.add_again([this, each, file = load.file(), served = load.served()] {
      answer_with(each, file, served);
    });
  };
  answer_soon(load.exchange());
  for (const ExchangePtr &each : waiters)
    answer_soon(each);
}

void FilesSite::fail_load(const FileLoad &load,
                          const std::function<void(const ExchangePtr &)> &answer) {
  const std::vector<ExchangePtr> waiters = load.entry()->fail();
  answer(load.exchange());
  for (const ExchangePtr &each : waiters)
    answer(each);
}

// --- Answers ---

void FilesSite::answer_with(const ExchangePtr &exchange, const flvhttp::FilePtr &stored,
                            const ServedPtr &file) {
  if (exchange->is_cancelled())
    return;
  const flvhttp::Request &request = exchange->request();
  const Wanted wanted = read_query(http::Query(request.query).all(), settings_.start_names);
  if (const auto *nonsense = std::get_if<WantsNonsense>(&wanted))
    return exchange->respond(text_response(400, nonsense->reason));
  if (std::holds_alternative<WantsPlaylist>(wanted))
    return exchange->respond(playlist_response(request));
  if (const auto *exact = std::get_if<WantsBytes>(&wanted))
    return exchange->respond(bytes(request, stored, *file, *exact));
  if (const auto *start = std::get_if<WantsStart>(&wanted))
    return answer_start(exchange, stored, file, *start, false);
  exchange->respond(whole(request, stored, *file, std::get<WantsFile>(wanted)));
}

void FilesSite::answer_start(const ExchangePtr &exchange, const flvhttp::FilePtr &stored,
                             const ServedPtr &file, const WantsStart &wanted, bool may_scan) {
  const flvhttp::Request &request = exchange->request();
  const ServedFile::Found found = file->find_start(stored, wanted, may_scan ? &stop_ : nullptr);
  if (const auto *start_found = std::get_if<FileStart>(&found))
    return exchange->respond(start(request, stored, *file, *start_found, wanted));
  if (const auto *all = std::get_if<WantsFile>(&found))
    return exchange->respond(whole(request, stored, *file, *all));
  const auto &refusal = std::get<StartRefusal>(found);
  if (refusal.kind == StartRefusal::Kind::NeedsScan && !may_scan) {
    if (!scanner_.add([this, exchange, stored, file, wanted] {
          answer_start(exchange, stored, file, wanted, true);
        }))
      exchange->respond(busy());
    return;
  }
  exchange->respond(refusal_response(refusal, *file));
}

flvhttp::Response FilesSite::whole(const flvhttp::Request &request, const flvhttp::FilePtr &stored,
                                   ServedFile &file, const WantsFile &wanted) const {
  if (!wanted.end)
    return file_response(request, settings_, stored, file, {"", {}, 0, file.size()});
  if (!file.is_flv())
    return text_response(415, "The file is not FLV, so it has no tags to end at: " + file.reason() +
                                  ".");
  const auto end = file.find_end(stored, 0, *wanted.end);
  if (!end)
    return refusal_response({StartRefusal::Kind::NotHere, "There is no whole tag before \"end\"."},
                            file);
  return file_response(request, settings_, stored, file, {"e" + std::to_string(*end), {}, 0, *end});
}

flvhttp::Response FilesSite::start(const flvhttp::Request &request, const flvhttp::FilePtr &stored,
                                   ServedFile &file, const FileStart &found,
                                   const WantsStart &wanted) const {
  const auto end =
      wanted.end ? file.find_end(stored, found.position, *wanted.end) : std::optional(file.size());
  if (!end || *end <= found.position)
    return refusal_response(
        {StartRefusal::Kind::NotHere, "There is no whole tag between the key frame at byte " +
                                          std::to_string(found.position) + " and \"end\"."},
        file);
  std::string variant = "s" + std::to_string(found.position);
  if (wanted.end)
    variant += "-" + std::to_string(*end);
  GST_DEBUG("%s: start at byte %" G_GUINT64_FORMAT, request.path.c_str(), guint64{found.position});
  return file_response(request, settings_, stored, file,
                       {std::move(variant), found.head, found.position, *end - found.position});
}

flvhttp::Response FilesSite::bytes(const flvhttp::Request &request, const flvhttp::FilePtr &stored,
                                   const ServedFile &file, const WantsBytes &wanted) const {
  const std::uint64_t size = file.size();
  if (wanted.first >= size)
    return refusal_response(
        {StartRefusal::Kind::NotHere, "The file has " + std::to_string(size) + " bytes."}, file);
  const std::uint64_t last = std::min(wanted.last.value_or(size - 1), size - 1);
  return file_response(request, settings_, stored, file,
                       {"b" + std::to_string(wanted.first) + "-" + std::to_string(last),
                        {},
                        wanted.first,
                        last - wanted.first + 1});
}

} // namespace

std::shared_ptr<flvhttp::Site> make_files_site(const std::string &prefix,
                                               const FilesSettings &settings, GError **error) {
  static const bool registered = [] {
    GST_DEBUG_CATEGORY_INIT(flv_serve_files_debug, "flvserve-files", 0, "files on demand");
    return true;
  }();
  (void)registered;
  RootFolder root;
  if (const int fault = root.open(settings.root)) {
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(fault),
                "cannot open the folder \"%s\": %s", settings.root.c_str(), g_strerror(fault));
    return nullptr;
  }
  return std::make_shared<FilesSite>(prefix, settings, std::move(root));
}

} // namespace flvserve
