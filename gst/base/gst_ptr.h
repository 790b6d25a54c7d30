// SPDX-License-Identifier: LGPL-2.1-or-later
// Owning pointers for GStreamer references. A call that takes ownership gets the pointer with
// .release(). Raw pointers are borrowed.
#pragma once

#include <memory>

#include <gst/base/gstadapter.h>
#include <gst/gst.h>

#include "flv/format/bytes.h"

namespace gstflv {

struct Unref {
  void operator()(GstBuffer *object) const { gst_buffer_unref(object); }
  void operator()(GstBufferList *object) const { gst_buffer_list_unref(object); }
  void operator()(GstCaps *object) const { gst_caps_unref(object); }
  void operator()(GstEvent *object) const { gst_event_unref(object); }
  void operator()(GstTagList *object) const { gst_tag_list_unref(object); }
  void operator()(GstClock *object) const { gst_object_unref(object); }
  void operator()(GstPad *object) const { gst_object_unref(object); }
  void operator()(GstElement *object) const { gst_object_unref(object); }
  void operator()(GstAdapter *object) const { g_object_unref(object); }
  void operator()(GstStructure *object) const { gst_structure_free(object); }
  void operator()(gchar *text) const { g_free(text); }
};

struct UnrefObject {
  void operator()(gpointer object) const { g_object_unref(object); }
};

struct UnrefClockId {
  void operator()(GstClockID id) const { gst_clock_id_unref(id); }
};

using BufferPtr = std::unique_ptr<GstBuffer, Unref>;
using BufferListPtr = std::unique_ptr<GstBufferList, Unref>;
using CapsPtr = std::unique_ptr<GstCaps, Unref>;
using EventPtr = std::unique_ptr<GstEvent, Unref>;
using TagListPtr = std::unique_ptr<GstTagList, Unref>;
using ElementPtr = std::unique_ptr<GstElement, Unref>;
using PadPtr = std::unique_ptr<GstPad, Unref>;
using ClockPtr = std::unique_ptr<GstClock, Unref>;
using ClockIdPtr = std::unique_ptr<void, UnrefClockId>; // GstClockID is a void *
using AdapterPtr = std::unique_ptr<GstAdapter, Unref>;
using StructurePtr = std::unique_ptr<GstStructure, Unref>;
template <typename Type> using ObjectPtr = std::unique_ptr<Type, UnrefObject>;
using StringPtr = std::unique_ptr<gchar, Unref>;

// GStreamer's macro for this mixes two enumerations, which C++20 deprecates.
inline bool has_flag(GstEvent *event, GstEventTypeFlags flag) {
  return (gst_event_type_get_flags(GST_EVENT_TYPE(event)) & flag) != 0;
}

class ObjectLock {
public:
  explicit ObjectLock(gpointer object) : object_(object) { GST_OBJECT_LOCK(object_); }
  ~ObjectLock() { GST_OBJECT_UNLOCK(object_); }
  ObjectLock(const ObjectLock &) = delete;
  ObjectLock &operator=(const ObjectLock &) = delete;

private:
  gpointer object_;
};

// Maps a buffer for reading until the object is destroyed. If the mapping fails, bytes() is empty.
class MappedBuffer {
public:
  explicit MappedBuffer(GstBuffer *buffer) : buffer_(buffer) {
    mapped_ = gst_buffer_map(buffer_, &info_, GST_MAP_READ);
  }
  ~MappedBuffer() {
    if (mapped_)
      gst_buffer_unmap(buffer_, &info_);
  }
  MappedBuffer(const MappedBuffer &) = delete;
  MappedBuffer &operator=(const MappedBuffer &) = delete;

  explicit operator bool() const { return mapped_; }
  [[nodiscard]] flv::Bytes bytes() const {
    return mapped_ ? flv::Bytes(info_.data, info_.size) : flv::Bytes();
  }

private:
  GstBuffer *buffer_;
  GstMapInfo info_{};
  bool mapped_ = false;
};

} // namespace gstflv
