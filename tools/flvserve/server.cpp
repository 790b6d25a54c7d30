// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <glib-unix.h>

#include "base/state_change.h"
#include "categories.h"
#include "common/signals.h"
#include "files/files_site.h"
#include "httpserver/site.h"
#include "report.h"
#include "urls.h"

#define GST_CAT_DEFAULT flvserve_debug

namespace flvserve {

namespace {

constexpr guint kTick = 50;         // ms: between the checks of a drain
constexpr guint kStatusTick = 5000; // ms: between reports of the status

std::string taken(GError *error) {
  std::string text = error->message;
  g_error_free(error);
  return text;
}

const MountSettings *find(const Configuration &configuration, const std::string &path) {
  const auto place = std::ranges::find(configuration.mounts, path, &MountSettings::path);
  return place == configuration.mounts.end() ? nullptr : &*place;
}

std::string counted(std::size_t count, const char *what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

struct Changes {
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
};

// `count`: after the changes.
std::string text_of(const Changes &changes, const char *what, std::size_t count) {
  return counted(changes.added, what) + " added, " + std::to_string(changes.changed) +
         " changed, " + std::to_string(changes.removed) + " removed, " +
         std::to_string(count - changes.added - changes.changed) + " unchanged";
}

std::string folder_changes(const Configuration &before, const Configuration &after) {
  const auto find_in = [](const Configuration &configuration, const FilesFolder &folder) {
    return std::ranges::find(configuration.folders, folder.prefix, &FilesFolder::prefix);
  };
  Changes changes;
  for (const FilesFolder &folder : after.folders) {
    const auto same = find_in(before, folder);
    if (same == before.folders.end())
      ++changes.added;
    else if (*same != folder)
      ++changes.changed;
  }
  for (const FilesFolder &folder : before.folders)
    changes.removed += find_in(after, folder) == after.folders.end() ? 1 : 0;
  return text_of(changes, "folder", after.folders.size());
}

} // namespace

Server::Server(Options options)
    : options_(std::move(options)), loop_(g_main_loop_new(nullptr, FALSE)),
      answered_(std::make_shared<std::atomic<bool>>(true)) {}

Server::~Server() {
  listener_.reset();
  g_main_loop_unref(loop_);
}

void Server::set_state(State state) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, nullptr, "Server", state_, state);
}

int Server::run(Configuration configuration) {
  configuration_ = std::move(configuration);
  if (const std::string fault = start(); !fault.empty()) {
    report(Level::Error, fault);
    set_state(Stopped{});
    return EXIT_FAILURE;
  }
  set_state(Serving{});
  const guint sources[] = {g_unix_signal_add(SIGINT, on_end_signal, this),
                           g_unix_signal_add(SIGTERM, on_end_signal, this),
                           g_unix_signal_add(SIGHUP, on_reload_signal, this),
                           g_timeout_add(kStatusTick, on_tick, this)};
  const guint watchdog = manager_.watchdog_interval()
                             ? g_timeout_add(*manager_.watchdog_interval(), on_watchdog, this)
                             : 0;
  tools::listen_to_signals();
  start_mounts();
  if (!std::holds_alternative<Stopped>(state_))
    g_main_loop_run(loop_);
  for (const guint source : sources)
    g_source_remove(source);
  if (watchdog > 0)
    g_source_remove(watchdog);
  return exit_status_;
}

// The start.

std::string Server::start() {
  std::string fault;
  const auto sites = make_sites(configuration_, fault);
  if (!sites)
    return fault;
  const ServerSettings &server = configuration_.server;
  if (!server.access_log.empty()) {
    log_ = AccessLog::open(server.access_log, server.access_log_format, fault);
    if (!log_)
      return fault;
  }
  if (fault = open_listener(server); !fault.empty())
    return fault;
  exchange_sites(configuration_, *sites);
  return {};
}

// A client that connects before its path is served would get 404. Meanwhile, the source of the
// command line may fail, which begins the end.
void Server::start_mounts() {
  for (const MountSettings &mount : configuration_.mounts)
    start_mount(mount);
  while (std::ranges::any_of(mounts_, [](const auto &each) { return !each.second.is_served; }))
    g_main_context_iteration(nullptr, TRUE);
  if (!std::holds_alternative<Serving>(state_))
    return;
  listener_->start();
  print_urls();
  status_ = status();
  manager_.notify_ready(status_);
}

std::string Server::open_listener(const ServerSettings &server) {
  const std::vector<int> sockets = manager_.take_sockets();
  std::vector<flvhttp::ListenAddress> places;
  if (sockets.empty() || !server.listen.empty()) {
    for (const tools::Address &address : listen_or_default(server))
      places.push_back(
          {tools::bind_host(address), address.port, server.tls_certificate, server.tls_key});
  } else {
    for (const int socket : sockets)
      places.push_back(place_of_socket(socket, server.tls_certificate, server.tls_key));
  }
  GError *error = nullptr;
  listener_ = flvhttp::Listener::open(places, sockets, &error, flvhttp::Listener::Start::Explicit);
  if (!listener_)
    return "cannot listen on " + places_text(places) + ": " + taken(error);
  listener_->set_max_clients(server.max_clients);
  listener_->set_log(log_);
  return {};
}

void Server::print_urls() const {
  for (const std::string &url : urls_of(configuration_, listener_->places()))
    report(Level::Info, "serving " + url);
}

// Folders.

// The sites of all folders: those that run already, and new ones.
std::optional<Server::Sites> Server::make_sites(const Configuration &next,
                                                std::string &fault) const {
  Sites sites;
  for (const FilesFolder &folder : next.folders) {
    const auto same = std::ranges::find(configuration_.folders, folder);
    if (same != configuration_.folders.end() && sites_.contains(folder.prefix)) {
      sites[folder.prefix] = sites_.at(folder.prefix);
      continue;
    }
    GError *error = nullptr;
    auto site = make_files_site(folder.prefix, folder.settings, &error);
    if (!site) {
      fault = "cannot serve the folder " + folder.settings.root + ": " + taken(error);
      return std::nullopt;
    }
    sites[folder.prefix] = std::move(site);
  }
  return sites;
}

void Server::exchange_sites(const Configuration &next, const Sites &sites) {
  for (const auto &[prefix, site] : sites_) {
    const auto place = sites.find(prefix);
    if (place == sites.end() || place->second != site)
      listener_->remove_site(site.get());
  }
  for (const FilesFolder &folder : next.folders) {
    const auto place = sites_.find(folder.prefix);
    const auto &site = sites.at(folder.prefix);
    if (place != sites_.end() && place->second == site)
      continue;
    if (listener_->add_site(folder.prefix.empty() ? "/" : folder.prefix, site))
      report(Level::Error, "the path " + folder.prefix + " is already served");
  }
  sites_ = sites;
}

// Mounts.

std::shared_ptr<Tap> Server::tap_of(const std::string &path) {
  auto &tap = taps_[path];
  if (!tap)
    tap = std::make_shared<Tap>();
  return tap;
}

void Server::start_mount(const MountSettings &settings) {
  Place &place = mounts_[settings.path];
  place = {};
  place.mount = std::make_unique<Mount>(
      settings, listener_, tap_of(settings.path),
      settings.from.empty() ? nullptr : tap_of(settings.from),
      [this, path = settings.path](const Mount::Event &event) { handle(path, event); });
}

void Server::stop_mount(Place &place) {
  if (!std::exchange(place.is_stopping, true))
    place.mount->stop();
}

void Server::handle(const std::string &path, const Mount::Event &event) {
  Place &place = mounts_.at(path);
  switch (event.kind) {
  case Mount::Event::Kind::Served:
    place.is_served = true;
    break;
  case Mount::Event::Kind::Running:
    has_run_ = true;
    if (!std::exchange(place.failure, {}).empty())
      report(Level::Info, "[mount " + path + "]: the source is back");
    GST_INFO("[mount %s] runs", path.c_str());
    break;
  case Mount::Event::Kind::Failed:
    handle_failure(path, event.text);
    break;
  case Mount::Event::Kind::Ended:
    report(Level::Info, "[mount " + path + "]: the source has ended");
    if (options_.config.empty())
      drain();
    break;
  case Mount::Event::Kind::Stopped:
    handle_stopped(path);
    break;
  }
}

// The source of the command line must work at the start. Later failures are reported once.
void Server::handle_failure(const std::string &path, const std::string &text) {
  Place &place = mounts_.at(path);
  if (options_.config.empty() && !has_run_) {
    report(Level::Error, "cannot serve " + options_.source + ": " + text);
    exit_status_ = EXIT_FAILURE;
    return drain();
  }
  if (std::exchange(place.failure, text) != text)
    report(Level::Warning, "[mount " + path + "]: " + text + "; it is opened again");
}

void Server::handle_stopped(const std::string &path) {
  const std::optional<MountSettings> next = std::move(mounts_.at(path).next);
  mounts_.erase(path);
  if (next && std::holds_alternative<Serving>(state_))
    start_mount(*next);
}

// A reload.

void Server::reload() {
  if (!std::holds_alternative<Serving>(state_))
    return;
  if (log_)
    log_->reopen();
  if (options_.config.empty())
    return;
  manager_.notify_reloading();
  const Loaded loaded = configuration_of(options_);
  for (const std::string &complaint : loaded.complaints)
    report(Level::Error, complaint);
  const std::string fault =
      loaded.complaints.empty() ? apply(loaded.configuration) : "the configuration has errors";
  if (!fault.empty())
    report(Level::Error, fault + "; the old configuration stays in force");
  manager_.notify_ready(status());
}

// Checks everything that can fail before the first change. Returns the fault.
std::string Server::apply(const Configuration &next) {
  const ServerSettings &server = next.server;
  const ServerSettings &current = configuration_.server;
  if (!same_addresses(server.listen, current.listen))
    return "listen cannot change while the server runs: restart it";
  if (server.tls_certificate != current.tls_certificate || server.tls_key != current.tls_key)
    return "tls-certificate and tls-key cannot change while the server runs: restart it";
  std::string fault;
  const auto sites = make_sites(next, fault);
  if (!sites)
    return fault;
  if (server.access_log != current.access_log ||
      server.access_log_format != current.access_log_format) {
    std::shared_ptr<AccessLog> log;
    if (!server.access_log.empty()) {
      log = AccessLog::open(server.access_log, server.access_log_format, fault);
      if (!log)
        return fault;
    }
    listener_->set_log(log);
    log_ = std::move(log);
  }
  listener_->set_max_clients(server.max_clients);
  exchange_sites(next, *sites);
  const std::string summary = apply_mounts(next) + "; " + folder_changes(configuration_, next);
  configuration_ = next;
  report(Level::Info, "the configuration is loaded: " + summary);
  return {};
}

// Unchanged mounts keep their clients. Returns the numbers of changes.
std::string Server::apply_mounts(const Configuration &next) {
  Changes changes;
  for (auto &[path, place] : mounts_) {
    if (find(next, path))
      continue;
    changes.removed += settings_of(place) ? 1 : 0;
    place.next.reset();
    stop_mount(place);
  }
  for (const MountSettings &mount : next.mounts) {
    const auto place = mounts_.find(mount.path);
    const auto current = place == mounts_.end() ? std::nullopt : settings_of(place->second);
    if (current == mount)
      continue;
    ++(current ? changes.changed : changes.added);
    if (place == mounts_.end())
      start_mount(mount);
    else
      change_mount(place->second, mount);
  }
  return text_of(changes, "mount", next.mounts.size());
}

// The settings that the place has, or will have when its mount is replaced.
std::optional<MountSettings> Server::settings_of(const Place &place) {
  return place.is_stopping ? place.next : std::optional(place.mount->settings());
}

void Server::change_mount(Place &place, const MountSettings &settings) {
  if (!place.is_stopping && has_same_stream(place.mount->settings(), settings))
    return place.mount->change(settings);
  place.next = settings;
  stop_mount(place);
}

// The end.

void Server::drain() {
  if (!std::holds_alternative<Serving>(state_))
    return;
  constexpr gint64 kMillisecond = 1000; // us
  set_state(Draining{g_get_monotonic_time() +
                     gint64{configuration_.server.drain_timeout} * kMillisecond});
  manager_.notify_stopping();
  listener_->stop_accepting();
  for (auto &[path, place] : mounts_) {
    place.next.reset();
    stop_mount(place);
  }
  g_timeout_add(kTick, on_tick, this);
}

void Server::close_log() {
  if (listener_)
    listener_->set_log(nullptr);
  log_.reset();
}

void Server::quit() {
  if (std::holds_alternative<Stopped>(state_))
    return;
  set_state(Stopped{});
  g_main_loop_quit(loop_);
}

// The first signal drains. The second one ends the program at once.
gboolean Server::on_end_signal(gpointer data) {
  auto *self = static_cast<Server *>(data);
  if (std::holds_alternative<Serving>(self->state_))
    self->drain();
  else
    self->quit();
  return G_SOURCE_CONTINUE;
}

gboolean Server::on_reload_signal(gpointer data) {
  static_cast<Server *>(data)->reload();
  return G_SOURCE_CONTINUE;
}

gboolean Server::on_tick(gpointer data) {
  auto *self = static_cast<Server *>(data);
  if (const auto *draining = std::get_if<Draining>(&self->state_)) {
    const bool is_empty = self->mounts_.empty() && self->listener_->clients() == 0;
    if (is_empty || g_get_monotonic_time() >= draining->deadline)
      self->quit();
  } else if (std::string status = self->status(); status != self->status_) {
    self->manager_.notify_status(status);
    self->status_ = std::move(status);
  }
  return G_SOURCE_CONTINUE;
}

// Only if the listener's thread, too, has answered since the last time.
gboolean Server::on_watchdog(gpointer data) {
  auto *self = static_cast<Server *>(data);
  if (self->answered_->exchange(false)) {
    self->manager_.notify_alive();
    self->listener_->run_soon([answered = self->answered_] { *answered = true; });
  }
  return G_SOURCE_CONTINUE;
}

std::string Server::status() const {
  return "Serving " + counted(configuration_.mounts.size(), "mount") + " and " +
         counted(configuration_.folders.size(), "folder") + " to " +
         counted(static_cast<std::size_t>(listener_->clients()), "client");
}

} // namespace flvserve
