// SPDX-License-Identifier: Apache-2.0
#include "tests/support/source_rules.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace chiasm::test {
namespace {

constexpr int kMaxLines = 600;

// What each folder may include besides itself.
const std::map<std::string_view, std::set<std::string_view>>& arrows() {
  static const std::map<std::string_view, std::set<std::string_view>> kArrows{
      {"kernels", {}},
      {"engine", {"kernels"}},
      {"models", {"kernels", "engine"}},
      {"learning_rules", {"kernels", "engine"}},
      {"analysis", {"kernels", "engine", "models"}},
      {"tools", {"kernels", "engine", "models", "learning_rules", "analysis"}},
      {"tests", {"kernels", "engine", "models", "learning_rules", "analysis", "tools", "bench"}},
      {"bench", {"kernels", "engine", "models", "learning_rules", "analysis", "tools", "tests"}},
  };
  return kArrows;
}

std::string_view first_folder(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

bool starts_with_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::any_of(all.begin(), all.end(), [&](std::string_view start) { return text.starts_with(start); });
}

std::string extension(std::string_view path) { return std::filesystem::path(path).extension().string(); }

bool is_header(std::string_view path) { return is_one_of(extension(path), {".h", ".cuh", ".hpp"}); }

bool is_cpp(std::string_view path) { return is_header(path) || is_one_of(extension(path), {".cpp", ".cu"}); }

bool is_vendor_header(std::string_view target) {
  return starts_with_one_of(target,
                            {"oneapi/", "dnnl", "nlohmann/", "CLI/", "fmt/", "libpng", "hdf5", "H5", "openblas"}) ||
         is_one_of(target, {"cblas.h", "lapacke.h", "png.h", "jpeglib.h", "jerror.h", "zlib.h", "zconf.h", "linear.h"});
}

bool is_cuda_header(std::string_view target) {
  return starts_with_one_of(target, {"cuda", "cublas", "cudnn", "nvrtc", "nccl", "cooperative_groups", "cub/",
                                     "thrust/", "mma.h", "device_launch_parameters", "vector_types"});
}

std::string at(const SourceFile& file, int line, const std::string& what) {
  return file.path + ":" + std::to_string(line) + ": " + what;
}

template <class Wrong>
std::vector<std::string> check_includes(const SourceFile& file, Wrong wrong) {
  std::vector<std::string> found;
  if (!is_cpp(file.path)) return found;
  for (const Include& include : includes_of(file.text)) {
    if (const std::string why = wrong(include); !why.empty()) found.push_back(at(file, include.line, why));
  }
  return found;
}

std::string_view trim_left(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

// Calls body(line, number) for each line, numbered from 1.
template <class Body>
void for_each_line(std::string_view text, Body body) {
  int number = 1;
  for (std::size_t start = 0; start < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    body(text.substr(start, end - start), number);
    start = end + 1;
  }
}

}  // namespace

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> found;
  for_each_line(text, [&](std::string_view line, int number) {
    line = trim_left(line);
    if (!line.starts_with('#')) return;
    line = trim_left(line.substr(1));
    if (!line.starts_with("include")) return;
    line = trim_left(line.substr(7));
    if (line.empty() || (line[0] != '"' && line[0] != '<')) return;
    const bool quoted = line[0] == '"';
    const std::size_t end = line.find(quoted ? '"' : '>', 1);
    if (end != std::string_view::npos) found.push_back({std::string(line.substr(1, end - 1)), number, quoted});
  });
  return found;
}

std::vector<std::string> wrong_arrows(const SourceFile& file) {
  const std::string_view from = first_folder(file.path);
  const auto known = arrows().find(from);
  if (known == arrows().end()) return {};
  return check_includes(file, [&](const Include& include) -> std::string {
    const std::string_view to = first_folder(include.target);
    if (!arrows().contains(to) || to == from || known->second.contains(to)) return {};
    return std::string(from) + "/ includes " + include.target + "; it may include from itself" +
           (known->second.empty() ? "" : " and from ") + [&] {
             std::string list;
             for (std::string_view folder : known->second)
               list += (list.empty() ? "" : ", ") + std::string(folder) + "/";
             return list;
           }();
  });
}

std::vector<std::string> relative_includes(const SourceFile& file) {
  return check_includes(file, [](const Include& include) -> std::string {
    if (!include.quoted || arrows().contains(first_folder(include.target))) return {};
    return "\"" + include.target + "\" is not a path from the root of the repository";
  });
}

std::vector<std::string> vendor_headers(const SourceFile& file) {
  if (!is_header(file.path) || file.path.starts_with("kernels/vendor/")) return {};
  return check_includes(file, [](const Include& include) -> std::string {
    if (!is_vendor_header(include.target) && !include.target.starts_with("kernels/vendor/")) return {};
    return "a header includes " + include.target + ", which only .cpp and .cu files may";
  });
}

std::vector<std::string> cuda_headers(const SourceFile& file) {
  if (is_one_of(extension(file.path), {".cu", ".cuh"})) return {};
  return check_includes(file, [](const Include& include) -> std::string {
    if (!include.target.ends_with(".cuh") && (include.quoted || !is_cuda_header(include.target))) return {};
    return "includes " + include.target + ", which only .cu and .cuh files may";
  });
}

std::vector<std::string> missing_licence(const SourceFile& file) {
  std::string_view text = file.text;
  if (text.starts_with("#!")) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::string_view comment = is_cpp(file.path) ? "// " : "# ";
  const std::string line = std::string(comment) + "SPDX-License-Identifier: Apache-2.0";
  if (text == line || text.starts_with(line + "\n")) return {};
  return {at(file, 1, "does not start with \"" + line + "\"")};
}

std::vector<std::string> too_long(const SourceFile& file) {
  int lines = 0;
  for_each_line(file.text, [&](std::string_view, int number) { lines = number; });
  if (lines <= kMaxLines) return {};
  return {at(file, lines, "has " + std::to_string(lines) + " lines, more than " + std::to_string(kMaxLines))};
}

std::vector<std::string> broken_rules(const SourceFile& file) {
  std::vector<std::string> all;
  for (const auto rule : {wrong_arrows, relative_includes, vendor_headers, cuda_headers, missing_licence, too_long}) {
    std::vector<std::string> found = rule(file);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

std::vector<SourceFile> source_files(const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  const auto consider = [&](const fs::path& path) {
    const bool is_source = is_cpp(path.string()) || is_one_of(path.extension().string(), {".py", ".sh", ".cmake"}) ||
                           path.filename() == "CMakeLists.txt";
    if (is_source) paths.push_back(fs::relative(path, root).generic_string());
  };
  consider(fs::path(root) / "CMakeLists.txt");
  std::vector<std::string_view> folders{"cmake"};
  for (const auto& [folder, known] : arrows()) folders.push_back(folder);
  for (std::string_view folder : folders) {
    if (!fs::exists(fs::path(root) / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
      if (entry.is_regular_file()) consider(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<SourceFile> files;
  for (const std::string& path : paths) {
    std::ifstream stream(fs::path(root) / path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    files.push_back({path, text.str()});
  }
  return files;
}

}  // namespace chiasm::test
