// SPDX-License-Identifier: Apache-2.0
// A small task for tests of the command from the outside: images, a recipe for them, and the verbs run on both.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/quadrants_recipe.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {

// An IDX file: magic, sizes, bytes.
inline std::string idx(std::initializer_list<std::uint32_t> sizes, const std::string& bytes) {
  std::string file{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
  for (std::uint32_t size : sizes) {
    for (int shift : {24, 16, 8, 0}) file += static_cast<char>(size >> shift & 0xff);
  }
  return file + bytes;
}

// A run folder's worth of small data: 8 x 8 images whose class is the quadrant that is bright.
class QuadrantsTest : public testing::Test {
 protected:
  static constexpr int kSamples = 96;

  QuadrantsTest() {
    std::mt19937 random(5);
    std::string images, labels;
    for (int i = 0; i < kSamples; ++i) {
      const int label = static_cast<int>(random() % 4);
      labels += static_cast<char>(label);
      for (int p = 0; p < 64; ++p) {
        const bool inside = (p / 8 >= 4) == (label / 2 == 1) && (p % 8 >= 4) == (label % 2 == 1);
        images += static_cast<char>(random() % 100 + (inside ? 120 : 0));
      }
    }
    write_text(folder / "images", idx({kSamples, 8, 8}, images));
    write_text(folder / "labels", idx({kSamples}, labels));
    write_text(recipe, recipe_text());
  }

  std::string recipe_text() const { return quadrants_recipe(folder / "images", folder / "labels"); }

  ProcessResult chiasm(std::vector<std::string> arguments, const ProcessOptions& options = {}) const {
    arguments.insert(arguments.begin(), chiasm_command());
    return run_process(arguments, options);
  }
  ProcessResult train(const std::string& out, std::vector<std::string> more = {},
                      const ProcessOptions& options = {}) const {
    std::vector<std::string> arguments{"train", recipe, "--out", folder / out, "--threads", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return chiasm(arguments, options);
  }
  std::string snapshot(const std::string& out, int step = 48) const {
    return read_text(folder / (out + "/snapshots/step-" + std::to_string(step) + ".safetensors"));
  }

  TempFolder folder;
  std::string recipe = folder / "recipe.json";
};

}  // namespace chiasm::test
