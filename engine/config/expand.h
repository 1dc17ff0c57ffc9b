// SPDX-License-Identifier: Apache-2.0
// Definitions and templates of a document, replaced by what they stand for. Internal to engine/config.
#pragma once

#include "engine/config/composition.h"
#include "engine/config/value.h"

namespace chiasm::detail {

// The plain document that composition.h describes, in values of its own. `document` loses its definitions and
// templates. REQUIRES: every value has an origin, the top is an object.
ConfigValuePtr expanded(ConfigValue& document, const TemplateKeys& keys);

// Marks as accepted the definitions, and the defaults of templates, whose names are in use: whoever overrides parts of
// a document may take the last use away.
void accept_used_names(ConfigValue& document, const TemplateKeys& keys);

}  // namespace chiasm::detail
