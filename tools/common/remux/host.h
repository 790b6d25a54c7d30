// SPDX-License-Identifier: LGPL-2.1-or-later
// An element whose work is done by a C++ object.
#pragma once

#include <memory>

#include <gst/gst.h>

namespace remux {

class Body {
public:
  Body() = default;
  virtual ~Body() = default;
  Body(const Body &) = delete;
  Body &operator=(const Body &) = delete;

  // Before the pads are deactivated: wakes threads that wait.
  virtual void stop() = 0;
};

// A new element without pads, floating. `name`: its name in logs.
[[nodiscard]] GstElement *make_host(const char *name);
// The element owns the body. Called once, before the first state change.
void set_body(GstElement *host, std::unique_ptr<Body> body);

} // namespace remux
