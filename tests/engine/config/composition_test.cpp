// SPDX-License-Identifier: Apache-2.0
#include "engine/config/composition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const TemplateKeys kKeys{.object = "model", .templates = "templates", .users = "layers"};

class Composition : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    return folder.write(name, bytes_of(text));
  }
  // The composed document on one line.
  std::string loaded(const std::string& name, const std::vector<std::string>& overrides = {}) const {
    return load_composed(folder / name, kKeys, overrides).dump(-1);
  }
  std::string message(const std::string& name, const std::vector<std::string>& overrides = {}) const {
    return error_of<FileError>([&] { load_composed(folder / name, kKeys, overrides); });
  }
  static std::string composed(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return compose(Config::parse(text, "r.json"), kKeys, overrides).dump(-1);
  }
  static std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return error_of<FileError>([&] { composed(text, overrides); });
  }

  TempFolder folder;
};

TEST_F(Composition, LaysOneFileOverAnother) {
  write("base/net.json",
        R"({"name": "base", "model": {"steps": 16, "layers": [1, 2], "blank": 0.5}, "train": {"batch": 64}})");
  write("net.json", R"({"extends": "base/net.json", "name": "net",
                        "model": {"blank": null, "layers": [3]}, "train": {"batch": {"size": 8}}})");
  EXPECT_EQ(loaded("net.json"), R"({"name":"net","model":{"layers":[3],"steps":16},"train":{"batch":{"size":8}}})");
  // Three files, and a path that goes back up.
  write("variants/long.json", R"({"extends": "../net.json", "model": {"steps": 26, "note": {"a": 1}}})");
  EXPECT_EQ(loaded("variants/long.json"),
            R"({"model":{"steps":26,"note":{"a":1},"layers":[3]},"name":"net","train":{"batch":{"size":8}}})");
}

TEST_F(Composition, ValuesKeepTheFileTheyAreWrittenIn) {
  const std::string base = write("base.json", R"({"train": {"batch": "many", "rate": 1}, "model": {"steps": [1, 2]}})");
  const std::string net = write("net.json", R"({"extends": "base.json", "train": {"rate": "fast"}})");
  const Config config = load_composed(net, kKeys);
  const ConfigNode train = config.root().object("train");
  EXPECT_EQ(train.at("batch").origin(), base);
  EXPECT_EQ(train.at("rate").origin(), net);
  EXPECT_THAT(error_of<FileError>([&] { train.integer("batch"); }), StartsWith(base + ": train.batch: found \"many\""));
  EXPECT_EQ(config.root().object("model").list("steps")[1].origin(), base);
  const Config set = load_composed(net, kKeys, {"train.batch=x"});
  EXPECT_EQ(set.root().object("train").at("batch").origin(), "--set train.batch");
}

TEST_F(Composition, RefusesBadBases) {
  const std::string path = write("a.json", R"({"extends": "missing/b.json"})");
  EXPECT_THAT(message("a.json"), AllOf(StartsWith(path + ": extends: found \"missing/b.json\""),
                                       HasSubstr("there is no file " + folder / "missing/b.json")));
  write("a.json", R"({"extends": ["b.json"]})");
  EXPECT_THAT(message("a.json"), HasSubstr("extends: found [\"b.json\"] (a list), allowed: the path of a file"));
  write("a.json", R"({"extends": "."})");
  EXPECT_THAT(message("a.json"), HasSubstr("is a folder"));
  write("a.json", R"({"extends": "b.json"})");
  const std::string broken = write("b.json", R"({"x": })");
  EXPECT_THAT(message("a.json"), StartsWith(broken + ": line 1"));
  write("b.json", R"({"extends": "c/../a.json"})");
  EXPECT_THAT(message("a.json"), AllOf(StartsWith(folder / "b.json" + ": extends: a file extends itself: "),
                                       HasSubstr(folder / "a.json" + " -> " + folder / "b.json" + " -> ")));
  for (int i = 0; i <= kMaxExtends; ++i) {
    write("f" + std::to_string(i) + ".json", R"({"extends": "f)" + std::to_string(i + 1) + R"(.json"})");
  }
  write("f" + std::to_string(kMaxExtends + 1) + ".json", "{}");
  EXPECT_EQ(loaded("f1.json"), "{}");
  EXPECT_THAT(message("f0.json"), HasSubstr("f8.json: extends: more than 8 files"));
}

TEST_F(Composition, NullMustRemoveSomething) {
  write("base.json", R"({"model": {"connections": [1], "decoder": "all"}})");
  const std::string path = write("net.json", R"({"extends": "base.json", "model": {"conections": null}})");
  EXPECT_THAT(message("net.json"), AllOf(StartsWith(path + ": model.conections: null removes a member"),
                                         HasSubstr("did you mean \"connections\"?")));
  write("net.json", R"({"extends": "base.json", "model": {"new": {"deeper": null}}})");
  EXPECT_THAT(message("net.json"), HasSubstr("model.new.deeper: null removes"));
  // Where nothing is extended, and in lists, a null is what it is.
  EXPECT_EQ(composed(R"({"a": null, "b": [null, {"c": null}]})"), R"({"a":null,"b":[null,{"c":null}]})");
}

TEST_F(Composition, ReplacesNames) {
  EXPECT_EQ(composed(R"({"define": {"width": 64, "cell": {"type": "gru", "channels": "$width"}, "none": null},
                         "a": "$width", "b": ["$width", ["$cell"]], "c": {"cell": "$cell", "post": "$none"}})"),
            R"({"a":64,"b":[64,[{"type":"gru","channels":64}]],"c":{"cell":{"type":"gru","channels":64}}})");
  // A dollar sign elsewhere in a text means nothing, and two at its start are one.
  EXPECT_EQ(composed(R"({"a": "1$", "b": "x$y", "c": "$$x", "d": ["...$$x", "$$$x", "...", "..x"]})"),
            R"({"a":"1$","b":"x$y","c":"$x","d":["...$x","$$x","...","..x"]})");
}

TEST_F(Composition, SplicesLists) {
  EXPECT_EQ(
      composed(R"({"define": {"norm": [{"op": "n"}], "two": ["...$norm", "elu", "...$norm"], "empty": [], "none": null},
                         "pre": ["conv", "...$two", "...$empty", "...$none", "end", "$norm"]})"),
      R"({"pre":["conv",{"op":"n"},"elu",{"op":"n"},"end",[{"op":"n"}]]})");
  EXPECT_THAT(refusal(R"({"define": {"x": {"a": 1}}, "b": [0, "...$x"]})"),
              HasSubstr("r.json: b[1]: \"...$x\" (a text) is an object, allowed: a list"));
  EXPECT_THAT(refusal(R"({"define": {"x": [1]}, "b": {"c": "...$x"}})"),
              AllOf(HasSubstr("b.c: found \"...$x\""), HasSubstr("allowed here: one value, such as \"$x\"")));
  EXPECT_THAT(refusal(R"({"define": {"x": null}, "b": ["$x"]})"),
              AllOf(HasSubstr("b[0]: \"$x\" (a text) is null"), HasSubstr("\"...$x\" adds")));
}

TEST_F(Composition, RefusesUnknownAndUnusedNames) {
  EXPECT_THAT(refusal(R"({"define": {"cell": 1, "width": 2}, "a": [{"b": "$cel"}], "c": ["$cell", "$width"]})"),
              AllOf(StartsWith("r.json: a[0].b: found \"$cel\" (a text), and no such name is defined"),
                    HasSubstr("allowed: \"cell\", \"width\"; did you mean \"$cell\"?")));
  EXPECT_THAT(refusal(R"({"path": "$HOME/data"})"),
              HasSubstr("allowed: no names here; a text that begins with a dollar "
                        "sign is written with two of them"));
  EXPECT_THAT(refusal(R"({"a": "$"})"), HasSubstr("a: found \"$\""));
  EXPECT_THAT(
      refusal(R"({"define": {"cell": 1, "cells": 2}, "a": "$cell"})"),
      AllOf(HasSubstr("r.json: define.cells: this definition is never used"), HasSubstr("did you mean \"cell\"?")));
  // Used by one that is not used itself.
  EXPECT_THAT(refusal(R"({"define": {"a": 1, "b": "$a"}})"), HasSubstr("define.a: this definition is never used"));
  EXPECT_THAT(refusal(R"({"define": [1]})"), HasSubstr("define: found [1] (a list), allowed: an object"));
  EXPECT_EQ(composed(R"({"define": {}})"), "{}");
}

TEST_F(Composition, RefusesDefinitionsThatUseThemselves) {
  EXPECT_THAT(
      refusal(R"({"define": {"a": {"x": "$b"}, "b": ["...$c"], "c": ["$a"]}, "y": "$a"})"),
      AllOf(HasSubstr("define.c[0]: a definition uses itself"), HasSubstr("\"$a\" -> \"$b\" -> \"$c\" -> \"$a\"")));
  EXPECT_THAT(refusal(R"({"define": {"a": "$a"}, "y": "$a"})"), HasSubstr("\"$a\" -> \"$a\""));
}

// A chain or a doubling of definitions is refused at once, whether or not anything of it would be left.
TEST_F(Composition, LimitsWhatDefinitionsGrowTo) {
  const auto chain = [](const std::string& first, int count, const std::function<std::string(std::string)>& link) {
    nlohmann::json define{{"d0", nlohmann::json::parse(first)}};
    for (int i = 1; i <= count; ++i) {
      define["d" + std::to_string(i)] = nlohmann::json::parse(link("$d" + std::to_string(i - 1)));
    }
    return nlohmann::json{{"define", define}, {"x", "$d" + std::to_string(count)}}.dump();
  };
  const auto same = [](const std::string& name) { return "\"" + name + "\""; };
  EXPECT_EQ(composed(chain("1", 60, same)), R"({"x":1})");
  EXPECT_THAT(refusal(chain("1", 1000, same)), HasSubstr("use each other more than 64 deep"));
  const auto doubled = [](const std::string& name) { return "[\"" + name + "\", \"" + name + "\"]"; };
  EXPECT_NO_THROW(composed(chain("1", 16, doubled)));
  EXPECT_THAT(refusal(chain("1", 40, doubled)), HasSubstr("this has more than 1000000 values"));
  const auto spliced = [](const std::string& name) { return "[\"..." + name + "\", \"..." + name + "\"]"; };
  EXPECT_THAT(refusal(chain("[]", 40, spliced)), HasSubstr("this has more than 1000000 values"));
  EXPECT_THAT(refusal(chain("\"" + std::string(100000, 'x') + "\"", 10, doubled)),
              HasSubstr("more than 4 MiB of texts"));
  EXPECT_THAT(refusal(chain("{\"" + std::string(100000, 'x') + "\": 1}", 10, doubled)), HasSubstr("more than 4 MiB"));
  const auto nested = [](const std::string& name) { return "[[\"" + name + "\"]]"; };
  EXPECT_NO_THROW(composed(chain("1", 31, nested)));
  EXPECT_THAT(refusal(chain("1", 32, nested)), HasSubstr("nested deeper than 64"));
}

constexpr const char* kTemplates = R"({
  "define": {"cell": {"type": "gru"}, "width": 8},
  "model": {
    "templates": {"block": {"with": {"kernel": 3, "width": "$kernel", "norm": null},
                            "pre": [{"channels": "$width", "kernel": "$kernel"}, "...$norm"],
                            "cell": "$cell", "post": ["pool"]}},
    "layers": [
      {"name": "a", "pre": ["$width"]},
      {"name": "b", "template": "block"},
      {"name": "c", "template": "block", "with": {"width": "$width", "norm": ["n"]}, "cell": {"l2": 1}, "post": null},
      {"name": "d", "template": "block", "with": {"kernel": 5}, "post": ["$width"]}
    ]}})";

TEST_F(Composition, MakesObjectsFromTemplates) {
  EXPECT_EQ(composed(kTemplates),
            R"({"model":{"layers":[)"
            R"({"name":"a","pre":[8]},)"
            R"({"name":"b","pre":[{"channels":3,"kernel":3}],"cell":{"type":"gru"},"post":["pool"]},)"
            R"({"name":"c","cell":{"l2":1,"type":"gru"},"pre":[{"channels":8,"kernel":3},"n"]},)"
            R"({"name":"d","post":[8],"pre":[{"channels":5,"kernel":5}],"cell":{"type":"gru"}}]}})");
  // A null in "with" is a value: also one that a definition gives; and what is absent that way may be removed again.
  EXPECT_EQ(composed(R"({"define": {"none": null, "stage": [{"name": "b", "template": "t"}]},
                         "model": {"templates": {"t": {"with": {"cell": 1}, "cell": "$cell"}},
                                   "layers": [{"name": "a", "template": "t", "with": {"cell": "$none"}, "cell": null},
                                              {"name": "c", "template": "t", "with": {"cell": null}}, "...$stage",
                                              {"name": "d", "template": "t", "with": {"cell": "$none"}}]}})"),
            R"({"model":{"layers":[{"name":"a"},{"name":"c"},{"name":"b","cell":1},{"name":"d"}]}})");
  // A value of "with" goes in as it is, dollar signs too.
  EXPECT_EQ(composed(R"({"model": {"templates": {"t": {"a": "$x"}},
                                   "layers": [{"template": "t", "with": {"x": ["$$y", {"b": null}]}}]}})"),
            R"({"model":{"layers":[{"a":["$y",{"b":null}]}]}})");
  // A template that nobody uses is no error, and uses its definitions.
  EXPECT_EQ(composed(R"({"define": {"x": 1}, "model": {"templates": {"t": {"a": "$x"}}, "layers": [7]}})"),
            R"({"model":{"layers":[7]}})");
  // Other keys for other documents.
  EXPECT_EQ(compose(Config::parse(R"({"p": {"parts": {"t": {"a": 1}}, "all": [{"template": "t"}]}})", "r"),
                    {.object = "p", .templates = "parts", .users = "all"})
                .dump(-1),
            R"({"p":{"all":[{"a":1}]}})");
}

TEST_F(Composition, RefusesBadTemplates) {
  const auto with_layer = [](const std::string& layer) {
    return R"({"define": {"depth": 3}, "model": {"templates": {"block": {"with": {"width": 1, "unset": null}, "pre": ["$width", "$depth", "...$unset"],
                "cell": "$cell"}}, "layers": [{"name": "v1"}, )" +
           layer + "]}}";
  };
  EXPECT_THAT(refusal(with_layer(R"({"template": "blok"})")),
              AllOf(StartsWith("r.json: model.layers[1].template: found \"blok\" (a text), allowed: \"block\""),
                    HasSubstr("did you mean \"block\"?")));
  EXPECT_THAT(refusal(with_layer(R"({"template": 3})")), HasSubstr("found 3 (an integer), allowed: \"block\""));
  EXPECT_THAT(refusal(R"({"model": {"layers": [{"template": "t"}]}})"), HasSubstr("allowed: no templates here"));
  EXPECT_THAT(refusal(with_layer(R"({"template": "block", "with": {"cell": 1, "widht": 2}})")),
              AllOf(HasSubstr("model.layers[1].with.widht: the template does not use this"),
                    HasSubstr("\"cell\", \"depth\", \"unset\", \"width\"; did you mean \"width\"?")));
  EXPECT_THAT(refusal(with_layer(R"({"template": "block", "with": 3})")),
              HasSubstr("model.layers[1].with: found 3 (an integer), allowed: an object"));
  // A name of the template that its user does not give.
  EXPECT_THAT(
      refusal(with_layer(R"({"template": "block"})")),
      AllOf(StartsWith("r.json: model.templates.block.cell: found \"$cell\""),
            HasSubstr("allowed: \"depth\", \"unset\", \"width\""), HasSubstr("(the template of model.layers[1])")));
  // Names of a template are for that template only.
  EXPECT_THAT(refusal(with_layer(R"({"template": "block", "with": {"cell": 1}, "post": "$width"})")),
              HasSubstr("model.layers[1].post: found \"$width\""));
  EXPECT_THAT(refusal(with_layer(R"({"template": "block", "with": {"cell": 1}, "posst": null})")),
              HasSubstr("model.layers[1].posst: null removes"));
  const auto with_templates = [](const std::string& templates) {
    return R"({"model": {"templates": )" + templates + R"(, "layers": []}})";
  };
  EXPECT_THAT(refusal(with_templates("3")), HasSubstr("model.templates: found 3 (an integer), allowed: an object"));
  EXPECT_THAT(refusal(with_templates(R"({"t": []})")), HasSubstr("model.templates.t: found [] (a list)"));
  EXPECT_THAT(refusal(with_templates(R"({"t": {"with": 1}})")), HasSubstr("model.templates.t.with: found 1"));
  EXPECT_THAT(refusal(with_templates(R"({"t": {"with": {"x": 1}, "a": "x"}})")),
              HasSubstr("model.templates.t.with.x: the template does not use this: it has no \"$x\""));
  EXPECT_THAT(refusal(with_templates(R"({"t": {"template": "u"}, "u": {}})")),
              HasSubstr("model.templates.t.template: a template cannot be made from another"));
  EXPECT_THAT(refusal(R"({"model": {"templates": {"t": {"with": {"a": "$b", "b": "$a"}, "x": "$a"}},
                          "layers": [{"template": "t"}]}})"),
              HasSubstr("a definition uses itself: \"$a\" -> \"$b\" -> \"$a\""));
}

TEST_F(Composition, DefinitionsAndTemplatesAreMergedBeforeTheyAreUsed) {
  write("base.json", R"({"define": {"cell": {"type": "lstm", "peepholes": true}, "width": 4, "spare": 1},
                         "model": {"templates": {"t": {"with": {"k": 3, "unused": null}, "cell": "$cell", "w": ["$width", "$k", "...$unused"]}},
                                   "layers": [{"template": "t"}], "note": "$spare"}})");
  write("none.json", R"({"extends": "base.json", "define": {"cell": null}})");
  EXPECT_EQ(loaded("none.json"), R"({"model":{"layers":[{"w":[4,3]}],"note":1}})");
  write("other.json", R"({"extends": "base.json", "define": {"cell": {"peepholes": null}, "width": 5},
                          "model": {"templates": {"t": {"with": {"k": 7, "unused": [9]}}}}})");
  EXPECT_EQ(loaded("other.json"), R"({"model":{"layers":[{"cell":{"type":"lstm"},"w":[5,7,9]}],"note":1}})");
  // A base's definition that is no longer used is an error until null drops it; a null that drops nothing is one too.
  write("less.json", R"({"extends": "base.json", "model": {"note": null}})");
  EXPECT_THAT(message("less.json"), StartsWith(folder / "base.json" + ": define.spare: this definition is never used"));
  write("less.json", R"({"extends": "base.json", "define": {"spare": null}, "model": {"note": null}})");
  EXPECT_EQ(loaded("less.json", {"define.width=6"}),
            R"({"model":{"layers":[{"cell":{"type":"lstm","peepholes":true},"w":[6,3]}]}})");
  write("less.json", R"({"extends": "base.json", "define": {"cel": null}})");
  EXPECT_THAT(message("less.json"), AllOf(HasSubstr("less.json: define.cel: this definition is never used"),
                                          HasSubstr("did you mean \"cell\"?")));
}

TEST_F(Composition, OverridesApplyBeforeOrAfterExpansion) {
  const auto layer = [](int index, const std::vector<std::string>& overrides) {
    return nlohmann::json::parse(composed(kTemplates, overrides))["model"]["layers"][index].dump();
  };
  EXPECT_EQ(layer(0, {"define.width=9"}), R"({"name":"a","pre":[9]})");
  EXPECT_EQ(layer(1, {"define.cell=null", "model.templates.block.with.kernel=7"}),
            R"({"name":"b","post":["pool"],"pre":[{"channels":7,"kernel":7}]})");
  EXPECT_EQ(layer(1, {"model.layers[1].cell.l2=1e-3", "model.layers[1].post=$x", "define.cell.type=lstm"}),
            R"({"cell":{"l2":0.001,"type":"lstm"},"name":"b","post":"$x","pre":[{"channels":3,"kernel":3}]})");
  EXPECT_THAT(
      refusal(kTemplates, {"define.wdth=9"}),
      AllOf(StartsWith("--set define.wdth: define.wdth: this definition is never used"), HasSubstr("did you mean")));
  EXPECT_THAT(refusal(kTemplates, {"define.width=$cel"}),
              StartsWith("--set define.width: define.width: found \"$cel\""));
  EXPECT_THAT(refusal(kTemplates, {"model.layers[9].cell=1"}),
              StartsWith("--set: model.layers[9].cell: found the index"));
  EXPECT_THAT(refusal(kTemplates, {"define"}), HasSubstr("allowed: path=value"));
  // An override may take away the last use of what the document has, but is itself used.
  EXPECT_EQ(layer(1, {R"(model.templates.block.cell={"type": "rgc"})"}),
            R"({"cell":{"type":"rgc"},"name":"b","post":["pool"],"pre":[{"channels":3,"kernel":3}]})");
  EXPECT_THAT(refusal(R"({"define": {"a": 1, "b": "$a", "c": 2}, "x": "$c"})", {"define.c=3"}),
              StartsWith("r.json: define.b: this definition is never used"));
  // Names that only begin like those.
  EXPECT_EQ(composed(R"({"model": {}})", {"defined=1", "model.templates_=2"}),
            R"({"model":{"templates_":2},"defined":1})");
}

TEST_F(Composition, WritesWhatItCanReadAgain) {
  const Config plain =
      compose(Config::parse(R"({"a": "$$x", "b": ["...$$x", "$$$$x", "x$"], "$c": {"d": null}})", "r"), kKeys);
  EXPECT_EQ(plain.dump(-1), R"({"a":"$x","b":["...$x","$$$x","x$"],"$c":{"d":null}})");
  const std::string written = dump_composed(plain, -1);
  EXPECT_EQ(written, R"({"a":"$$x","b":["...$$x","$$$$x","x$"],"$c":{"d":null}})");
  EXPECT_EQ(composed(written), plain.dump(-1));
}

// A random document without references.
nlohmann::ordered_json random_document(std::mt19937& random, int depth) {
  const auto below = [&](unsigned n) { return random() % n; };
  switch (depth == 0 ? 6 : below(depth > 4 ? 6 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return below(2) == 0;
    case 2:
      return static_cast<int>(below(1000)) - 500;
    case 3:
      return static_cast<double>(random()) / 7.0;
    case 4:
      return std::vector<std::string>{"", "x$", "..", "...", "\xC3\xA9", "elu"}[below(6)];
    case 5: {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (unsigned n = depth > 4 ? 0 : below(4); n > 0; --n) list.push_back(random_document(random, depth + 1));
      return list;
    }
    default: {
      static const char* const kNames[] = {"model", "layers", "name", "with", "", "$x", "train", "cell"};
      nlohmann::ordered_json object = nlohmann::ordered_json::object();
      for (unsigned n = below(6); n > 0; --n) object[kNames[below(8)]] = random_document(random, depth + 1);
      return object;
    }
  }
}

TEST_F(Composition, PlainDocumentsStayAsTheyAre) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const std::string text = random_document(random, 0).dump();
    const Config plain = Config::parse(text, "r.json");
    EXPECT_EQ(compose(plain, kKeys).dump(), plain.dump());
    EXPECT_EQ(dump_composed(plain), plain.dump());
    // Nor does an empty document over it change anything.
    write("base.json", text);
    write("over.json", R"({"extends": "base.json"})");
    EXPECT_EQ(loaded("over.json"), plain.dump(-1));
  }
}

// Damaged documents are read or refused; what was read can be written and read again.
TEST_F(Composition, SurvivesDamagedDocuments) {
  write("base.json", R"({"define": {"width": 3, "norm": ["n"]}, "model": {"layers": []}})");
  const std::string valid =
      std::string(kTemplates).replace(0, 1, R"({"extends": "base.json", "n": ["...$norm", "$$x"], )");
  const std::vector<std::string> tokens{"$",
                                        "...",
                                        "\"$cell\"",
                                        "\"...$norm\"",
                                        "null",
                                        "{}",
                                        "[]",
                                        "\"with\"",
                                        "\"template\"",
                                        "\"define\"",
                                        "\"extends\"",
                                        "\"base.json\"",
                                        "$width",
                                        "$kernel",
                                        "block",
                                        ":",
                                        ","};
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int read = 0, refused = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string text = valid;
    for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text.erase(at, 1 + below(8));
          break;
        case 1: {  // a token for a token
          const std::size_t end = std::min(text.find_first_of(",:]}", at), text.size());
          text.replace(at, end - at, tokens[below(tokens.size())]);
          break;
        }
        case 2:
          text.insert(at, tokens[below(tokens.size())]);
          break;
        default: {  // one reference or key for another
          const std::size_t from = text.find('"', at), to = text.find('"', std::min(from, text.size() - 1) + 1);
          if (to == text.npos) break;
          text.replace(from, to + 1 - from, tokens[below(tokens.size())]);
        }
      }
    }
    try {
      const Config plain = compose(Config::parse(text, folder / "r.json"), kKeys);
      EXPECT_EQ(composed(dump_composed(plain)), plain.dump(-1));
      ++read;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(":"));
      ++refused;
    }
  }
  EXPECT_GT(read, 200);  // both happen, so both are tried
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace chiasm::test
