// SPDX-License-Identifier: Apache-2.0
#include "tools/recipe/library.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "engine/config/spelling.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".json";

bool is_similar(const std::string& name, const std::string& wanted) {
  return name.find(wanted) != name.npos || wanted.find(name) != wanted.npos ||
         edit_distance(name, wanted) <= wanted.size() / 2;
}

}  // namespace

std::vector<std::string> recipe_folders() {
  std::vector<fs::path> candidates;
  if (const char* listed = std::getenv("CHIASM_RECIPES")) {
    std::istringstream folders(listed);
    for (std::string folder; std::getline(folders, folder, ':');) {
      if (!folder.empty()) candidates.emplace_back(folder);
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) candidates.push_back((program.parent_path() / CHIASM_INSTALLED_RECIPES).lexically_normal());
  candidates.emplace_back(CHIASM_SOURCE_RECIPES);

  std::vector<std::string> folders;
  for (const fs::path& folder : candidates) {
    if (fs::is_directory(folder, error)) folders.push_back(folder.string());
  }
  return folders;
}

std::vector<NamedRecipe> named_recipes() {
  std::map<std::string, std::string> paths;
  for (const std::string& folder : recipe_folders()) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const fs::path& path = entry.path();
      // The first folder wins.
      if (path.extension() == kEnding && entry.is_regular_file(error))
        paths.emplace(path.stem().string(), path.string());
    }
  }
  std::vector<NamedRecipe> recipes;
  for (const auto& [name, path] : paths) recipes.push_back({name, path});
  return recipes;
}

std::string find_recipe(const std::string& file_or_name) {
  std::error_code error;
  const fs::file_status status = fs::status(file_or_name, error);
  const bool is_file = fs::exists(status) && !fs::is_directory(status);
  if (is_file || file_or_name.find('/') != file_or_name.npos || file_or_name.find(kEnding) != file_or_name.npos) {
    return file_or_name;
  }
  const std::vector<NamedRecipe> recipes = named_recipes();
  std::vector<std::string> similar;
  for (const NamedRecipe& recipe : recipes) {
    if (recipe.name == file_or_name) return recipe.path;
    if (is_similar(recipe.name, file_or_name)) similar.push_back(recipe.name);
  }
  std::stable_sort(similar.begin(), similar.end(), [&](const std::string& a, const std::string& b) {
    return edit_distance(a, file_or_name) < edit_distance(b, file_or_name);
  });
  constexpr std::size_t kShown = 6;
  if (similar.size() > kShown) similar.resize(kShown);
  throw InputError(
      fmt::format("there is no file and no recipe \"{:.100}\"{} (chiasm recipes lists all {} of them, from {})",
                  file_or_name, similar.empty() ? "" : fmt::format("; similar: {}", fmt::join(similar, ", ")),
                  recipes.size(), fmt::join(recipe_folders(), ", ")));
}

}  // namespace chiasm
