// SPDX-License-Identifier: Apache-2.0
// Recipes made from parts, as a user of the command sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kBase = R"({
  "chiasm": 1,
  "data": {"format": "npz", "path": "$$none.npz", "train": {}, "test": {}},
  "define": {"width": 4, "cell": null},
  "model": {
    "image": [8, 8, 1], "steps": 6,
    "templates": {"block": {"with": {"channels": "$width"},
                            "pre": [{"op": "conv", "channels": "$channels"}, "elu"], "cell": "$cell"}},
    "layers": [{"name": "conv1", "template": "block", "with": {"channels": 3}},
               {"name": "conv2", "template": "block"},
               {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 5}]}]},
  "train": {"batch": 8, "epochs": 1, "optimizer": {"type": "sgd"}, "learning_rate": 0.1}
})";
constexpr const char* kNet =
    R"({"extends": "base/base.json", "name": "tiny_decay", "define": {"cell": {"type": "time_decay"}}})";

// Kernels and biases of the convolutions and of the readout, and of each cell one number.
int parameters(int first, int second, bool cells) {
  return (9 * 1 * first + first) + (9 * first * second + second) + (64 * second * 5 + 5) + (cells ? 2 : 0);
}

class RecipeLanguage : public testing::Test {
 protected:
  RecipeLanguage() {
    folder.write("base/base.json", bytes_of(kBase));
    net = folder.write("tiny_decay.json", bytes_of(kNet));
  }
  static ProcessResult chiasm(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), chiasm_command());
    return run_process(arguments);
  }
  // With the folder of this test before the others that hold recipes.
  ProcessResult chiasm_here(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"/usr/bin/env", "CHIASM_RECIPES=/nonexistent::" + folder.path(), chiasm_command()});
    return run_process(arguments);
  }
  static json described(const ProcessResult& result) {
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out);
  }

  TempFolder folder;
  std::string net;
};

TEST_F(RecipeLanguage, DescribesARecipeMadeFromParts) {
  EXPECT_EQ(described(chiasm({"describe", net, "--json"})).at("parameters"), parameters(3, 4, true));
  EXPECT_EQ(described(chiasm({"describe", net, "--json", "--set", "define.cell=null", "--set", "define.width=6"}))
                .at("parameters"),
            parameters(3, 6, false));
  EXPECT_EQ(described(chiasm({"describe", net, "--json", "--set", "model.templates.block.with.channels=7", "--set",
                              "model.layers[0].pre[0].channels=2"}))
                .at("parameters"),
            parameters(2, 7, true));
}

TEST_F(RecipeLanguage, ExpandedIsPlainAndReadsBackAsItself) {
  const ProcessResult expanded = chiasm({"describe", net, "--expanded", "--set", "train.batch=3"});
  const json plain = described(expanded);
  for (const char* key : {"extends", "define"}) EXPECT_FALSE(plain.contains(key)) << key;
  EXPECT_FALSE(plain.at("model").contains("templates"));
  EXPECT_EQ(plain.at("model").at("layers")[1],
            json::parse(
                R"({"name": "conv2", "pre": [{"op": "conv", "channels": 4}, "elu"], "cell": {"type": "time_decay"}})"));
  EXPECT_EQ(plain.at("train").at("batch"), 3);
  EXPECT_EQ(plain.at("data").at("path"), "$$none.npz");
  const std::string again = folder.write("again.json", bytes_of(expanded.out));
  EXPECT_EQ(chiasm({"describe", again, "--expanded"}).out, expanded.out);
  EXPECT_EQ(chiasm({"describe", again}).out, chiasm({"describe", net}).out);
}

TEST_F(RecipeLanguage, ErrorsNameTheFileAndTheField) {
  const std::string base = folder / "base/base.json";
  const auto refused = [&](const std::string& assignment, const testing::Matcher<std::string>& message) {
    const ProcessResult result = chiasm({"describe", net, "--set", assignment});
    EXPECT_EQ(result.status, 2) << assignment;
    EXPECT_THAT(result.err, message);
    EXPECT_EQ(result.out, "");
  };
  refused("define.celll=1", HasSubstr("--set define.celll: define.celll: this definition is never used"));
  refused("define.width=$cel", AllOf(HasSubstr("no such name is defined"), HasSubstr("did you mean \"$cell\"?")));
  refused("define.cell=$cell", HasSubstr("uses itself"));
  refused("define.width=x", HasSubstr("--set define.width: model.layers[1].pre[0].channels: found \"x\""));
  refused("model.layers[1].template=block", HasSubstr("unknown key"));
  folder.write("base/base.json",
               bytes_of(std::string(kBase).replace(std::string(kBase).find("\"batch\": 8"), 10, "\"batch\": 0")));
  EXPECT_THAT(chiasm({"describe", net}).err, StartsWith("chiasm: " + base + ": train.batch: found 0"));
  folder.write("tiny_decay.json", bytes_of(R"({"extends": "base/bas.json"})"));
  const ProcessResult missing = chiasm({"describe", net});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("there is no file " + folder / "base/bas.json"));
}

TEST_F(RecipeLanguage, FindsRecipesByName) {
  EXPECT_EQ(chiasm_here({"describe", "tiny_decay"}).out, chiasm({"describe", net}).out);
  // Those of the source tree, and a folder before it that has one of the same name.
  const json shipped = described(chiasm({"describe", "rgc_shallow", "--json"}));
  EXPECT_EQ(shipped.at("parameters"), 23956840);
  folder.write("rgc_shallow.json", bytes_of(kNet));
  EXPECT_EQ(described(chiasm_here({"describe", "rgc_shallow", "--json"})).at("name"), "tiny_decay");
  // Every verb that takes a recipe.
  EXPECT_EQ(chiasm_here({"plan", "tiny_decay", "--batch", "2"}).status, 0);
  EXPECT_THAT(chiasm_here({"train", "tiny_decay", "--dry-run"}).err, HasSubstr("$none.npz"));
  const ProcessResult unknown = chiasm_here({"train", "tiny_decoy", "--dry-run"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("no recipe \"tiny_decoy\"; similar: tiny_decay"), HasSubstr(folder.path())));
  // What looks like a file is one.
  EXPECT_THAT(chiasm_here({"describe", "tiny_decay.json"}).err, HasSubstr("tiny_decay.json: cannot be opened"));
  EXPECT_THAT(chiasm_here({"describe", "./tiny_decay"}).err, HasSubstr("./tiny_decay: cannot be opened"));
}

// The program beside share/chiasm/recipes, in any folder, prefers those to the source tree's.
TEST_F(RecipeLanguage, InstalledRecipesAreFound) {
  std::filesystem::create_directories(folder / "bin");
  std::filesystem::copy_file(chiasm_command(), folder / "bin/chiasm");
  folder.write("share/chiasm/recipes/base/base.json", bytes_of(kBase));
  folder.write("share/chiasm/recipes/rgc_shallow.json", bytes_of(kNet));
  const ProcessResult result = run_process({folder / "bin/chiasm", "describe", "rgc_shallow", "--json"});
  EXPECT_EQ(described(result).at("name"), "tiny_decay");
}

TEST_F(RecipeLanguage, ListsRecipes) {
  folder.write("broken.json", bytes_of(R"({"chiasm": 1, "name": 3})"));
  folder.write("notes.txt", bytes_of("not a recipe"));
  const ProcessResult listed = chiasm_here({"recipes", "--json"});
  const json rows = described(listed);
  const auto row = [&](const std::string& name) {
    for (const json& row : rows) {
      if (row.at("name") == name) return row;
    }
    return json();
  };
  EXPECT_EQ(row("tiny_decay").at("parameters"), parameters(3, 4, true));
  EXPECT_EQ(row("tiny_decay").at("steps"), 6);
  EXPECT_EQ(row("tiny_decay").at("path"), net);
  EXPECT_EQ(row("rgc_median").at("parameters"), 15445800);
  EXPECT_EQ(row("rgc_median").at("units"), 2421992);
  EXPECT_THAT(row("broken").at("error").get<std::string>(), HasSubstr("broken.json: name: found 3"));
  // Files that others extend are no recipes.
  for (const char* part : {"base", "imagenet", "notes"}) EXPECT_TRUE(row(part).is_null()) << part;
  for (const json& each : rows) EXPECT_TRUE(each.at("name") == "broken" || !each.contains("error")) << each;

  const ProcessResult table = chiasm_here({"recipes"});
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("rgc_median "), HasSubstr(" 15445800 "), HasSubstr("broken"),
                               HasSubstr("cannot be read: " + folder / "broken.json")));
  EXPECT_THAT(chiasm_here({"recipes", "--names"}).out,
              AllOf(HasSubstr("\nrgc_shallow\n"), HasSubstr("\ntiny_decay\n")));
}

}  // namespace
}  // namespace chiasm::test
