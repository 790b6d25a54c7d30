// SPDX-License-Identifier: LGPL-2.1-or-later
#include "uring.h"

#include <cerrno>

#if HAVE_LIBURING

#include <liburing.h>

#include <array>

struct Ring::State {
  io_uring ring{};
  bool is_open = false;
  RingKind kind = RingKind::Plain;
};

namespace {

// Twice the number in use at a time, because with Sqpoll the slots of a batch are released slightly
// after its end.
constexpr unsigned kPlaces = 2 * Ring::kBatch;

// The Sqpoll thread polls for this time after a request. It should sleep between two turns.
constexpr unsigned kIdleMs = 1;

// liburing returns the negative errno.
bool worked(int result) {
  if (result < 0)
    errno = -result;
  return result >= 0;
}

} // namespace

Ring::Ring() : state_(std::make_unique<State>()) {}

Ring::~Ring() {
  if (state_->is_open)
    io_uring_queue_exit(&state_->ring);
}

bool Ring::open(RingKind kind) {
  state_->kind = kind;
  io_uring_params params{};
  params.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER;
  params.flags |= kind == RingKind::Sqpoll ? IORING_SETUP_SQPOLL : IORING_SETUP_DEFER_TASKRUN;
  params.sq_thread_idle = kIdleMs;
  int result = io_uring_queue_init_params(kPlaces, &state_->ring, &params);
  if (result == -EINVAL) { // before Linux 6.1
    params = {};
    params.flags = kind == RingKind::Sqpoll ? IORING_SETUP_SQPOLL : 0U;
    params.sq_thread_idle = kIdleMs;
    result = io_uring_queue_init_params(kPlaces, &state_->ring, &params);
  }
  state_->is_open = result == 0;
  return worked(result);
}

bool Ring::adopt(std::span<const int> sockets) {
  return sockets.empty() || worked(io_uring_register_files(&state_->ring, sockets.data(),
                                                           static_cast<unsigned>(sockets.size())));
}

void Ring::forget(unsigned socket) {
  constexpr int kNone = -1;
  io_uring_register_files_update(&state_->ring, socket, &kNone, 1);
}

bool Ring::submit(std::span<Write> writes) {
  for (Write &each : writes) {
    io_uring_sqe *request = io_uring_get_sqe(&state_->ring);
    if (!request)
      return worked(-EBUSY);
    io_uring_prep_sendmsg(request, static_cast<int>(each.socket), &each.message,
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    request->flags |= IOSQE_FIXED_FILE;
    if (state_->kind == RingKind::Async)
      request->flags |= IOSQE_ASYNC;
    io_uring_sqe_set_data(request, &each);
  }
  std::array<io_uring_cqe *, kBatch> done{};
  for (auto left = static_cast<unsigned>(writes.size()); left > 0;) {
    const int result = io_uring_submit_and_wait(&state_->ring, left);
    if (result < 0 && result != -EINTR && result != -EAGAIN)
      return worked(result);
    const unsigned count = io_uring_peek_batch_cqe(&state_->ring, done.data(), kBatch);
    for (unsigned i = 0; i < count; ++i)
      static_cast<Write *>(io_uring_cqe_get_data(done[i]))->sent = done[i]->res;
    io_uring_cq_advance(&state_->ring, count);
    left -= count;
  }
  return true;
}

#else

struct Ring::State {};

Ring::Ring() = default;
Ring::~Ring() = default;

bool Ring::open(RingKind /*kind*/) {
  errno = ENOSYS;
  return false;
}

bool Ring::adopt(std::span<const int> /*sockets*/) {
  return false;
}

void Ring::forget(unsigned /*socket*/) {}

bool Ring::submit(std::span<Write> /*writes*/) {
  return false;
}

#endif
