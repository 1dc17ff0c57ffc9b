// SPDX-License-Identifier: Apache-2.0
// The folder of a neural comparison. Each verb leaves its result there as JSON (map.json, rsa.json, ...), and
// report.html is made of all of them: one file without scripts or links to anywhere, so that it opens offline.
#pragma once

#include <string>

namespace chiasm {

// Throws InputError when the folder is that of a training run, whose report.html is another.
void check_analysis_folder(const std::string& folder);

// Writes folder/VERB.json and makes folder/report.html again. The folder is made where there is none. Throws
// InputError as above, FileError for results of other verbs in it that cannot be read, SystemError.
void write_analysis(const std::string& folder, const std::string& verb, const std::string& json);

}  // namespace chiasm
