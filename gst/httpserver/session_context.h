// SPDX-License-Identifier: LGPL-2.1-or-later
// What the sessions of a stream share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <glib.h>

#include "fanout/client_cursor.h"
#include "poller.h"
#include "stream_state.h"

namespace flvhttp {

struct BroadcastSettings {
  fanout::CursorSettings cursor;
  guint merge = 40;             // ms
  guint wait_timeout = 5000;    // ms
  guint client_timeout = 10000; // ms
  guint drain_timeout = 5000;   // ms
  guint max_clients = 0;        // 0: any number
  std::string allow_origin = "*";
};
using SettingsPtr = std::shared_ptr<const BroadcastSettings>;

// Guarded by Broadcast::mutex_.
struct SessionContext {
  // The log names `element_in_log` (borrowed).
  explicit SessionContext(GstElement *element_in_log = nullptr)
      : element(element_in_log), stream(element_in_log) {}

  GstElement *element;
  // Copied at the start of each turn.
  SettingsPtr settings;
  StreamState stream;
  Clock::time_point now;

  fanout::Backlog backlog;
  fanout::WriteBatch batch;                    // of the current write; reused
  std::vector<class ClientSession *> to_serve; // in this turn, or in the next one
  std::size_t closed_count = 0; // sessions in Closed, which the end of the turn removes
};

} // namespace flvhttp
