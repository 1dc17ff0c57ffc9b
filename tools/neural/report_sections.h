// SPDX-License-Identifier: Apache-2.0
// The sections of a comparison's report.html. Each takes the result of its verb and those of the other verbs of the
// folder, and gives HTML whose texts are escaped. Throws FileError, naming file and field, for what is not such a
// result.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tools/neural/result_node.h"

namespace chiasm {

// By verb.
using AnalysisResults = std::map<std::string, ResultNode, std::less<>>;

std::string map_section(const ResultNode& result, const AnalysisResults& all);
std::string reliability_section(const ResultNode& result, const AnalysisResults& all);
std::string consistency_section(const ResultNode& result, const AnalysisResults& all);
std::string rsa_section(const ResultNode& result, const AnalysisResults& all);
std::string ost_section(const ResultNode& result, const AnalysisResults& all);

}  // namespace chiasm
