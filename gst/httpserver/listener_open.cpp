// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of Listener that find it by its address, or create it.
#include <algorithm>
#include <condition_variable>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"

namespace flvhttp {

namespace {

// The listeners of the process.

struct Entry {
  ListenAddress place; // with the actual port
  bool is_alone = false;
  const Listener *listener = nullptr;
  std::weak_ptr<Listener> alive; // expired: the listener is being destroyed, and still has the port
};

struct Registry {
  std::mutex mutex;
  std::condition_variable gone;
  std::vector<Entry> entries;

  // One entry per endpoint. `is_alone`: find() does not return the listener.
  void add(const std::shared_ptr<Listener> &listener, bool is_alone) {
    for (ListenAddress place : listener->places())
      entries.push_back({std::move(place), is_alone, listener.get(), listener});
  }

  [[nodiscard]] std::shared_ptr<Listener> find(const ListenAddress &place) const {
    for (const Entry &each : entries) {
      const bool same =
          !each.is_alone && each.place.port == place.port && each.place.address == place.address;
      if (auto listener = same ? each.alive.lock() : nullptr)
        return listener;
    }
    return nullptr;
  }

  [[nodiscard]] bool is_left(guint16 port) const {
    return std::any_of(entries.begin(), entries.end(), [port](const Entry &each) {
      return each.place.port == port && each.alive.expired();
    });
  }
};

Registry &registry() {
  static Registry it;
  return it;
}

// 0: the descriptor is no TCP socket.
guint16 port_of_socket(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &size) != 0)
    return 0;
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6 &>(address).sin6_port);
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in &>(address).sin_port);
  return 0;
}

} // namespace

// The lock is not held while prepare() looks up a name, so that other elements can start and stop.
std::shared_ptr<Listener> Listener::at(const ListenAddress &place, GError **error) {
  if (auto shared = find_shared(place))
    return share(std::move(shared), place, error);
  const std::shared_ptr<Listener> own(new Listener({place}));
  if (!own->prepare(error))
    return nullptr;
  Registry &all = registry();
  std::shared_ptr<Listener> shared;
  {
    std::unique_lock lock(all.mutex);
    all.gone.wait(lock, [&] { return !all.is_left(place.port); });
    shared = all.find(place);
    if (!shared && !own->bind({}, error))
      return nullptr;
    if (!shared)
      all.add(own, place.port == 0);
  }
  return shared ? share(std::move(shared), place, error) : own;
}

std::shared_ptr<Listener> Listener::open(const std::vector<ListenAddress> &places,
                                         const std::vector<int> &inherited_sockets, GError **error,
                                         Start start) {
  std::shared_ptr<Listener> own(new Listener(places));
  own->start_ = start;
  if (!own->prepare(error)) {
    for (const int each : inherited_sockets)
      close(each);
    return nullptr;
  }
  Registry &all = registry();
  std::unique_lock lock(all.mutex);
  all.gone.wait(lock, [&] {
    return std::none_of(places.begin(), places.end(),
                        [&](const ListenAddress &each) { return all.is_left(each.port); });
  });
  if (!own->bind(inherited_sockets, error))
    return nullptr;
  all.add(own, true);
  return own;
}

std::shared_ptr<Listener> Listener::find_shared(const ListenAddress &place) {
  Registry &all = registry();
  const std::lock_guard lock(all.mutex);
  return all.find(place);
}

std::shared_ptr<Listener> Listener::share(std::shared_ptr<Listener> listener,
                                          const ListenAddress &place, GError **error) {
  const ListenAddress &other = listener->endpoints_.front()->place();
  if (other.certificate == place.certificate && other.key == place.key)
    return listener;
  g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
              "%s port %u is already served with another certificate", place.address.c_str(),
              unsigned{place.port});
  return nullptr;
}

void Listener::leave_registry() const {
  Registry &all = registry();
  {
    const std::lock_guard lock(all.mutex);
    std::erase_if(all.entries, [this](const Entry &each) { return each.listener == this; });
  }
  all.gone.notify_all();
}

bool Listener::prepare(GError **error) {
  return std::all_of(endpoints_.begin(), endpoints_.end(),
                     [error](const auto &each) { return each->prepare(error); });
}

// Takes all inherited sockets, also after an error.
bool Listener::bind(const std::vector<int> &inherited_sockets, GError **error) {
  const std::size_t places = endpoints_.size();
  bool valid = true;
  for (const int descriptor : inherited_sockets) {
    if (!valid) {
      close(descriptor);
      continue;
    }
    const guint16 port = port_of_socket(descriptor);
    const auto same = std::find_if(endpoints_.begin(), endpoints_.end(), [port](const auto &each) {
      return each->place().port == port && port != 0;
    });
    if (same != endpoints_.end()) {
      valid = (*same)->adopt(descriptor, socket_.get(), error);
      continue;
    }
    ListenAddress place = places > 0 ? endpoints_.front()->place() : ListenAddress{};
    place.port = port;
    endpoints_.push_back(std::make_unique<Endpoint>(place));
    valid = endpoints_.back()->prepare(error) &&
            endpoints_.back()->adopt(descriptor, socket_.get(), error);
  }
  for (std::size_t i = 0; i < places && valid; i++)
    valid = endpoints_[i]->is_bound() || endpoints_[i]->bind(socket_.get(), error);
  if (valid && endpoints_.empty()) {
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no address to listen at");
    return false;
  }
  return valid;
}

std::vector<ListenAddress> Listener::places() const {
  std::vector<ListenAddress> places;
  for (const auto &each : endpoints_) {
    places.push_back(each->place());
    places.back().port = each->port();
  }
  return places;
}

} // namespace flvhttp
