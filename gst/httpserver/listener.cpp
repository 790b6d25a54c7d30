// SPDX-License-Identifier: LGPL-2.1-or-later
#include "listener.h"

#include <algorithm>
#include <future>
#include <utility>

#include <pthread.h>

#include "categories.h"
#include "config.h"
#include "descriptors.h"
#include "prefixed_stream.h"
#include "response.h"

namespace flvhttp {

using gstflv::ObjectPtr;

namespace {

constexpr int kBacklog = 4096;
// ms between attempts to accept a connection while no descriptor is free.
constexpr guint kAcceptAgain = 100;

// The maximum number of requests that wait for their body.
constexpr std::size_t kMaxBodies = 64;

// Whether a request head has a field that announces a body.
bool announces_body(const std::string &head) {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(), g_ascii_tolower);
  return lower.find("\ncontent-length") != std::string::npos ||
         lower.find("\ntransfer-encoding") != std::string::npos;
}

// Takes ownership of the source.
void attach(GMainContext *context, GSource *source, GSourceFunc function, gpointer listener) {
  g_source_set_callback(source, function, listener, nullptr);
  g_source_attach(source, context);
  g_source_unref(source);
}

} // namespace

Listener::Listener(const std::vector<ListenAddress> &places)
    : context_(g_main_context_new()), loop_(g_main_loop_new(context_, FALSE)),
      socket_(g_socket_listener_new()), stop_(g_cancellable_new()) {
  init_categories();
  for (const ListenAddress &place : places)
    endpoints_.push_back(std::make_unique<Endpoint>(place));
  g_socket_listener_set_backlog(socket_.get(), kBacklog);
}

Listener::~Listener() {
  if (thread_.joinable()) {
    run_soon([this] { g_main_loop_quit(loop_); });
    thread_.join();
  }
  g_socket_listener_close(socket_.get());
  leave_registry();
  g_main_loop_unref(loop_);
  g_main_context_unref(context_);
}

std::vector<guint16> Listener::ports() const {
  std::vector<guint16> ports;
  for (const auto &each : endpoints_)
    ports.push_back(each->port());
  return ports;
}

guint64 Listener::clients() const {
  return routes_.clients() + downloads_.count();
}

void Listener::set_log(std::shared_ptr<RequestLog> log) {
  const std::lock_guard lock(log_mutex_);
  log_ = std::move(log);
}

std::shared_ptr<RequestLog> Listener::log() const {
  const std::lock_guard lock(log_mutex_);
  return log_;
}

bool Listener::has_room() const {
  const guint most = max_clients_;
  return most == 0 || clients() < most;
}

std::optional<std::string> Listener::add(const NamedRoutes &routes, guint request_timeout) {
  if (auto taken = routes_.add(routes))
    return taken;
  request_timeout_ = request_timeout;
  if (start_ == Start::AtFirstRoute)
    start();
  return std::nullopt;
}

void Listener::remove(const Broadcast *broadcast) {
  routes_.remove(broadcast);
}

std::optional<std::string> Listener::add_site(const std::string &prefix,
                                              std::shared_ptr<Site> site) {
  auto taken = routes_.add_site(prefix, std::move(site));
  if (!taken && start_ == Start::AtFirstRoute)
    start();
  return taken;
}

void Listener::remove_site(const Site *site) {
  routes_.remove_site(site);
  if (is_running() && thread_.get_id() != std::this_thread::get_id())
    finish_work();
}

void Listener::start() {
  const std::lock_guard lock(thread_mutex_);
  if (!thread_.joinable())
    thread_ = std::thread([this] { run(); });
}

bool Listener::is_running() {
  const std::lock_guard lock(thread_mutex_);
  return thread_.joinable();
}

void Listener::stop_accepting() {
  const auto stop = [this] {
    g_cancellable_cancel(stop_.get());
    g_socket_listener_close(socket_.get());
  };
  if (!is_running())
    return stop();
  run_soon(stop);
  finish_work();
}

// High priority: otherwise a constant flow of new connections would block a stop.
void Listener::run_soon(std::function<void()> work) {
  {
    const std::lock_guard lock(work_mutex_);
    work_.push_back(std::move(work));
  }
  GSource *source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_HIGH);
  attach(
      context_, source,
      [](gpointer self) -> gboolean {
        static_cast<Listener *>(self)->work();
        return G_SOURCE_REMOVE;
      },
      this);
}

void Listener::finish_work() {
  std::promise<void> done;
  run_soon([&done] { done.set_value(); });
  done.get_future().wait();
}

// Called from the listener's thread.

void Listener::work() {
  std::vector<std::function<void()>> all;
  {
    const std::lock_guard lock(work_mutex_);
    all.swap(work_);
  }
  for (const auto &each : all)
    each();
}

void Listener::run() {
  pthread_setname_np(pthread_self(), "httpserver-http");
  g_main_context_push_thread_default(context_);
  server_.reset(soup_server_new("server-header", PACKAGE "/" VERSION, "raw-paths", TRUE, nullptr));
  soup_server_add_early_handler(
      server_.get(), nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *, gpointer) {
        soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
      },
      nullptr, nullptr);
  soup_server_add_handler(
      server_.get(), nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *, gpointer data) {
        static_cast<Listener *>(data)->answer(message);
      },
      this, nullptr);
  g_signal_connect(server_.get(), "request-started",
                   G_CALLBACK(+[](SoupServer *, SoupServerMessage *message, gpointer data) {
                     static_cast<const Listener *>(data)->begin_answer(message);
                   }),
                   this);
  g_signal_connect(server_.get(), "request-finished",
                   G_CALLBACK(+[](SoupServer *, SoupServerMessage *message, gpointer data) {
                     static_cast<const Listener *>(data)->log_answer(
                         message, soup_server_message_get_status(message), Reason::Ended);
                   }),
                   this);
  g_signal_connect(server_.get(), "request-aborted",
                   G_CALLBACK(+[](SoupServer *, SoupServerMessage *message, gpointer data) {
                     static_cast<const Listener *>(data)->log_answer(message, kNoResponse,
                                                                     Reason::Closed);
                   }),
                   this);
  request_reader_ = std::make_unique<RequestReader>(
      context_, [this](Admitted admitted) { admit(std::move(admitted)); },
      [this](const Refusal &refusal) { log_refusal(refusal); },
      [this] { return origin_lines(routes_.common_origin()); });
  reports_ =
      std::make_unique<Reports>([this](std::function<void()> work) { run_soon(std::move(work)); });
  accept();
  g_main_loop_run(loop_);
  g_cancellable_cancel(stop_.get());
  request_reader_.reset();
  reports_.reset();
  work(); // delivers reports that were built meanwhile
  soup_server_disconnect(server_.get());
  server_.reset();
  while (g_main_context_iteration(context_, FALSE)) {
  }
  g_main_context_pop_thread_default(context_);
}

void Listener::accept() {
  g_socket_listener_accept_async(
      socket_.get(), stop_.get(),
      [](GObject *, GAsyncResult *result, gpointer data) {
        static_cast<Listener *>(data)->accepted(result);
      },
      this);
}

void Listener::accepted(GAsyncResult *result) {
  GError *error = nullptr;
  GObject *source = nullptr; // borrowed
  const ObjectPtr<GSocketConnection> connection(
      g_socket_listener_accept_finish(socket_.get(), result, &source, &error));
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || !request_reader_ ||
      g_cancellable_is_cancelled(stop_.get())) {
    g_clear_error(&error);
    return;
  }
  if (!connection) {
    g_clear_error(&error);
    return accept_later();
  }
  // Without routes, new connections are closed at once.
  if (!routes_.is_empty() || start_ == Start::Explicit)
    request_reader_->enter(connection.get(), credentials(*Endpoint::of(source)), request_timeout_);
  if (make_room())
    accept();
  else
    accept_later();
}

std::shared_ptr<const TlsCredentials> Listener::credentials(Endpoint &endpoint) const {
  GError *error = nullptr;
  auto current = endpoint.credentials(&error);
  if (error)
    routes_.warn({GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                  std::string("The changed TLS certificate cannot be used; the previous one stays "
                              "in use: ") +
                      error->message + "."});
  g_clear_error(&error);
  return current;
}

// Closes connections without a complete request, the oldest first, until enough descriptors are
// free for the application. Returns false if too few are free.
bool Listener::make_room() {
  while (!has_free_descriptors()) {
    if (!request_reader_->refuse_oldest())
      return false;
  }
  return true;
}

void Listener::accept_later() {
  attach(
      context_, g_timeout_source_new(kAcceptAgain),
      [](gpointer self) -> gboolean {
        auto *listener = static_cast<Listener *>(self);
        if (listener->make_room())
          listener->accept();
        else
          listener->accept_later();
        return G_SOURCE_REMOVE;
      },
      this);
}

// libsoup keeps the remote address as long as the connection. So the Pending object is attached to
// the address.
void Listener::admit(Admitted admitted) {
  const ObjectPtr<GSocketAddress> local(
      g_socket_connection_get_local_address(admitted.connection.get(), nullptr));
  const ObjectPtr<GSocketAddress> remote(
      g_socket_connection_get_remote_address(admitted.connection.get(), nullptr));
  if (!local || !remote)
    return;
  const ObjectPtr<GIOStream> stream(
      new_head_stream(admitted.stream.get(), admitted.head.data(), admitted.head.size()));
  // No request needs a body. A request that waits for its body occupies a descriptor.
  const bool has_body = announces_body(admitted.head);
  if (has_body && bodies_.size() >= kMaxBodies) {
    Pending *oldest = bodies_.front();
    oldest->leave_line();
    g_socket_shutdown(oldest->admitted.socket, TRUE, TRUE, nullptr);
  }
  auto *pending = new Pending(std::move(admitted));
  if (has_body)
    pending->enter_line(bodies_);
  pending->timeout.reset(g_timeout_source_new(request_timeout_));
  g_source_set_callback(
      pending->timeout.get(),
      [](gpointer data) -> gboolean {
        g_socket_shutdown(static_cast<GSocket *>(data), TRUE, TRUE, nullptr);
        return G_SOURCE_REMOVE;
      },
      g_object_ref(pending->admitted.socket), g_object_unref);
  g_source_attach(pending->timeout.get(), context_);
  // A copy, because g_socket_connection_get_remote_address() may return the same object twice.
  const ObjectPtr<GSocketAddress> own(g_inet_socket_address_new(
      g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(remote.get())),
      g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(remote.get()))));
  g_object_set_data_full(G_OBJECT(own.get()), kPending, pending,
                         [](gpointer data) { delete static_cast<Pending *>(data); });
  soup_server_accept_iostream(server_.get(), stream.get(), local.get(), own.get(), nullptr);
}

} // namespace flvhttp
