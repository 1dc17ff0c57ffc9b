// SPDX-License-Identifier: Apache-2.0
// One document laid over another. Internal to engine/config.
#pragma once

#include <functional>

#include "engine/config/message.h"
#include "engine/config/value.h"

namespace chiasm::detail {

// `over` laid on `base`: objects member by member, with the members of `over` first; anything else replaces; a member
// that is null removes that of the base, and is a FileError when there is none. Where `keeps_null` says so of an
// object, a null among its members replaces like any other value, and is marked `accepted` where the base has a member
// of that name. The result shares values with both. REQUIRES: every value has an origin.
ConfigValuePtr merged(const ConfigValuePtr& base, const ConfigValuePtr& over, const Place& place,
                      const std::function<bool(const Place&)>& keeps_null);

}  // namespace chiasm::detail
