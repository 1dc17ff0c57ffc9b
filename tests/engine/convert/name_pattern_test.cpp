// SPDX-License-Identifier: Apache-2.0
#include "engine/convert/name_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

TEST(NamePattern, CapturesBetweenSeparators) {
  const NamePattern pattern("layer{i}.{j}.conv{k}.weight");
  EXPECT_EQ(pattern.match("layer1.10.conv2.weight"), (Captures{{"i", "1"}, {"j", "10"}, {"k", "2"}}));
  EXPECT_FALSE(pattern.match("layer1.10.conv.weight"));     // nothing to capture
  EXPECT_FALSE(pattern.match("layer1.10.conv2.weight.x"));  // more behind
  EXPECT_FALSE(pattern.match("layer1.0.1.conv2.weight"));   // a separator inside
  EXPECT_FALSE(pattern.match(""));
  EXPECT_EQ(NamePattern("{a}").match("a/b"), std::nullopt);
  EXPECT_EQ(NamePattern("a{x}aa").match("aaaaa"), (Captures{{"x", "aa"}}));
  // As few as will do, from the left.
  EXPECT_EQ(NamePattern("{a}_{b}_w").match("x_y_z_w"), (Captures{{"a", "x"}, {"b", "y_z"}}));
}

TEST(NamePattern, StarsAreAnything) {
  EXPECT_TRUE(NamePattern("*.num_batches_tracked").match("a.b/c.num_batches_tracked"));
  EXPECT_TRUE(NamePattern("*").match(""));
  EXPECT_TRUE(NamePattern("fc*").match("fc.weight"));
  EXPECT_FALSE(NamePattern("fc*w").match("fc.weight"));
  EXPECT_EQ(NamePattern("*.{x}").match("a.b.c"), (Captures{{"x", "c"}}));
}

// Backtracking would take longer than the age of the universe.
TEST(NamePattern, TakesBoundedTime) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "*a";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(NamePattern(text + "b").match(std::string(999, 'a')));
  EXPECT_FALSE(NamePattern("*").match(std::string(100'000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(NamePattern, RefusesWhatItCannotMean) {
  for (const char* text : {"a{b", "a}b", "{a{b}}", "{}", "{a}{a}"}) EXPECT_THROW(NamePattern{text}, InputError) << text;
  EXPECT_THROW(NamePattern("a*", false), InputError);
}

TEST(NameTemplate, FillsNumbersAndWords) {
  const NameTables tables{{"norm", {{"weight", "gain"}}}};
  const NamePattern pattern("layer{i}.{j}.{p}");
  const NameTemplate target("conv{i+1}_{j-1}/{p|norm}", pattern, tables);
  EXPECT_EQ(target.fill(*pattern.match("layer1.9.weight"), tables), "conv2_8/gain");
  EXPECT_EQ(target.fill(*pattern.match("layer1.9.bias"), tables), std::nullopt);    // not in the table
  EXPECT_EQ(target.fill(*pattern.match("layerx.9.weight"), tables), std::nullopt);  // not a number
  EXPECT_EQ(target.fill(*pattern.match("layer99999999999999999999.9.weight"), tables), std::nullopt);
  EXPECT_EQ(NameTemplate("{p}{p}x", pattern, tables).fill(*pattern.match("layer1.0.w"), tables), "wwx");
}

TEST(NameTemplate, RefusesWhatWasNotCaptured) {
  const NameTables tables;
  const NamePattern pattern("{i}");
  const auto message = [&](const char* text) {
    return error_of<InputError>([&] { NameTemplate(text, pattern, tables); });
  };
  EXPECT_THAT(message("{k}"), HasSubstr("{k} is not captured"));
  EXPECT_THAT(message("{i|t}"), HasSubstr("no table \"t\""));
  EXPECT_THAT(message("{i+x}"), HasSubstr("+x"));
  EXPECT_THAT(message("{i"), HasSubstr("brace"));
}

}  // namespace
}  // namespace chiasm::test
