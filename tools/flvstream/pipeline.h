// SPDX-License-Identifier: LGPL-2.1-or-later
// The pipeline for a command line.
#pragma once

#include <memory>
#include <string>

#include "base/gst_ptr.h"
#include "converter.h"
#include "options.h"

namespace flvstream {

// The elements are borrowed from `pipeline`. The converter outlives it.
struct Pipeline {
  std::unique_ptr<Converter> converter; // to FLV
  gstflv::ElementPtr pipeline;
  GstElement *source = nullptr;
  GstElement *seek = nullptr; // flvseek
  GstElement *pace = nullptr; // flvpace
  GstElement *sink = nullptr;
  std::string complaint; // the reason if there is no pipeline
};

[[nodiscard]] Pipeline build(const Options &options);

[[nodiscard]] bool can_read_again(const Options &options);

// 0 if the field does not exist.
[[nodiscard]] guint64 number_in(const GstStructure *structure, const char *field);

} // namespace flvstream
