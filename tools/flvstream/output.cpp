// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

namespace flvstream {

namespace {

constexpr mode_t kMode = 0666; // before the umask

std::string parent_of(const std::string &name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : name.substr(0, slash);
}

// The target of a symbolic link whose target does not exist; empty: `link` is not a link.
std::string target_of(const std::string &link) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  if (size < 0)
    return {};
  target.resize(static_cast<std::size_t>(size));
  return target.starts_with('/') ? target : parent_of(link) + '/' + target;
}

// The errno of creating a file with this name; 0: no error.
int creation_error(std::string name) {
  constexpr int kMaxLinks = 40;
  for (int links = 0; links < kMaxLinks; ++links) {
    if (name.ends_with('/'))
      return EISDIR;
    std::string target = target_of(name);
    if (target.empty())
      return access(parent_of(name).c_str(), W_OK | X_OK) == 0 ? 0 : errno;
    name = std::move(target);
  }
  return ELOOP;
}

int standard_output_error() {
  const int flags = fcntl(STDOUT_FILENO, F_GETFL);
  if (flags == -1)
    return errno;
  return (flags & O_ACCMODE) == O_RDONLY ? EBADF : 0;
}

int writing_error(const std::string &name) {
  if (name == kStandard)
    return standard_output_error();
  struct stat file {};
  if (stat(name.c_str(), &file) != 0)
    return errno == ENOENT ? creation_error(name) : errno;
  if (S_ISDIR(file.st_mode))
    return EISDIR;
  if (S_ISSOCK(file.st_mode))
    return ENXIO;
  return access(name.c_str(), W_OK) == 0 ? 0 : errno;
}

void set_descriptor(GstElement *sink, int number) {
  g_object_set(sink, "fd", number, nullptr);
}

} // namespace

std::string output_complaint(const std::string &name) {
  const int error = writing_error(name);
  return error == 0 ? "" : g_strerror(error);
}

void Descriptor::reset(int number) {
  static_cast<void>(close());
  number_ = number;
}

int Descriptor::close() {
  const int number = std::exchange(number_, -1);
  return number >= 0 && ::close(number) != 0 ? errno : 0;
}

Output::Output(GstElement *sink, std::string name)
    : sink_(sink), name_(std::move(name)), placeholder_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {
  set_descriptor(sink_, placeholder_.number());
  const gstflv::PadPtr pad(gst_element_get_static_pad(sink_, "sink"));
  gst_pad_add_probe(
      pad.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      on_bytes, this, nullptr);
}

void Output::set_state(State state) {
  const State before = state_.exchange(state);
  g_assert(state == State::Opening ? before == State::Waiting : before == State::Opening);
}

GstPadProbeReturn Output::on_bytes(GstPad *, GstPadProbeInfo *, gpointer data) {
  auto *self = static_cast<Output *>(data);
  if (self->state_ == State::Waiting)
    self->open();
  return self->state_ == State::Open ? GST_PAD_PROBE_REMOVE : GST_PAD_PROBE_DROP;
}

// Blocks while a FIFO has no reader. fdsink seeks to the beginning of the descriptor that it starts
// with. On standard output, this would overwrite the bytes of another program. So the sink gets
// this descriptor only now.
void Output::open() {
  set_state(State::Opening);
  if (name_ == kStandard) {
    set_descriptor(sink_, STDOUT_FILENO);
    set_state(State::Open);
    return;
  }
  file_.reset(::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
  const int error = errno;
  if (file_.number() >= 0) {
    set_descriptor(sink_, file_.number());
    set_state(State::Open);
    return;
  }
  set_state(State::Failed);
  GST_ELEMENT_ERROR(sink_, RESOURCE, OPEN_WRITE, (nullptr),
                    ("Opening \"%s\": %s", name_.c_str(), g_strerror(error)));
}

std::string Output::close() {
  const int error = state_ == State::Open ? file_.close() : 0;
  return error == 0 ? "" : g_strerror(error);
}

} // namespace flvstream
