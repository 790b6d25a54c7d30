// SPDX-License-Identifier: LGPL-2.1-or-later
// To be preloaded under ThreadSanitizer: tells it of the order that GLib's mutexes make. It sees
// none of it, since they are atomics and futexes in a library that was not built with it.
#include <dlfcn.h>
#include <glib.h>

extern "C" {

void __tsan_acquire(void *address);
void __tsan_release(void *address);
}

namespace {

template <typename Function> Function *next(Function *, const char *name) {
  return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

} // namespace

extern "C" {

void g_mutex_lock(GMutex *mutex) {
  static const auto real = next(g_mutex_lock, "g_mutex_lock");
  real(mutex);
  __tsan_acquire(mutex);
}

gboolean g_mutex_trylock(GMutex *mutex) {
  static const auto real = next(g_mutex_trylock, "g_mutex_trylock");
  const gboolean locked = real(mutex);
  if (locked)
    __tsan_acquire(mutex);
  return locked;
}

void g_mutex_unlock(GMutex *mutex) {
  static const auto real = next(g_mutex_unlock, "g_mutex_unlock");
  __tsan_release(mutex);
  real(mutex);
}

void g_cond_wait(GCond *condition, GMutex *mutex) {
  static const auto real = next(g_cond_wait, "g_cond_wait");
  __tsan_release(mutex);
  real(condition, mutex);
  __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *condition, GMutex *mutex, gint64 end) {
  static const auto real = next(g_cond_wait_until, "g_cond_wait_until");
  __tsan_release(mutex);
  const gboolean signalled = real(condition, mutex, end);
  __tsan_acquire(mutex);
  return signalled;
}

} // extern "C"
