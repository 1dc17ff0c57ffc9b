// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/analysis_page.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "kernels/error.h"
#include "tools/neural/report_sections.h"
#include "tools/report/html.h"
#include "tools/report/style.h"
#include "tools/run_folder/environment.h"

namespace chiasm {
namespace {

struct Section {
  const char* verb;
  std::string (*html)(const ResultNode& result, const AnalysisResults& all);
};

// In the order of the page.
constexpr Section kSections[] = {{"map", map_section},
                                 {"consistency", consistency_section},
                                 {"reliability", reliability_section},
                                 {"rsa", rsa_section},
                                 {"ost", ost_section}};

AnalysisResults read_results(const std::string& folder) {
  AnalysisResults results;
  for (const Section& section : kSections) {
    const std::string path = fmt::format("{}/{}.json", folder, section.verb);
    if (!std::filesystem::exists(path)) continue;
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) throw FileError(path, "", "cannot be read");
    const ResultNode result = ResultNode::parse(text, path);
    if (result.text("verb") != section.verb) result.at("verb").fail(fmt::format("\"{}\"", section.verb));
    results.emplace(section.verb, result);
  }
  return results;
}

}  // namespace

std::string analysis_html(const std::string& folder) {
  const AnalysisResults results = read_results(folder);
  std::string body = "<h1>Neural comparison</h1>\n";
  for (const Section& section : kSections) {
    const auto found = results.find(section.verb);
    if (found == results.end()) continue;
    body += fmt::format("<section id=\"{}\">\n{}</section>\n", section.verb, section.html(found->second, results));
  }
  body += fmt::format("<footer>Made by chiasm {}. Point at a mark to read its value.</footer>\n",
                      html::escape(chiasm_version()));
  return html::page("Neural comparison", kReportStyle, body);
}

}  // namespace chiasm
