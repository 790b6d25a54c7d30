// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/format/bytes.h"

namespace flv {

void Writer::bytes(Bytes value) {
  out_.insert(out_.end(), value.begin(), value.end());
}

} // namespace flv
