// SPDX-License-Identifier: LGPL-2.1-or-later
#include "site.h"

namespace flvhttp {

Exchange::~Exchange() {
  Response failed;
  failed.status = 500;
  respond(std::move(failed));
}

void Exchange::respond(Response response) {
  if (!answered_.exchange(true))
    deliver_(std::move(response));
}

} // namespace flvhttp
