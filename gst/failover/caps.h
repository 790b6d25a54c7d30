// SPDX-License-Identifier: LGPL-2.1-or-later
// The caps of the containers.
#pragma once

#include "base/gst_ptr.h"
#include "failover/container.h"
#include "failover/cutter.h"

namespace gstfailover {

// The caps of the source pad.
inline constexpr const char *kCaps =
    "video/x-flv; video/mpegts, systemstream=(boolean)true, packetsize=(int)188; "
    "video/x-matroska; audio/x-matroska; video/webm; audio/webm";

// The containers that caps accept.
[[nodiscard]] failover::ContainerSet containers_of(GstCaps *caps);

// The caps of a stream. `header` is its header, which decides between Matroska and WebM. It is the
// streamheader of Matroska, so that clients can join later.
[[nodiscard]] gstflv::CapsPtr caps_of(failover::Container container, failover::Bytes header);

} // namespace gstfailover
