// SPDX-License-Identifier: LGPL-2.1-or-later
// flvpace after a pad that supports pull mode, with all functions of Pace.
#pragma once

#include <mutex>

#include "pacetest.h"

namespace pacetest {

class Pull : public Pace {
public:
  struct Source {
    Buffer bytes;
    bool seekable = true;
    guint64 fails_at = G_MAXUINT64; // reads at or after this offset fail
    GstFlowReturn failure = GST_FLOW_ERROR;
  };

  struct Read {
    guint64 offset = 0;
    guint size = 0; // requested
  };

  // Sets the state. Reading starts in PAUSED.
  explicit Pull(Source source, const std::string &properties = "",
                GstState state = GST_STATE_PLAYING);
  ~Pull() override;

  [[nodiscard]] GstPad *element_sink() const { return sink_; }
  [[nodiscard]] std::vector<Read> reads();
  // The number of seek events that upstream received. It refuses all of them.
  [[nodiscard]] int refused_seeks() const { return g_atomic_int_get(&refused_seeks_); }
  // A seek by the application; running time restarts at 0 if it flushes.
  [[nodiscard]] bool seek(GstFormat format, gint64 start, GstSeekFlags flags = GST_SEEK_FLAG_FLUSH,
                          double rate = 1.0);

protected:
  bool idle() override;

private:
  static GstFlowReturn get_range(GstPad *pad, GstObject *parent, guint64 offset, guint size,
                                 GstBuffer **buffer);
  static gboolean query(GstPad *pad, GstObject *parent, GstQuery *query);
  static gboolean event(GstPad *pad, GstObject *parent, GstEvent *event);

  Source source_;
  GstPad *pad_;
  GstPad *sink_;
  std::mutex mutex_;
  std::vector<Read> reads_;
  mutable gint refused_seeks_ = 0;
};

} // namespace pacetest
