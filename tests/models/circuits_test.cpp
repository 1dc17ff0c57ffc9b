// SPDX-License-Identifier: Apache-2.0
// Every circuit inside a small network with feedback and an image that goes off: gradients, untied backward weights,
// the compiled against the plain unroll, and float32 against float64.
#include "tests/support/circuits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/config/config.h"
#include "engine/passes/pass.h"
#include "models/tasks/classification/graphs.h"
#include "tests/support/file_corpus.h"
#include "tests/support/running_network.h"
#include "tests/support/training.h"

namespace chiasm::test {
namespace {

class Circuits : public testing::TestWithParam<Circuit> {};

TEST_P(Circuits, GradientsAgreeWithDifferences) {
  expect_gradients_agree_with_differences(network_of(circuit_network(GetParam())));
}

TEST_P(Circuits, UntiedWeightsOfEqualValueGiveTheSameBits) {
  expect_untied_equal_to_tied(network_of(circuit_network(GetParam(), R"("backward_weights": "untied",)")),
                              network_of(circuit_network(GetParam())));
}

// Sums are reassociated only: 1e-12 is some thousand roundings of float64, of which a weight sums a few hundred
// products.
TEST_P(Circuits, EveryPassTrainsTheSameNetwork) {
  const auto trained = [&](const std::string& passes) {
    Parameters parameters;
    const Graph step = training_step_of(circuit_network(GetParam()), parameters, 3, DType::kFloat64, passes);
    return train(step, parameters, {.threads = 1, .passes = passes});
  };
  const Trained plain = trained("none");
  EXPECT_TRUE(not_vacuous(plain.logits[0].view()));
  std::vector<std::string> lists{"all"};
  for (const Pass& pass : all_passes()) lists.emplace_back(pass.name);
  for (const std::string& passes : lists) {
    SCOPED_TRACE(passes);
    expect_near(trained(passes), plain, {1e-12, 1e-14});
  }
}

// Six timesteps, each of sums of up to a hundred products, there and back: 32 roundings for each. A layer norm divides
// by a deviation that may be a tenth of its terms, and the terms of its gain's gradient cancel: 22 are the most that
// was seen with OpenBLAS's kernels for SSE3, AVX, AVX2 and AVX-512.
TEST_P(Circuits, Float32FollowsFloat64) {
  const Network network = network_of(circuit_network(GetParam()));
  LossAndGradients wide(network), narrow(network, "all", DType::kFloat32);
  const Tolerance tolerance = rounding_tolerance(DType::kFloat32, 32.0, 600.0);
  EXPECT_NEAR(narrow.loss(), wide.loss(), 1e-5);
  for (const std::string& name : wide.names) {
    EXPECT_TRUE(near(narrow.gradient(name), wide.gradient(name), tolerance)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Circuits, testing::ValuesIn(circuits()),
                         [](const auto& info) { return info.param.name; });

// A circuit that is added to cells.cpp is to be added to circuits(), too.
TEST(CircuitList, HasEveryCell) {
  std::string known;
  try {
    make_cell(Config::parse(R"({"type": "?"})", "test").root());
  } catch (const InputError& error) {
    known = error.what();
  }
  std::set<std::string> tested;
  for (const Circuit& circuit : circuits()) {
    tested.insert(Config::parse(circuit.cell, "test").root().text("type"));
  }
  for (const std::string& type : tested) {
    const std::size_t at = known.find('"' + type + '"');
    ASSERT_NE(at, std::string::npos) << type << " in " << known;
    known.erase(at, type.size() + 2);
  }
  known.erase(0, known.find("allowed"));
  EXPECT_THAT(known, testing::Not(testing::HasSubstr("\""))) << "a cell without a circuit to test it";
}

std::string on_vectors(const std::string& cell) {
  return R"({"vector": 6, "steps": 3, "layers": [
    {"name": "a", "cell": )" +
         cell + R"(},
    {"name": "readout", "delay": 0, "pre": [{"op": "linear", "units": 2}]}]})";
}

TEST(CircuitList, ReciprocalGatesRefuseVectorsByTheNameOfTheLayer) {
  for (const Circuit& circuit : circuits()) {
    if (circuit.cell.find("rgc") == std::string::npos) continue;
    EXPECT_THAT(error_of<InputError>([&] { network_of(on_vectors(circuit.cell)); }),
                testing::AllOf(testing::HasSubstr("\"a\""), testing::HasSubstr("[N, H, W, C]")))
        << circuit.name;
  }
}

// A vector is an image of one pixel, and a convolution of one pixel a linear map.
TEST(CircuitList, ACellOnVectorsIsTheCellOnImagesOfOnePixel) {
  int compared = 0;
  for (const Circuit& circuit : circuits()) {
    if (circuit.cell.find("rgc") != std::string::npos || circuit.cell.find("peepholes") != std::string::npos) continue;
    const Config config = Config::parse(circuit.cell, "test");
    Config of_pixels = config.clone();
    if (config.root().text("type") != "time_decay") of_pixels.set_integer("kernel", 1);
    // The intersection RNN has as many channels as its input.
    const Network vectors = network_of(on_vectors(of_pixels.dump()));
    const Network pixels = network_of(R"({"image": [1, 1, 6], "steps": 3, "layers": [
      {"name": "a", "cell": )" + of_pixels.dump() +
                                      R"(, "post": [{"op": "flatten"}]},
      {"name": "readout", "delay": 0, "pre": [{"op": "linear", "units": 2}]}]})");
    Parameters of_vectors, of_images;
    Program a(build_evaluation(vectors, of_vectors, 2, {.dtype = DType::kFloat64}), {.threads = 1});
    Program b(build_evaluation(pixels, of_images, 2, {.dtype = DType::kFloat64}), {.threads = 1});
    of_vectors.initialise(3);
    of_images.initialise(3);
    for (const auto& [name, tensor] : of_vectors.tensors()) {
      const Tensor& image = of_images.tensors().at(name);
      EXPECT_EQ(image.elements(), tensor.elements()) << name;
      std::ranges::copy(tensor.values<double>(), of_images.tensors().at(name).values<double>().begin());
    }
    a.bind_all(of_vectors.tensors());
    b.bind_all(of_images.tensors());
    for (int i = 0; i < 12; ++i)
      a.input("input").as<double>()[i] = b.input("image").as<double>()[i] = std::sin(3.0 * i);
    a.run_compute();
    b.run_compute();
    EXPECT_TRUE(not_vacuous(a.output("logits")));
    EXPECT_TRUE(near(a.output("logits"), b.output("logits"), {1e-12, 1e-14})) << circuit.name;
    ++compared;
  }
  EXPECT_GE(compared, 6);
}

}  // namespace
}  // namespace chiasm::test
