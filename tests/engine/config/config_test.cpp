// SPDX-License-Identifier: Apache-2.0
#include "engine/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <random>

#include "engine/config/spelling.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using ::testing::ElementsAre;

constexpr const char* kRecipe = R"({
  // what is trained
  "name": "first \"light\" \u00e9",
  "seed": 7,
  "model": {
    "layers": [
      {"name": "v1", "kernel": 7, "cell": "rgc", "bias": true},
      {"name": "v2", "kernel": 3, "cell": "none", "bias": false}
    ],
    "feedback": [["v2", "v1"]],
    "dt_ms": 10.0
  },
  /* how */
  "training": {"learning_rate": 1e-2, "betas": [0.9, 0.999], "crop": [28, 28], "note": null}
})";

std::string message_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

std::string parse_message(const std::string& text) {
  return message_of([&] { Config::parse(text, "r.json"); });
}

Config parsed(const std::string& text) { return Config::parse(text, "r.json"); }

// Reads everything that kRecipe may hold.
void read_strictly(const Config& config) {
  const ConfigNode root = config.root();
  root.text("name");
  root.integer("seed", {.min = 0});
  const ConfigNode model = root.object("model");
  for (const ConfigNode& layer : model.objects("layers", {.min = 1, .max = 9})) {
    layer.text("name");
    layer.integer("kernel", {.min = 1, .max = 31});
    layer.choice("cell", {"rgc", "time_decay", "none"});
    layer.boolean_or("bias", true);
  }
  for (const ConfigNode& pair : model.list("feedback")) {
    for (const ConfigNode& end : pair.as_list({.min = 2, .max = 2})) end.as_text();
  }
  model.real("dt_ms", RealRange::positive());
  const ConfigNode training = root.object("training");
  training.real("learning_rate", RealRange::positive());
  training.reals("betas", {.min = 0, .max = 1, .open_max = true}, {.min = 2, .max = 2});
  training.integers_or("crop", {}, {.min = 1});
  training.find("note");
  config.finish();
}

TEST(Config, ReadsEveryType) {
  const Config config = parsed(kRecipe);
  const ConfigNode root = config.root();
  EXPECT_EQ(root.text("name"), "first \"light\" \xC3\xA9");
  EXPECT_EQ(root.integer("seed"), 7);
  EXPECT_EQ(root.real("seed"), 7.0);  // an integer is a real number
  const auto layers = root.object("model").objects("layers");
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[1].path(), "model.layers[1]");
  EXPECT_EQ(layers[1].at("kernel").path(), "model.layers[1].kernel");
  EXPECT_EQ(layers[1].origin(), "r.json");
  EXPECT_FALSE(layers[1].boolean("bias"));
  EXPECT_EQ(layers[1].choice("cell", {"rgc", "none"}), "none");
  EXPECT_THAT(layers[0].keys(), ElementsAre("name", "kernel", "cell", "bias"));
  const ConfigNode training = root.object("training");
  EXPECT_THAT(training.reals("betas"), ElementsAre(0.9, 0.999));
  EXPECT_THAT(training.integers("crop"), ElementsAre(28, 28));
  EXPECT_TRUE(training.at("note").is_null());
  EXPECT_TRUE(training.at("betas").is_list());
  EXPECT_TRUE(training.at("learning_rate").is_number());
  EXPECT_FALSE(training.at("learning_rate").is_integer());
  EXPECT_NO_THROW(read_strictly(parsed(kRecipe)));
}

TEST(Config, DefaultsStandInForAbsentKeysOnly) {
  const Config config = parsed(R"({"a": 1, "n": null})");
  const ConfigNode root = config.root();
  EXPECT_EQ(root.integer_or("a", 5), 1);
  EXPECT_EQ(root.integer_or("b", 5), 5);
  EXPECT_EQ(root.real_or("b", 0.5), 0.5);
  EXPECT_EQ(root.text_or("b", "x"), "x");
  EXPECT_TRUE(root.boolean_or("b", true));
  EXPECT_EQ(root.choice_or("b", "p", {"p", "q"}), "p");
  EXPECT_THAT(root.reals_or("b", {1.5}), ElementsAre(1.5));
  EXPECT_THAT(root.texts_or("b", {"t"}), ElementsAre("t"));
  EXPECT_TRUE(root.objects_or_none("b").empty());
  EXPECT_THROW(root.integer_or("n", 5), InputError);
}

TEST(Config, ErrorsNameFilePathFoundAndAllowed) {
  const Config config = parsed(
      R"({"m": {"l": [1, {"kernel": "abc", "rate": 0, "cell": "rcg", "pair": [1], "on": 1, "big": 18446744073709551615}]}})");
  const ConfigNode layer = config.root().object("m").list("l")[1];
  const auto message = [&](auto read) { return message_of([&] { read(layer); }); };
  EXPECT_EQ(message([](auto& n) { n.integer("kernel", {.min = 1, .max = 31}); }),
            "r.json: m.l[1].kernel: found \"abc\" (a text), allowed: an integer from 1 to 31");
  EXPECT_EQ(message([](auto& n) { n.real("rate", RealRange::positive()); }),
            "r.json: m.l[1].rate: found 0 (an integer), allowed: a number greater than 0");
  EXPECT_EQ(message([](auto& n) {
              n.choice("cell", {"rgc", "none"});
            }),
            "r.json: m.l[1].cell: found \"rcg\" (a text), allowed: \"rgc\", \"none\"; did you mean \"rgc\"?");
  EXPECT_EQ(message([](auto& n) { n.integers("pair", {}, {.min = 2, .max = 2}); }),
            "r.json: m.l[1].pair: found 1 items, allowed: a list of 2 items");
  EXPECT_EQ(message([](auto& n) { n.texts("pair"); }),
            "r.json: m.l[1].pair[0]: found 1 (an integer), allowed: a text in quotes");
  EXPECT_EQ(message([](auto& n) { n.boolean("on"); }),
            "r.json: m.l[1].on: found 1 (an integer), allowed: true or false");
  EXPECT_EQ(message([](auto& n) { n.object("on"); }),
            "r.json: m.l[1].on: found 1 (an integer), allowed: an object, { ... }");
  EXPECT_EQ(message([](auto& n) { n.text("nonesuch"); }), "r.json: m.l[1].nonesuch: this key is required and missing");
  EXPECT_THAT(message([](auto& n) { n.integer("big"); }), ::testing::HasSubstr("(a real number), allowed: an integer"));
  EXPECT_EQ(message([](auto& n) { n.at("on").text("x"); }),
            "r.json: m.l[1].on: found 1 (an integer), allowed: an object, { ... }");
}

TEST(Config, RangesHonourOpenEnds) {
  const Config config = parsed(R"({"zero": 0, "one": 1.0})");
  const ConfigNode root = config.root();
  EXPECT_NO_THROW(root.real("one", RealRange::between(0, 1)));
  EXPECT_NO_THROW(root.real("zero", RealRange::at_least(0)));
  EXPECT_THROW(root.real("one", {.min = 0, .max = 1, .open_max = true}), InputError);
  EXPECT_THROW(root.real("zero", {.min = 0, .max = 1, .open_min = true}), InputError);
  EXPECT_THROW(root.integer("one"), InputError);  // 1.0 is a real number
}

TEST(Config, FinishFindsUnknownKeysAtAnyDepth) {
  const Config config = parsed(R"({"a": {"kernal": 3, "stride": 1}, "free": {"x": {"y": 1}}, "named": {"v1": 2}})");
  const ConfigNode a = config.root().object("a");
  a.integer("stride");
  EXPECT_EQ(message_of([&] { a.integer("kernel"); }),
            "r.json: a.kernel: this key is required and missing; is \"kernal\" a misspelling of it?");
  EXPECT_EQ(message_of([&] { a.finish(); }),
            "r.json: a.kernal: unknown key, allowed here: \"kernel\", \"stride\"; did you mean \"kernel\"?");
  config.root().object("free").accept_all();
  config.root().object("named").keys();
  EXPECT_THAT(message_of([&] { config.finish(); }), ::testing::StartsWith("r.json: a.kernal: unknown key"));
  a.has("kernal");
  EXPECT_EQ(message_of([&] { config.finish(); }), "(no error)");
  EXPECT_EQ(message_of([] { parsed("{\"x\": 1}").finish(); }), "r.json: x: unknown key, allowed here: no key here");
}

TEST(Config, SyntaxErrorsGiveLineAndColumn) {
  EXPECT_THAT(parse_message("{\n  \"a\": 1,\n  b: 2}"),
              ::testing::StartsWith("r.json: line 3, column 3: not valid JSON: "));
  EXPECT_THAT(parse_message("{\"a\": 1"), ::testing::StartsWith("r.json: line 1, column 7: not valid JSON: "));
  EXPECT_THAT(parse_message(""), ::testing::HasSubstr("line 1, column 1"));
  EXPECT_THAT(parse_message("{\"a\": 1} x"), ::testing::HasSubstr("line 1, column 10"));
  EXPECT_THAT(parse_message("{\"a\": 1e999}"),
              ::testing::HasSubstr("line 1, column 11: not valid JSON: number overflow"));
  EXPECT_THAT(parse_message("{\"a\": \"\xFF\"}"), ::testing::HasSubstr("invalid"));
  EXPECT_EQ(parse_message("[1]"), "r.json: allowed at the top: an object, { ... }");
}

TEST(Config, RefusesDuplicatesDepthAndSize) {
  EXPECT_EQ(parse_message(R"({"m": [{"k": 1}, {"k": 1, "k": 2}]})"), "r.json: m[1].k: this key is given twice");
  const auto nested = [](int depth) { return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}"; };
  EXPECT_EQ(parse_message(nested(Config::kMaxDepth - 1)), "(no error)");
  EXPECT_THAT(parse_message(nested(Config::kMaxDepth)), ::testing::HasSubstr("nested deeper than 64"));
  EXPECT_THAT(parse_message(std::string(1'000'000, '[')), ::testing::HasSubstr("nested deeper than 64"));
  EXPECT_THAT(parse_message(std::string(Config::kMaxBytes + 1, ' ')), ::testing::HasSubstr("limit of 4 MiB"));
}

TEST(Config, LoadsFilesAndNamesThemInErrors) {
  const std::string folder = ::testing::TempDir();
  const std::string path = folder + "/config_test.json";
  std::ofstream(path) << kRecipe;
  EXPECT_NO_THROW(read_strictly(Config::load(path)));
  std::ofstream(path) << "{";
  EXPECT_THAT(message_of([&] { Config::load(path); }), ::testing::StartsWith(path + ": line 1, column 1: "));
  EXPECT_THAT(message_of([&] { Config::load(folder); }), ::testing::HasSubstr("is a folder"));
  EXPECT_THAT(message_of([&] { Config::load(path + ".no"); }), ::testing::HasSubstr("cannot be opened"));
  std::remove(path.c_str());
}

TEST(Config, SaysThatAFileIsUtf16) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"\xFF\xFE{\0}\0"sv, "\xFE\xFF\0{\0}"sv}) {
    EXPECT_THAT([&] { Config::parse(text, "recipe.json"); },
                testing::ThrowsMessage<FileError>(testing::AllOf(testing::HasSubstr("recipe.json"),
                                                                 testing::HasSubstr("UTF-16"),
                                                                 testing::HasSubstr("save it again as UTF-8"))));
  }
}

TEST(Config, SetOverridesAndCreates) {
  Config config = parsed(kRecipe);
  config.assign("seed=11");
  config.assign("name=a=b");
  config.set("model.layers[1].kernel", "5");
  config.set("training.schedule.kind", "cosine");
  config.set("training.betas", "[0.5, 0.6]");
  config.set("training.learning_rate", "\"fast\"");
  const ConfigNode root = config.root();
  EXPECT_EQ(root.integer("seed"), 11);
  EXPECT_EQ(root.text("name"), "a=b");
  EXPECT_EQ(root.object("model").list("layers")[1].integer("kernel"), 5);
  EXPECT_EQ(root.object("training").object("schedule").text("kind"), "cosine");
  EXPECT_THAT(root.object("training").reals("betas"), ElementsAre(0.5, 0.6));
  EXPECT_EQ(message_of([&] { root.object("training").real("learning_rate"); }),
            "--set training.learning_rate: training.learning_rate: found \"fast\" (a text), allowed: a number");
}

TEST(Config, SetRefusesBadPaths) {
  Config config = parsed(kRecipe);
  const auto message = [&](const char* assignment) { return message_of([&] { config.assign(assignment); }); };
  const std::string before = config.dump();
  EXPECT_THAT(message("seed"), ::testing::HasSubstr("allowed: path=value"));
  EXPECT_THAT(message("=1"), ::testing::HasSubstr("allowed: path=value"));
  EXPECT_THAT(message("a..b=1"), ::testing::HasSubstr("an empty name"));
  EXPECT_THAT(message("a.=1"), ::testing::HasSubstr("an empty name"));
  EXPECT_THAT(message("model.layers[2].kernel=1"), ::testing::HasSubstr("which has 2"));
  EXPECT_THAT(message("model.layers[x]=1"), ::testing::HasSubstr("found the index [x]"));
  EXPECT_THAT(message("model.layers[-1]=1"), ::testing::HasSubstr("found the index [-1]"));
  EXPECT_THAT(message("model.layers[1=1"), ::testing::HasSubstr("[ without ]"));
  EXPECT_THAT(message("model.layers[1]x=1"), ::testing::HasSubstr("text after ]"));
  EXPECT_THAT(message("seed.x=1"), ::testing::HasSubstr("not an object"));
  EXPECT_THAT(message("new.list[0]=1"), ::testing::HasSubstr("there is no \"new\" here"));
  EXPECT_THAT(message("seed[0]=1"), ::testing::HasSubstr("not a list"));
  EXPECT_THAT(message("seed={\"a\":1,\"a\":2}"), ::testing::HasSubstr("given twice"));
  EXPECT_EQ(config.dump(), before);
}

TEST(Config, ProgramsFillInValuesAndDumpReadsBack) {
  Config config = parsed(kRecipe);
  config.set_integer("training.epochs", 3);
  config.set_real("training.decay", 0.1);
  config.set_boolean("training.shuffle", true);
  config.set_text("training.device", "cpu");
  EXPECT_THROW(config.set_real("training.decay", std::numeric_limits<double>::infinity()), InputError);
  for (const int indent : {-1, 2}) {
    const Config again = Config::parse(config.dump(indent), "dump");
    EXPECT_EQ(again.dump(), config.dump());
    const ConfigNode training = again.root().object("training");
    EXPECT_EQ(training.integer("epochs"), 3);
    EXPECT_EQ(training.real("decay"), 0.1);
    EXPECT_TRUE(training.boolean("shuffle"));
    EXPECT_EQ(training.text("device"), "cpu");
    EXPECT_FALSE(again.root().object("model").at("dt_ms").is_integer());  // 10.0 stays a real number
  }
}

TEST(Config, ClonesAreIndependentAndUnread) {
  Config config = parsed(R"({"a": {"b": 1}})");
  config.root().object("a").integer("b");
  Config copy = config.clone();
  copy.set_integer("a.b", 2);
  EXPECT_EQ(config.root().object("a").integer("b"), 1);
  EXPECT_NO_THROW(config.finish());
  EXPECT_THROW(copy.finish(), InputError);
}

// Every damaged recipe is read or refused with an InputError; nothing else may happen. Run under the sanitizers.
TEST(Config, SurvivesDamagedRecipes) {
  const std::string valid = kRecipe;
  const std::string alphabet = "{}[]\",:0123456789.eE+-truefalsn\\u/* \n\xC3\xFF";
  std::mt19937 random(20240607);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int read = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = valid;
    for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      switch (below(5)) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text[at] = alphabet[below(alphabet.size())];
          break;
        case 2:
          text.erase(at, 1 + below(8));
          break;
        case 3:
          text.insert(at, 1, alphabet[below(alphabet.size())]);
          break;
        case 4:
          text.insert(at, text.substr(below(text.size()), below(40)));
          break;
      }
      if (text.empty()) text.push_back('{');
    }
    try {
      const Config config = Config::parse(text, "damaged");
      read_strictly(config);
      EXPECT_EQ(Config::parse(config.dump(), "again").dump(), config.dump());
      ++read;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(":"));
      ++refused;
    }
  }
  EXPECT_GT(read, 200);  // both happen, so both are tried
  EXPECT_GT(refused, 10000);
}

TEST(Spelling, FindsWhatATypistMeant) {
  EXPECT_EQ(edit_distance("kernel", "kernel"), 0u);
  EXPECT_EQ(edit_distance("kernal", "kernel"), 1u);
  EXPECT_EQ(edit_distance("kenrel", "kernel"), 1u);  // a swap is one edit
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  const std::vector<std::string> names = {"learning_rate", "momentum", "lr"};
  EXPECT_EQ(nearest_name("learning-rate", names), "learning_rate");
  EXPECT_EQ(nearest_name("LearningRate", names), "learning_rate");
  EXPECT_EQ(nearest_name("momentun", names), "momentum");
  EXPECT_EQ(nearest_name("epochs", names), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(100000, 'x'), names), std::nullopt);
}

}  // namespace
}  // namespace chiasm
