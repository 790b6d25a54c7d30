// SPDX-License-Identifier: LGPL-2.1-or-later
#include "intake.h"

#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operands.h"
#include "output.h"

namespace flvstream {

namespace {

constexpr std::size_t kMaxHead = 65536; // bytes that are kept

bool is_regular(int descriptor) {
  struct stat file {};
  return descriptor >= 0 && fstat(descriptor, &file) == 0 && S_ISREG(file.st_mode);
}

} // namespace

Intake::Intake(GstElement *source, std::string input) : input_(std::move(input)) {
  const gstflv::PadPtr pad(gst_element_get_static_pad(source, "src"));
  gst_pad_add_probe(
      pad.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_PUSH),
      on_bytes, this, nullptr);
}

GstPadProbeReturn Intake::on_bytes(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto *self = static_cast<Intake *>(data);
  const gstflv::MappedBuffer buffer(GST_PAD_PROBE_INFO_BUFFER(info));
  const std::lock_guard lock(self->mutex_);
  const flv::Bytes bytes = buffer.bytes();
  const std::size_t size = std::min(bytes.size(), kMaxHead - self->head_.size());
  self->head_.insert(self->head_.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
  return self->head_.size() < kMaxHead ? GST_PAD_PROBE_OK : GST_PAD_PROBE_REMOVE;
}

std::optional<tools::Container> container_of_file(const std::string &input) {
  if (input == kStandard)
    return is_regular(STDIN_FILENO) ? std::optional(tools::identify(tools::FileBytes(STDIN_FILENO)))
                                    : std::nullopt;
  if (is_url(input))
    return std::nullopt;
  // O_NONBLOCK: opening a FIFO does not wait for a writer.
  const Descriptor file(open(input.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return is_regular(file.number()) ? std::optional(tools::identify(tools::FileBytes(file.number())))
                                   : std::nullopt;
}

tools::Container Intake::identify() {
  if (const auto container = container_of_file(input_))
    return *container;
  const std::lock_guard lock(mutex_);
  return tools::identify(tools::MemoryBytes(head_));
}

} // namespace flvstream
