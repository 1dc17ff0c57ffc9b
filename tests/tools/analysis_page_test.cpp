// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/analysis_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tests/support/markup.h"
#include "tools/neural/analysis_folder.h"

namespace chiasm {
namespace {

using test::malformation;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::ordered_json;

Json summary(Json median, double sem = 0.01, int undefined = 0) {
  return {{"median", median}, {"sem", sem},   {"mean", median},
          {"sd", 0.1},        {"units", 100}, {"undefined_units", undefined}};
}

Json area_scores(const std::string& area, double score) {
  Json scores{{"area", area},
              {"published", summary(score, 0.01, 3)},
              {"plain", summary(score + 0.1)},
              {"raw", summary(score - 0.1)},
              {"mapping", summary(0.8)},
              {"internal", summary(0.6)},
              {"normalised", summary(score)},
              {"undefined", 7},
              {"not_converged", 0},
              {"units", {{"published", {score, nullptr}}}}};
  for (int bin = 0; bin < 4; ++bin) {
    scores["bins"].push_back({{"published", summary(score - 0.05 * bin)}, {"start_ms", 70 + 10 * bin}});
  }
  return scores;
}

Json map_result() {
  Json map{{"verb", "map"},
           {"features", "features.h5"},
           {"responses", {{"file", "it.npz"}, {"stimuli", 92}}},
           {"map", {{"method", "pls"}, {"components", 25}}},
           {"splits", 10},
           {"train_stimuli", 46},
           {"test_stimuli", 46},
           {"bootstraps", 100}};
  for (const char* area : {"V4", "IT"}) {
    map["reliability"].push_back(
        {{"area", area}, {"median", 0.64}, {"per_unit", {0.64, 0.64, nullptr, -0.2, -0.3, 0}}});
    map["best"].push_back({{"area", area}, {"layer", "conv2"}});
  }
  double score = 0.3;
  for (const char* layer : {"conv1", "conv2", "conv3"}) {
    map["layers"].push_back(
        {{"layer", layer}, {"units", 4096}, {"areas", {area_scores("V4", score), area_scores("IT", score + 0.02)}}});
    score += 0.1125;
  }
  map["time_course"] = {{"layer", "conv2"}, {"start_ms", {70, 80, 90}}, {"units", Json::array()}};
  for (int unit = 0; unit < 8; ++unit) {
    map["time_course"]["units"].push_back(
        {{"id", "unit-" + std::to_string(unit)}, {"observed", {1, 2, 3}}, {"predicted", {1.5, nullptr, 2.5}}});
  }
  return map;
}

Json consistency_result() {
  Json areas = Json::array();
  for (const auto& [area, score] : {std::pair{"V4", 0.777}, {"IT", 0.888}}) {
    Json row{{"area", area}, {"published", summary(score)}, {"plain", summary(score + 0.01)}, {"animals", {}}};
    for (const char* animal : {"Magneto", "Nestor"}) {
      row["animals"].push_back({{"animal", animal},
                                {"units", {"a", "b", "c"}},
                                {"undefined", 2},
                                {"published", {score, score, nullptr}},
                                {"plain", {score, score, nullptr}},
                                {"raw", {0.5, 0.5, 0.5}}});
    }
    areas.push_back(row);
  }
  return {{"verb", "consistency"}, {"method", "pls"},   {"source", "pooled"},
          {"splits", 10},          {"bootstraps", 100}, {"areas", areas}};
}

Json reliability_result() {
  Json group{{"area", "V4"},
             {"specimen", "m1"},
             {"reliability", summary(0.62)},
             {"half_reliability", summary(0.45)},
             {"undefined_draws", 11},
             {"per_unit", {0.9, 0.5, nullptr, -0.3}}};
  group["reliability"]["min"] = -0.3;
  group["reliability"]["max"] = 0.9;
  for (int bin = 0; bin < 3; ++bin) {
    group["bins"].push_back({{"reliability", summary(bin == 1 ? Json() : Json(0.4))}, {"start_ms", 10 * bin}});
  }
  Json other = group;
  other["specimen"] = "m2";
  return {{"verb", "reliability"},
          {"responses", {{"file", "v4.npy"}, {"stimuli", 640}}},
          {"draws", 900},
          {"groups", {group, other}}};
}

Json rsa_result() {
  Json layers = Json::array();
  for (const char* layer : {"fire2", "fire9"}) {
    const Json score{{"mean", 0.41}, {"sd", 0.02}, {"bootstraps", 100}, {"undefined", 5}};
    layers.push_back({{"layer", layer}, {"similarity", 0.35}, {"published", score}, {"plain", score}});
  }
  const Json reference{{"reference", "IT"},
                       {"stimuli", 4},
                       {"undefined_stimuli", {2}},
                       {"layers", layers},
                       {"best", "fire9"},
                       {"ceiling", {{"lower", 0.45}, {"upper", 0.55}}},
                       {"against", {{{"reference", "V4"}, {"similarity", 0.123}}}},
                       {"regression",
                        {{"folds", 6},
                         {"splits", 1000},
                         {"r2", 0.1234},
                         {"weights", {{{"layer", "fire2"}, {"weight", 0}}, {{"layer", "fire9"}, {"weight", 0.7}}}}}}};
  return {{"verb", "rsa"},
          {"features", "features.h5"},
          {"metric", "correlation"},
          {"comparison", "spearman"},
          {"references", {reference}},
          {"rdms", {{{"name", "IT"}, {"items", 4}, {"triangle", {0.1, 0.2, nullptr, 0.4, 0.5, 0.6}}}}},
          {"mds", {{{"name", "IT"}, {"x", {0, 1, 2, 3}}, {"y", {0, 1, 4, 9}}}}}};
}

Json ost_result() {
  return {{"verb", "ost"},
          {"images", 4},
          {"solved", 3},
          {"consistency", 0.6543},
          {"reference", {{"solved", 2}}},
          {"bin_starts_ms", {70, 80, 90}},
          {"per_image",
           {{{"id", "a"}, {"ost_ms", 71.5}, {"reference_ms", 75}},
            {{"id", "b"}, {"ost_ms", nullptr}, {"reference_ms", 85}},
            {{"id", "c"}, {"ost_ms", 80}, {"reference_ms", nullptr}},
            {{"id", "d"}, {"ost_ms", 90}}}}};
}

std::vector<Json> every_result() {
  return {map_result(), consistency_result(), reliability_result(), rsa_result(), ost_result()};
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

std::string page_of(const std::vector<Json>& results) {
  const test::TempFolder folder;
  for (const Json& result : results) {
    std::ofstream(folder / (result["verb"].get<std::string>() + ".json")) << result.dump();
  }
  return analysis_html(folder.path());
}

// The section of one verb in the page of the results.
std::string section(const std::vector<Json>& results, const std::string& verb) {
  const std::string page = page_of(results);
  const std::size_t begin = page.find("<section id=\"" + verb + "\">");
  return begin == page.npos ? "" : page.substr(begin, page.find("</section>", begin) - begin);
}

TEST(AnalysisPage, IsOneWellFormedSelfContainedPage) {
  const std::string page = page_of(every_result());
  EXPECT_EQ(malformation(page), "");
  for (const char* outside : {"<script", "http:", "https:", "<link", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("\"inf")));
  EXPECT_EQ(count(page, "<section"), 5u);
}

TEST(AnalysisPage, MapShowsScoresCeilingsAndTimeCourses) {
  const std::string alone = section({map_result()}, "map");
  EXPECT_THAT(alone, HasSubstr("no inter-animal ceiling"));
  EXPECT_THAT(alone, Not(HasSubstr("other animals, published")));
  // By area: corrected and raw scores, scores over time; and six of the eight units over time.
  EXPECT_EQ(count(alone, "<svg"), 2u * 3u + 6u);
  EXPECT_THAT(alone, HasSubstr("<th scope=\"row\"><b>conv2</b></th><td><b>4096</b></td><td><b>0.412 \xC2\xB1 0.010"));
  EXPECT_THAT(alone, HasSubstr("<td>103</td><td>3</td><td>7</td>"));  // units, undefined ones, bootstraps
  EXPECT_THAT(alone, HasSubstr("split-half ceiling: 0.800 (4 units without one)"));
  const std::string both = section({map_result(), consistency_result()}, "map");
  EXPECT_THAT(both, Not(HasSubstr("no inter-animal ceiling")));
  EXPECT_THAT(both, HasSubstr("other animals, published form: 0.777"));
  EXPECT_THAT(both, HasSubstr("other animals, plain form: 0.787"));
}

TEST(AnalysisPage, MapSaysWhichAreasHaveNoCeiling) {
  Json consistency = consistency_result();
  consistency["areas"].erase(1);
  EXPECT_THAT(section({map_result(), consistency}, "map"), HasSubstr("There is none for: IT."));
}

TEST(AnalysisPage, MapWithoutBootstrapsShowsRawScores) {
  Json map = map_result();
  for (Json& layer : map["layers"]) {
    for (Json& area : layer["areas"]) {
      for (const char* key : {"published", "plain", "mapping", "internal", "normalised", "bins"}) area.erase(key);
    }
  }
  map.erase("time_course");
  const std::string html = section({map}, "map");
  EXPECT_THAT(html, HasSubstr("not corrected for noise"));
  EXPECT_THAT(html, Not(HasSubstr("published")));
  EXPECT_EQ(count(html, "<svg"), 2u);
}

TEST(AnalysisPage, OtherSectionsShowTheirNumbers) {
  const std::string consistency = section(every_result(), "consistency");
  EXPECT_THAT(consistency, HasSubstr("Magneto"));
  EXPECT_THAT(consistency, HasSubstr("0.777"));
  const std::string reliability = section(every_result(), "reliability");
  EXPECT_THAT(reliability, HasSubstr("<td>0.620 \xC2\xB1 0.010</td><td>-0.300</td><td>0.900</td>"));
  EXPECT_EQ(count(reliability, "<svg"), 2u);
  const std::string rsa = section(every_result(), "rsa");
  EXPECT_THAT(rsa, HasSubstr("noise ceiling 0.450 to 0.550"));
  EXPECT_THAT(rsa, HasSubstr("0.410 \xC2\xB1 0.020"));
  EXPECT_THAT(rsa, HasSubstr("R\xC2\xB2 0.1234"));
  EXPECT_THAT(rsa, HasSubstr("fire9 0.700."));
  EXPECT_THAT(rsa, HasSubstr("red is not defined"));
  EXPECT_EQ(count(rsa, "data:image/png;base64,iVBORw0KGgo"), 2u);  // the matrix and the scale
  const std::string ost = section(every_result(), "ost");
  EXPECT_THAT(ost, HasSubstr("0.654"));
  // Of four images, one has been solved by both; the model solves three of four by 90 ms.
  EXPECT_EQ(count(ost, ">: 71.5 at 75<"), 1u);
  EXPECT_THAT(ost, HasSubstr("model: 75 at 90"));
}

TEST(AnalysisPage, OstWithoutAReference) {
  Json ost = ost_result();
  ost["consistency"] = ost["reference"] = nullptr;
  for (Json& image : ost["per_image"]) image.erase("reference_ms");
  EXPECT_THAT(section({ost}, "ost"), HasSubstr("no solution times of a reference"));
}

// Any text of a file may be hostile.
void poison(Json& json) {
  if (json.is_string()) json = "\"><script>x</script>&";
  if (!json.is_structured()) return;
  for (Json& child : json) poison(child);
}

TEST(AnalysisPage, EscapesEveryText) {
  std::vector<Json> results = every_result();
  for (Json& result : results) {
    const Json verb = result["verb"];
    poison(result);
    result["verb"] = verb;
  }
  const std::string page = page_of(results);
  EXPECT_EQ(malformation(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

// Calls `visit` with every value below a node that is not in a list of numbers.
template <class Visit>
void each(Json& json, const Json::json_pointer& at, const Visit& visit) {
  if (!at.empty()) visit(at);
  if (!json.is_structured() || (json.is_array() && !json.empty() && !json[0].is_structured())) return;
  for (const auto& item : json.items()) each(item.value(), at / item.key(), visit);
}

// Whatever is taken away, nulled or replaced: a page, or an error that names the file.
TEST(AnalysisPage, DamageGivesAPageOrAFileError) {
  int errors = 0;
  std::vector<Json> results = every_result();
  results[0]["layers"].erase(1);  // what is left has one of everything
  results[0]["time_course"]["units"].erase(2);
  for (const Json& result : results) {
    Json whole = result;
    const test::TempFolder folder;
    const std::string path = folder / (result["verb"].get<std::string>() + ".json");
    const auto try_page = [&](const Json& damaged) {
      std::ofstream(path) << damaged.dump();
      try {
        EXPECT_EQ(malformation(analysis_html(folder.path())), "");
      } catch (const FileError& e) {
        EXPECT_EQ(e.file(), path);
        EXPECT_NE(e.where(), "");
        ++errors;
      }
    };
    each(whole, Json::json_pointer(), [&](const Json::json_pointer& at) {
      for (const Json& other : {Json(), Json("text"), Json(-1), Json(1e99), Json::array()}) {
        Json damaged = result;
        damaged[at] = other;
        try_page(damaged);
      }
      Json damaged = result;
      Json& parent = damaged[at.parent_pointer()];
      if (!parent.is_object()) return;
      parent.erase(at.back());
      try_page(damaged);
    });
  }
  EXPECT_GT(errors, 500);
}

TEST(AnalysisPage, ErrorsNameTheField) {
  const test::TempFolder folder;
  const auto where = [&](const char* text) {
    std::ofstream(folder / "map.json") << text;
    try {
      analysis_html(folder.path());
    } catch (const FileError& e) {
      return e.where();
    }
    return std::string("no error");
  };
  EXPECT_EQ(where("{\"verb\": \"map\""), "byte 15");
  EXPECT_EQ(where("{\"verb\": \"rsa\"}"), "verb");
  EXPECT_EQ(where("{}"), "verb");
  EXPECT_EQ(where("{\"verb\": \"map\", \"layers\": 3}"), "layers");
  EXPECT_EQ(where("{\"verb\": \"map\", \"layers\": [{\"areas\": [{\"area\": 1}]}]}"), "layers[0].areas[0].area");
}

TEST(AnalysisFolder, WritesResultAndReport) {
  const test::TempFolder folder;
  write_analysis(folder / "new/out", "map", map_result().dump());
  write_analysis(folder / "new/out", "ost", ost_result().dump());
  const auto text = [](const std::string& path) {
    std::ifstream file(path);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  EXPECT_EQ(text(folder / "new/out/map.json"), map_result().dump() + "\n");
  const std::string page = text(folder / "new/out/report.html");
  EXPECT_EQ(page, analysis_html(folder / "new/out"));
  EXPECT_EQ(count(page, "<section"), 2u);
}

TEST(AnalysisFolder, RefusesThatOfATrainingRun) {
  const test::TempFolder folder;
  std::ofstream(folder / "metrics.jsonl") << "{}";
  EXPECT_THROW(write_analysis(folder.path(), "map", map_result().dump()), InputError);
  EXPECT_FALSE(std::filesystem::exists(folder / "map.json"));
}

}  // namespace
}  // namespace chiasm
