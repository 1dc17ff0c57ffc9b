// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "engine/io/state_file.h"
#include "engine/weights.h"
#include "tools/recipe/recipe.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string input;
  std::string recipe;
  std::string map;
  std::string out;
  std::vector<std::string> overrides;
  bool list = false;
  bool dry_run = false;
};

// A file, or the name of one of the maps beside the recipe. Throws InputError naming these when it is neither.
std::string find_map(const std::string& map, const Recipe& recipe) {
  if (fs::exists(map)) return map;
  const fs::path folder = fs::path(recipe.source.root().origin()).parent_path() / "weights";
  const fs::path shipped = folder / (map + ".json");
  if (fs::exists(shipped)) return shipped.string();
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".json") names.push_back(it->path().stem().string());
  }
  std::ranges::sort(names);
  throw InputError(fmt::format("--map: found \"{}\", which is neither a file nor a map in {}; {}", map, folder.string(),
                               names.empty() ? "there are none" : fmt::format("there are {}", fmt::join(names, ", "))));
}

// What the network has before its weights: allocated, with tied backward weights (a file has no others).
Parameters initial_parameters(Recipe& recipe) {
  recipe.network.untied = nullptr;
  Parameters parameters;
  declare_parameters(recipe.network, parameters, {.dtype = recipe.train.dtype});
  parameters.initialise(recipe.train.seed);
  return parameters;
}

void print_lists(const Options& o, const std::map<std::string, Tensor>& state, const Parameters& parameters) {
  std::size_t width = 0;
  for (const auto& [name, tensor] : state) width = std::max(width, name.size());
  for (const Parameter& parameter : parameters.all()) width = std::max(width, parameter.name.size());
  width = std::min<std::size_t>(width, 60);
  fmt::print("{}: {} tensors\n", o.input, state.size());
  for (const auto& [name, tensor] : state) fmt::print("  {:<{}}  {}\n", name, width, to_string(tensor.spec()));
  const std::vector<Parameter> wanted = convertible(parameters);
  fmt::print("{}: {} parameters and statistics\n", o.recipe, wanted.size());
  for (const Parameter& p : wanted) fmt::print("  {:<{}}  {}\n", p.name, width, to_string(p.spec));
}

int convert(const Options& o) {
  Recipe recipe = load_recipe(o.recipe, o.overrides);
  Parameters parameters = initial_parameters(recipe);
  if (o.list) {
    print_lists(o, read_state(o.input), parameters);
    return 0;
  }
  if (o.out.empty() && !o.dry_run) throw InputError("--out is missing: the file for the weights (or use --dry-run)");
  std::map<std::string, std::string> metadata{
      {"recipe", recipe.name}, {"converted_from", fs::path(o.input).filename().string()}, {"chiasm", chiasm_version()}};
  std::size_t used = convertible(parameters).size(), ignored = 0;
  if (o.map.empty()) {
    try {
      load_weights(o.input, parameters);
    } catch (const FileError& error) {
      throw InputError(std::string(error.what()) + " (--map says what becomes of the tensors of another program)");
    }
  } else {
    const std::string map = find_map(o.map, recipe);
    const Conversion done = convert_weights(o.input, read_state(o.input), load_weight_map(map), parameters);
    metadata["weight_map"] = fs::path(map).filename().string();
    used = done.entries.size();
    ignored = done.ignored.size();
    if (o.dry_run) {
      for (const Conversion::Entry& entry : done.entries) fmt::print("{} -> {}\n", entry.source, entry.target);
    }
  }
  if (!o.dry_run) save_weights(o.out, parameters, metadata);
  fmt::print("{}: {} tensors, {} parameters{}{}\n", o.dry_run ? "would fit" : o.out, used, parameters.count(),
             ignored > 0 ? fmt::format(", {} tensors ignored", ignored) : "", o.dry_run ? "; nothing was written" : "");
  return 0;
}

}  // namespace

void add_convert(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("convert", "Bring the weights of another program into a network");
  verb.option("input", o->input, "State as safetensors or NPZ").required();
  verb.option("--recipe", o->recipe, "Recipe of the network: its name, or a JSON file").required();
  verb.option("--map", o->map,
              "Which tensor becomes which parameter (JSON), or the name of a map in the folder weights beside the "
              "recipe; default: names and layouts are chiasm's");
  verb.option("--out", o->out, "Weights to write (safetensors)");
  verb.option("--set", o->overrides, "Override a recipe key: --set train.dtype=float64").repeatable();
  verb.flag("--list", o->list, "Show the tensors of the file and the parameters of the network");
  verb.flag("--dry-run", o->dry_run, "Say what would become of each tensor, and write nothing");
  verb.footer(
      "Examples:\n"
      "  chiasm convert squeezenet.npz --recipe models/recipes/squeezenet_1_0.json --map squeezenet_1_0 --out "
      "squeezenet.safetensors\n"
      "  chiasm convert resnet18.safetensors --recipe models/recipes/resnet18_v1.json --list\n"
      "How maps are written: models/recipes/weights/README.md");
  verb.action([o] { return convert(*o); });
}

}  // namespace chiasm
