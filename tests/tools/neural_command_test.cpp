// SPDX-License-Identifier: Apache-2.0
// chiasm map, reliability, consistency and rsa from the outside: what they find in simulated responses whose truth is
// known, their files, and what they say about wrong input. Values are tested with the library (tests/analysis).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/data/write_neural.h"
#include "analysis/maps/map.h"
#include "analysis/similarity/dissimilarity.h"
#include "engine/io/npy.h"
#include "kernels/random/random_stream.h"
#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;

constexpr std::int64_t kStimuli = 60, kFeatures = 12, kUnits = 6, kRepeats = 8;

// Features, and responses that are one feature each with noise: unit u follows feature 2 u.
struct Simulated {
  Tensor good{Spec{DType::kFloat32, {kStimuli, kFeatures}}}, bad{Spec{DType::kFloat32, {kStimuli, kFeatures}}};
  NeuralDataset responses{.responses = Tensor(Spec{DType::kFloat32, {kUnits, kStimuli, kRepeats, 1}})};

  Simulated() {
    const RandomStream random({.seed = 5, .purpose = RandomPurpose::kNoise});
    const RandomStream noise({.seed = 6, .purpose = RandomPurpose::kNoise});
    for (std::size_t i = 0; i < kStimuli * kFeatures; ++i) {
      good.values<float>()[i] = static_cast<float>(random.normal(2 * i));
      bad.values<float>()[i] = static_cast<float>(random.normal(2 * i + 1));
    }
    for (std::int64_t u = 0; u < kUnits; ++u) {
      responses.unit_ids.push_back("u" + std::to_string(u));
      responses.areas.push_back(u < 4 ? "V4" : "IT");
      responses.specimens.push_back(u % 2 == 0 ? "a" : "b");
      for (std::int64_t s = 0; s < kStimuli; ++s) {
        for (std::int64_t k = 0; k < kRepeats; ++k) {
          const auto at = static_cast<std::size_t>(responses.offset(u, s, k));
          responses.responses.values<float>()[at] =
              good.values<float>()[static_cast<std::size_t>(s * kFeatures + 2 * u)] +
              static_cast<float>(noise.normal(at));
        }
      }
    }
  }
};

class NeuralCommand : public testing::Test {
 protected:
  NeuralCommand() {
    write_npz(features, {{"conv1", simulated.bad}, {"conv2", simulated.good}});
    write_neural(responses, simulated.responses);
  }

  static ProcessResult chiasm(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), chiasm_command());
    arguments.insert(arguments.begin() + 2, {"--threads", "1"});
    return run_process(arguments);
  }
  static Json json_of(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const ProcessResult result = chiasm(std::move(arguments));
    EXPECT_EQ(result.status, 0) << result.err;
    return result.status == 0 ? Json::parse(result.out) : Json();
  }
  static std::string refusal(const std::vector<std::string>& arguments) {
    const ProcessResult result = chiasm(arguments);
    EXPECT_EQ(result.status, 2) << result.out << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  }
  std::vector<std::string> map(std::vector<std::string> more) const {
    more.insert(more.begin(), {"map", "--features", features, "--responses", responses, "--quiet"});
    return more;
  }

  const Simulated simulated;
  TempFolder folder;
  std::string features = folder / "features.npz", responses = folder / "responses.npz";
};

TEST_F(NeuralCommand, MapFindsTheLayerThatTheUnitsFollow) {
  const Json result = json_of(map({"--method", "one-to-one", "--splits", "3", "--bootstraps", "5"}));
  ASSERT_EQ(result["layers"].size(), 2);
  for (const Json& best : result["best"]) EXPECT_EQ(best["layer"], "conv2");
  const Json& all = result["layers"][1]["areas"].back();
  EXPECT_EQ(all["area"], "all areas");
  // The feature is the truth: without noise the correlation is 1. Of 8 repeats with as much noise as signal a half has
  // the reliability 0.8, and 30 test stimuli leave a correlation uncertain by a few hundredths.
  EXPECT_NEAR(all["plain"]["median"], 1.0, 0.05);
  EXPECT_GT(all["published"]["median"], 0.85);
  EXPECT_LT(all["published"]["median"], all["plain"]["median"]);
  EXPECT_NEAR(all["normalised"]["median"], 1.0, 0.05);
  EXPECT_EQ(all["published"]["units"], kUnits);
  EXPECT_LT(result["layers"][0]["areas"].back()["raw"]["median"], 0.6);
  EXPECT_NEAR(result["reliability"][0]["median"], 8.0 / 9.0, 0.06);
}

// Every method finds the layer, with penalties of its own choice.
TEST_F(NeuralCommand, MapFitsWithEveryMethod) {
  for (const std::string& method : map_methods()) {
    std::vector<std::string> arguments =
        map({"--method", method, "--splits", "1", "--bootstraps", "0", "--train-fraction", "0.7"});
    if (method == "ridge") arguments.insert(arguments.end(), {"--alpha", "grid"});
    if (method == "lasso" || method == "elasticnet") arguments.insert(arguments.end(), {"--alpha", "grid-short"});
    const Json result = json_of(arguments);
    EXPECT_EQ(result["map"]["method"], method);
    EXPECT_EQ(result["best"].back()["layer"], "conv2") << method;
    EXPECT_GT(result["layers"][1]["areas"].back()["normalised"]["median"], 0.85) << method;
    EXPECT_EQ(result["layers"][1]["areas"].back()["not_converged"], 0) << method;
  }
  EXPECT_THAT(refusal(map({"--method", "pls", "--alpha", "grid"})), HasSubstr("--alpha: found \"grid\" for pls"));
}

TEST_F(NeuralCommand, MapFitsTheAnimalsOfAnAreaApart) {
  const Json result =
      json_of(map({"--method", "one-to-one", "--area", "V4", "--splits", "1", "--bootstraps", "0", "--layers", "*2"}));
  EXPECT_EQ(result["responses"]["groups"].size(), 2);
  EXPECT_EQ(result["units"], Json::parse(R"([{"area": "V4", "units": ["u0", "u2", "u1", "u3"]}])"));
  EXPECT_EQ(result["layers"].size(), 1);
  EXPECT_FALSE(result["layers"][0]["areas"][0].contains("published"));
}

// The test stimuli are those that do not train, in ascending order, whatever the order of the training indices.
TEST_F(NeuralCommand, MapWritesPredictionsOfTheRemainingStimuli) {
  std::vector<std::int32_t> train;
  for (std::int32_t i = kStimuli - 1; i > 0; i -= 2) train.push_back(i);
  write_npy(folder / "train.npy", Tensor::of<std::int32_t>({std::ssize(train)}, train));
  Tensor means(Spec{DType::kFloat64, {kUnits, kStimuli}});
  for (std::int64_t i = 0; i < kUnits * kStimuli; ++i) {
    for (std::int64_t k = 0; k < kRepeats; ++k) {
      means.values<double>()[static_cast<std::size_t>(i)] += static_cast<double>(
          simulated.responses.responses.values<float>()[static_cast<std::size_t>(i * kRepeats + k)]);
    }
  }
  write_npy(folder / "matrix.npy", means);
  const ProcessResult result = chiasm({"map", "--features", features, "--layers", "conv2", "--responses",
                                       folder / "matrix.npy", "--method", "one-to-one", "--train-indices",
                                       folder / "train.npy", "--predictions", folder / "predicted.npy", "--quiet"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("not corrected for noise: there were no bootstraps, because stimuli were shown"));
  const Tensor predicted = read_npy(folder / "predicted.npy");
  ASSERT_EQ(predicted.shape(), (Shape{kUnits, kStimuli / 2}));
  for (std::int64_t u = 0; u < kUnits; ++u) {
    for (std::int64_t i = 0; i < kStimuli / 2; ++i) {
      EXPECT_EQ(
          predicted.values<double>()[static_cast<std::size_t>(u * kStimuli / 2 + i)],
          static_cast<double>(simulated.good.values<float>()[static_cast<std::size_t>(2 * i * kFeatures + 2 * u)]));
    }
  }
}

// Responses in two time bins, of which the second follows the features of the second step.
TEST_F(NeuralCommand, MapTakesTimeThreeWays) {
  Tensor stepped(Spec{DType::kFloat32, {2, kStimuli, kFeatures}});
  std::ranges::copy(simulated.bad.values<float>(), stepped.values<float>().begin());
  std::ranges::copy(simulated.good.values<float>(), stepped.values<float>().begin() + kStimuli * kFeatures);
  write_npy(folder / "stepped.npy", stepped);
  NeuralDataset two = simulated.responses;
  two.responses = Tensor(Spec{DType::kFloat32, {kUnits, kStimuli, kRepeats, 2}});
  two.bin_starts_ms = {50, 60};
  two.bin_width_ms = 10;
  const auto from = simulated.responses.responses.values<float>();
  for (std::size_t i = 0; i < from.size(); ++i) two.responses.values<float>()[2 * i + 1] = from[i];
  for (std::size_t i = 0; i < from.size(); ++i) two.responses.values<float>()[2 * i] = std::sin(static_cast<float>(i));
  write_neural(folder / "two.h5", two);
  const std::vector<std::string> options{"--features",      folder / "stepped.npy",
                                         "--features-axes", "time,stimulus,unit",
                                         "--responses",     folder / "two.h5",
                                         "--method",        "one-to-one",
                                         "--splits",        "1",
                                         "--bootstraps",    "0",
                                         "--quiet"};
  const auto with = [&](const std::string& time) {
    std::vector<std::string> arguments{"map", "--time", time};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return json_of(arguments);
  };
  const Json each = with("per-bin");
  const Json& bins = each["layers"][0]["areas"].back()["bins"];
  ASSERT_EQ(bins.size(), 2);
  EXPECT_EQ(bins[1]["start_ms"], 60);
  EXPECT_GT(bins[1]["raw"]["median"], 0.85);
  EXPECT_LT(bins[0]["raw"]["median"], 0.6);
  EXPECT_EQ(each["time_course"]["units"][0]["observed"].size(), 2);
  EXPECT_EQ(each["time_course"]["units"][0]["predicted"].size(), 2);
  const Json fixed = with("fixed");
  EXPECT_GT(fixed["layers"][0]["areas"].back()["bins"][1]["raw"]["median"], 0.5);
  EXPECT_FALSE(with("average")["layers"][0]["areas"].back().contains("bins"));
}

TEST_F(NeuralCommand, ReliabilityAndConsistencyAgreeWithTheSimulation) {
  const Json reliability = json_of({"reliability", "--responses", responses, "--draws", "50"});
  ASSERT_EQ(reliability["groups"].size(), 4);
  for (const Json& group : reliability["groups"]) EXPECT_NEAR(group["reliability"]["median"], 8.0 / 9.0, 0.06);
  // Animals share no feature, so nothing predicts the units of the other beyond chance.
  const Json consistency = json_of({"consistency", "--responses", responses, "--method", "one-to-one", "--splits", "2",
                                    "--bootstraps", "3", "--area", "V4", "--quiet"});
  EXPECT_EQ(consistency["areas"][0]["animals"].size(), 2);
  EXPECT_LT(consistency["areas"][0]["raw"]["median"], 0.5);
  EXPECT_THAT(refusal({"consistency", "--responses", responses, "--method", "one-to-one", "--maps"}),
              HasSubstr("--maps: found the specimen \"a\"; allowed are animal:map"));
}

TEST_F(NeuralCommand, RsaComparesLayersWithResponsesAndWithMatrices) {
  const CpuStream stream(1);
  const Rdm rdm = dissimilarity<float>(stream, matrix_of<float>(simulated.good), Dissimilarity::kCorrelation);
  write_npy(folder / "good.npy", Tensor::of<double>({std::ssize(rdm.values)}, rdm.values));
  const Json result = json_of({"rsa", "--features", features, "--responses", responses, "--rdm", folder / "good.npy",
                               "--comparison", "spearman", "--bootstraps", "5", "--regression", "2", "--quiet"});
  ASSERT_EQ(result["references"].size(), 3);  // V4, IT and the file
  const Json& file = result["references"][2];
  EXPECT_EQ(file["best"], "conv2");
  // The features are float32: of 1770 distances a few are closer to each other than that can tell, and tie.
  EXPECT_NEAR(file["layers"][1]["similarity"], 1.0, 1e-8);
  EXPECT_EQ(file["against"].size(), 2);
  EXPECT_NEAR(file["regression"]["r2"], 1.0, 1e-9);  // the matrix is that of conv2
  EXPECT_NEAR(file["regression"]["weights"][1]["weight"], 1.0, 1e-9);
  EXPECT_NEAR(file["regression"]["weights"][0]["weight"], 0.0, 1e-9);
  EXPECT_EQ(result["references"][0]["best"], "conv2");
  EXPECT_EQ(result["references"][0]["layers"][1]["published"]["bootstraps"], 5);
  EXPECT_EQ(result["rdms"].size(), 5);

  const ProcessResult two = chiasm({"rsa", "--rdm", folder / "good.npy", "--rdm", folder / "good.npy"});
  EXPECT_THAT(two.out, HasSubstr(": 1.000\n"));
  EXPECT_THAT(refusal({"rsa", "--rdm", folder / "good.npy"}), HasSubstr("nothing to compare: give --features"));
  EXPECT_THAT(refusal({"rsa", "--rdm", folder / "good.npy", "--rdm-key", "x"}),
              HasSubstr("no array of dissimilarities"));
}

// The distances of the command's own files: 1 - r is the same between each of five multiples and each other item, in
// whatever precision they are stored. Rounding of the input to float32 would rank them.
TEST_F(NeuralCommand, RsaRanksEqualDistancesAsTies) {
  constexpr std::int64_t kItems = 10, kUnitsOf = 12;
  Tensor wide(Spec{DType::kFloat64, {kItems, kUnitsOf}}), narrow(Spec{DType::kFloat32, {kItems, kUnitsOf}});
  const RandomStream random({.seed = 9, .purpose = RandomPurpose::kNoise});
  for (std::int64_t i = 0; i < kItems; ++i) {
    for (std::int64_t k = 0; k < kUnitsOf; ++k) {
      const auto at = static_cast<std::size_t>(i * kUnitsOf + k);
      const double multiple =
          random.normal(static_cast<std::uint64_t>(k)) * static_cast<double>(i + 1) + 0.1 * static_cast<double>(i);
      wide.values<double>()[at] = i < 5 ? multiple : random.normal(1000 + at);
      narrow.values<float>()[at] = static_cast<float>(wide.values<double>()[at]);
    }
  }
  const Rdm exact = dissimilarity<double>(CpuStream(1), matrix_of<double>(wide), Dissimilarity::kCorrelation);
  Tensor grid(Spec{DType::kFloat64, {std::ssize(exact.values)}}), reference(grid.spec());
  for (std::size_t i = 0; i < exact.values.size(); ++i) {
    grid.values<double>()[i] = std::round(exact.values[i] * 1e5) / 1e5;
    reference.values<double>()[i] = random.normal(2000 + i);
  }
  write_npy(folder / "wide.npy", wide);
  write_npy(folder / "narrow.npy", narrow);
  write_npy(folder / "grid.npy", grid);
  write_npy(folder / "reference.npy", reference);
  const auto rho = [&](const char* option, const std::string& file) {
    const Json result = json_of({"rsa", "--rdm", folder / "reference.npy", option, folder / file, "--comparison",
                                 "spearman", "--quiet"})["references"];
    return (result.size() > 1 ? result[1]["against"][0] : result[0]["layers"][0])["similarity"].get<double>();
  };
  const double expected = rho("--rdm", "grid.npy");
  EXPECT_EQ(rho("--features", "wide.npy"), expected);
  EXPECT_EQ(rho("--features", "narrow.npy"), expected);
}

// Two classes told apart from the second step on; the primates' scores are between those of the steps.
TEST_F(NeuralCommand, OstFindsWhenImagesAreSolved) {
  constexpr std::int64_t kImages = 40;
  Tensor steps(Spec{DType::kFloat32, {3, kImages, 4}});
  const RandomStream random({.seed = 8, .purpose = RandomPurpose::kNoise});
  std::string labels;
  for (std::int64_t i = 0; i < kImages; ++i) labels += i % 2 == 0 ? "bear\n" : "car\n";
  for (std::int64_t t = 0; t < 3; ++t) {
    for (std::int64_t i = 0; i < kImages; ++i) {
      for (std::int64_t k = 0; k < 4; ++k) {
        const auto at = static_cast<std::size_t>((t * kImages + i) * 4 + k);
        steps.values<float>()[at] = static_cast<float>(random.normal(at)) + (t > 0 && k == i % 2 ? 6.0F : 0.0F);
      }
    }
  }
  write_npy(folder / "steps.npy", steps);
  write_text(folder / "labels.txt", labels);
  const std::vector<double> threshold(kImages, 2.5), times(kImages, 85.0);
  write_npz(folder / "primate.npz",
            {{"i1", Tensor::of<double>({kImages}, threshold)}, {"ost", Tensor::of<double>({kImages}, times)}});
  const std::vector<std::string> arguments{"ost",
                                           "--features",
                                           folder / "steps.npy",
                                           "--features-axes",
                                           "time,stimulus,unit",
                                           "--labels",
                                           folder / "labels.txt",
                                           "--primate",
                                           folder / "primate.npz",
                                           "--time",
                                           "steps",
                                           "--steps",
                                           "0..2",
                                           "--trials",
                                           "2",
                                           "--splits",
                                           "3",
                                           "--train-per-class",
                                           "10",
                                           "--c",
                                           "1",
                                           "--quiet"};
  const Json result = json_of(arguments);
  EXPECT_EQ(result["images"], kImages);
  EXPECT_EQ(result["classes"], Json::parse(R"(["bear", "car"])"));
  EXPECT_EQ(result["bin_starts_ms"], Json::parse("[70.0, 80.0, 90.0]"));
  EXPECT_LT(result["bins"][0]["accuracy"], 0.75);
  EXPECT_GT(result["bins"][1]["accuracy"], 0.95);
  // Most are solved between the first step and the second, at a time of their own.
  EXPECT_GT(result["solved_by_bin"][1], kImages / 2);
  EXPECT_TRUE(result["consistency"].is_null());  // the primates' times do not vary
  // What was done is in the result.
  EXPECT_EQ(result["c"], 1.0);
  EXPECT_EQ(result["components"], 1000);
  EXPECT_EQ(result["train_per_class"], 10);
  EXPECT_EQ(result["calibration"], "held-out");
  EXPECT_EQ(result["trial_consistency"].size(), 2u);
  EXPECT_EQ(result["split_consistency"].size(), 0u);
  EXPECT_EQ(result["per_image"][0]["ost_solved"], 2);
  // What primates did in another order, told by ids; and one that is missing.
  std::string ids;
  std::vector<std::int32_t> backwards;
  std::vector<double> reversed;
  for (std::int32_t i = 0; i < kImages; ++i) {
    ids += std::to_string(i) + "\n";
    backwards.push_back(static_cast<std::int32_t>(kImages) - 1 - i);
    reversed.push_back(70.0 + backwards.back());
  }
  write_text(folder / "ids.txt", ids);
  const auto write_primate = [&](std::int64_t count) {
    const auto first = [&](const auto& all) { return std::vector(all.begin(), all.begin() + count); };
    write_npz(folder / "own.npz", {{"i1", Tensor::of<double>({count}, first(threshold))},
                                   {"ost", Tensor::of<double>({count}, first(reversed))},
                                   {"stimulus_ids", Tensor::of<std::int32_t>({count}, first(backwards))}});
  };
  std::vector<std::string> with_ids = arguments;
  std::vector<std::int32_t> classes;
  for (const std::int32_t image : backwards) classes.push_back(image % 2);
  write_npz(folder / "labels.npz", {{"labels", Tensor::of<std::int32_t>({kImages}, classes)},
                                    {"stimulus_ids", Tensor::of<std::int32_t>({kImages}, backwards)}});
  with_ids[6] = folder / "labels.npz";
  with_ids[8] = folder / "own.npz";
  with_ids.insert(with_ids.end(), {"--features-stimuli", folder / "ids.txt"});
  write_primate(kImages);
  const Json aligned = json_of(with_ids);
  EXPECT_EQ(aligned["bins"], result["bins"]);  // of the same classes
  EXPECT_EQ(aligned["per_image"][0]["class"], "0");
  for (std::size_t i = 0; i < kImages; ++i) {
    EXPECT_EQ(aligned["per_image"][i]["reference_ms"], 70.0 + static_cast<double>(i));
  }
  write_primate(kImages - 2);
  EXPECT_THAT(refusal(with_ids), HasSubstr("has nothing for 2 of the 40 stimuli of"));
  std::vector<std::string> in_sample = arguments;
  in_sample.insert(in_sample.end(), {"--calibration", "in-sample"});
  const Json optimistic = json_of(in_sample);
  EXPECT_EQ(optimistic["calibration"], "in-sample");
  EXPECT_EQ(optimistic["calibration_folds"], 0);
  EXPECT_GT(optimistic["bins"][0]["mean_i1"], result["bins"][0]["mean_i1"]);
  std::vector<std::string> wrong = arguments;
  wrong[6] = folder / "short.txt";
  write_text(wrong[6], "bear\n");
  EXPECT_THAT(refusal(wrong), HasSubstr("has 1 labels for 40 images"));
}

// The class of an image is the sign of its first feature, and the target is its third.
TEST_F(NeuralCommand, ReadoutTellsClassesAndNumbers) {
  std::string labels;
  std::vector<double> third;
  for (std::int64_t i = 0; i < kStimuli; ++i) {
    const auto row = simulated.good.values<float>().subspan(static_cast<std::size_t>(i * kFeatures), kFeatures);
    labels += row[0] > 0 ? "right\n" : "left\n";
    third.push_back(static_cast<double>(row[2]));
  }
  write_text(folder / "labels.txt", labels);
  write_npy(folder / "third.npy", Tensor::of<double>({kStimuli}, third));
  const std::vector<std::string> common{"--features", features, "--splits", "3", "--train-fraction", "0.7", "--quiet"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), "readout");
    more.insert(more.end(), common.begin(), common.end());
    return more;
  };
  const Json classes = json_of(with({"--labels", folder / "labels.txt"}));
  EXPECT_EQ(classes["classes"], Json::parse(R"(["left", "right"])"));
  EXPECT_GT(classes["layers"][1]["score"], 0.8);
  EXPECT_LT(classes["layers"][0]["score"], 0.75);
  EXPECT_EQ(classes["stratified"], true);
  EXPECT_EQ(classes["components"], 1000);
  EXPECT_EQ(classes["grid"].size(), 33u);
  const Json numbers = json_of(with({"--targets", folder / "third.npy"}));
  EXPECT_GT(numbers["layers"][1]["score"], 0.999);
  EXPECT_LT(numbers["layers"][0]["score"], 0.6);
  EXPECT_THAT(refusal(with({})), HasSubstr("give --labels"));
  EXPECT_THAT(refusal(with({"--labels", "a", "--targets", "b"})), HasSubstr("allowed is one of them"));
}

TEST_F(NeuralCommand, LeavesOutUnitsThatAreNotReliable) {
  // Unit 0 becomes noise alone.
  NeuralDataset noisy = simulated.responses;
  noisy.responses = noisy.responses.clone();
  for (std::size_t i = 0; i < kStimuli * kRepeats; ++i) {
    noisy.responses.values<float>()[i] = std::sin(static_cast<float>(i * i % 1009));
  }
  write_neural(folder / "noisy.npz", noisy);
  const ProcessResult result = chiasm(
      {"reliability", "--responses", folder / "noisy.npz", "--draws", "10", "--min-reliability", "0.6", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("5 of 6 units of"));
  EXPECT_EQ(Json::parse(result.out)["responses"]["units"], 5);
  EXPECT_THAT(refusal({"reliability", "--responses", folder / "noisy.npz", "--min-reliability", "0.999"}),
              HasSubstr("--min-reliability: 0 of 6 units"));
}

TEST_F(NeuralCommand, LeavesAFolderThatExplainsItself) {
  const std::string out = folder / "out";
  json_of(map({"--method", "one-to-one", "--splits", "1", "--bootstraps", "2", "--out", out}));
  json_of({"reliability", "--responses", responses, "--draws", "3", "--out", out});
  EXPECT_EQ(Json::parse(read_text(out + "/map.json"))["verb"], "map");
  EXPECT_EQ(Json::parse(read_text(out + "/reliability.json"))["draws"], 3);
  EXPECT_THAT(read_text(out + "/report.html"), AllOf(HasSubstr("conv2"), HasSubstr("</html>")));
  std::filesystem::create_directories(folder / "run");
  write_text(folder / "run/metrics.jsonl", "");
  EXPECT_THAT(refusal(map({"--method", "one-to-one", "--out", folder / "run"})), HasSubstr("holds a training run"));
}

TEST_F(NeuralCommand, SaysWhatIsWrongWithItsInput) {
  EXPECT_THAT(refusal(map({"--layers", "conv3"})), HasSubstr("--layers: found \"conv3\""));
  EXPECT_THAT(refusal(map({"--area", "V1"})), AllOf(HasSubstr("--area: found \"V1\""), HasSubstr("V4, IT")));
  EXPECT_THAT(refusal(map({"--alpha", "-1"})), HasSubstr("--alpha: found \"-1\""));
  EXPECT_THAT(refusal(map({"--train-indices", "0..99"})), HasSubstr("train index 60"));
  EXPECT_THAT(refusal(map({"--train-fraction", "1.5"})), HasSubstr("train fraction"));
  EXPECT_THAT(refusal(map({"--predictions", folder / "p.npy"})), HasSubstr("--predictions: found 2 layer(s)"));
  EXPECT_THAT(refusal(map({"--window", "70"})), HasSubstr("--window: found \"70\""));
  EXPECT_THAT(refusal(map({"--steps", "4"})), HasSubstr("--steps: found 4"));
  EXPECT_THAT(refusal({"map", "--features", features, "--responses", folder / "none.npy"}), HasSubstr("none.npy"));
  // 59 stimuli without ids cannot be told from 60.
  Tensor short_one(Spec{DType::kFloat32, {kUnits, kStimuli - 1}});
  write_npy(folder / "short.npy", short_one);
  EXPECT_THAT(refusal({"map", "--features", features, "--responses", folder / "short.npy"}),
              AllOf(HasSubstr("60"), HasSubstr("59")));
  NeuralDataset once = simulated.responses;
  once.responses = Tensor(Spec{DType::kFloat32, {kUnits, kStimuli, 1, 1}});
  write_neural(folder / "once.npz", once);
  EXPECT_THAT(refusal({"map", "--features", features, "--responses", folder / "once.npz", "--bootstraps", "10"}),
              AllOf(HasSubstr("once.npz"), HasSubstr("one response of a unit")));
}

}  // namespace
}  // namespace chiasm::test
