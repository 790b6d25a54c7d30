// SPDX-License-Identifier: LGPL-2.1-or-later
// Serves a configuration: the listener, the mounts and the folders. Applies changes of the
// configuration to the running server.
//
//   Starting -> Serving -> Draining -> Stopped
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "access_log.h"
#include "configuration.h"
#include "mount.h"
#include "options.h"
#include "service_manager.h"

namespace flvserve {

class Server {
public:
  struct Starting {
    static constexpr const char *kName = "Starting";
  };
  struct Serving {
    static constexpr const char *kName = "Serving";
  };
  struct Draining {
    static constexpr const char *kName = "Draining";
    gint64 deadline = 0; // monotonic time, us
  };
  struct Stopped {
    static constexpr const char *kName = "Stopped";
  };
  using State = std::variant<Starting, Serving, Draining, Stopped>;
  using Transitions = states::TransitionTable<
      states::Transition<Starting, Serving>, states::Transition<Starting, Stopped>,
      states::Transition<Serving, Draining>, states::Transition<Serving, Stopped>,
      states::Transition<Draining, Stopped>>;

  explicit Server(Options options);
  ~Server();
  Server(const Server &) = delete;
  Server &operator=(const Server &) = delete;

  // Returns the exit status. Serves until a signal, or until the source of the command line ends.
  [[nodiscard]] int run(Configuration configuration);
  // Whether the threads of all mounts have ended, so that the server can be destroyed.
  [[nodiscard]] bool is_stopped() const { return mounts_.empty(); }
  // Writes the requests that are still in the queue of the access log.
  void close_log();

private:
  // A mount, and the one that replaces it after its end.
  struct Place {
    std::unique_ptr<Mount> mount;
    std::optional<MountSettings> next;
    std::string failure;    // the last one that was reported
    bool is_served = false; // the path answers
    bool is_stopping = false;
  };
  using Sites = std::map<std::string, std::shared_ptr<flvhttp::Site>>;

  static gboolean on_end_signal(gpointer self);
  static gboolean on_reload_signal(gpointer self);
  static gboolean on_tick(gpointer self);
  static gboolean on_watchdog(gpointer self);

  void set_state(State state);
  [[nodiscard]] std::string start();
  [[nodiscard]] std::string open_listener(const ServerSettings &server);
  void start_mounts();
  void print_urls() const;
  // nullopt: `fault` has the reason.
  [[nodiscard]] std::optional<Sites> make_sites(const Configuration &next,
                                                std::string &fault) const;
  void exchange_sites(const Configuration &next, const Sites &sites);
  void reload();
  [[nodiscard]] std::string apply(const Configuration &next);
  [[nodiscard]] std::string apply_mounts(const Configuration &next);
  [[nodiscard]] static std::optional<MountSettings> settings_of(const Place &place);
  void change_mount(Place &place, const MountSettings &settings);
  void start_mount(const MountSettings &settings);
  void stop_mount(Place &place);
  [[nodiscard]] std::shared_ptr<Tap> tap_of(const std::string &path);
  void handle(const std::string &path, const Mount::Event &event);
  void handle_failure(const std::string &path, const std::string &text);
  void handle_stopped(const std::string &path);
  void drain();
  void quit();
  [[nodiscard]] std::string status() const;

  Options options_;
  ServiceManager manager_;
  GMainLoop *loop_;
  State state_ = Starting{};
  int exit_status_ = 0;
  bool has_run_ = false; // a mount has had a stream
  Configuration configuration_;
  std::shared_ptr<AccessLog> log_;
  std::shared_ptr<flvhttp::Listener> listener_;
  Sites sites_; // by prefix
  std::map<std::string, std::shared_ptr<Tap>> taps_;
  std::map<std::string, Place> mounts_;         // by path
  std::string status_;                          // the last one that the service manager got
  std::shared_ptr<std::atomic<bool>> answered_; // by the listener's thread, since the last check
};

} // namespace flvserve
