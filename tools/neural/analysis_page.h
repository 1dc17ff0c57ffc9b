// SPDX-License-Identifier: Apache-2.0
// report.html of a neural comparison: a section for each verb that has left its result in the folder.
#pragma once

#include <string>

namespace chiasm {

// The page made of every VERB.json in the folder, of those verbs that have a section. Throws FileError for results that
// cannot be read.
std::string analysis_html(const std::string& folder);

}  // namespace chiasm
