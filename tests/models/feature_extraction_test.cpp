// SPDX-License-Identifier: Apache-2.0
// What is written is what the plain unroll computes, whatever the batch and the passes, and reductions are what they
// say.
#include "models/feature_extraction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/config/config.h"
#include "engine/io/npy.h"
#include "kernels/error.h"
#include "tests/support/compare.h"
#include "tests/support/file_corpus.h"

namespace chiasm::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kImages = 7;

// The image arrives at conv1 at step 1, at conv2 at 2, at conv3 at 3 and at the readout at 4.
const char* const kNetwork = R"({
  "image": [6, 6, 2], "steps": 9, "image_on": 1, "image_off": 4, "step_ms": 5, "blank": 0.25,
  "layers": [
    {"name": "conv1", "pre": [{"op": "conv", "channels": 3, "kernel": 3, "bias_init": 0.1}, "elu"],
     "post": [{"op": "max_pool", "size": 2}]},
    {"name": "conv2", "pre": [{"op": "conv", "channels": 4, "kernel": 3, "bias_init": 0.2}],
     "cell": {"type": "rgc", "cell_channels": 2}, "post": [{"op": "max_pool", "size": 3}]},
    {"name": "conv3", "pre": [{"op": "conv", "channels": 4, "kernel": 1}], "cell": {"type": "time_decay"}},
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 5}]}],
  "connections": [{"source": "conv3", "target": "conv2"}]})";

class Extraction : public testing::Test {
 protected:
  Extraction() : network(read_network(Config::parse(kNetwork, "test").root())) {
    Tensor images(Spec{DType::kFloat32, {kImages, 6, 6, 2}});
    for (std::size_t i = 0; i < images.values<float>().size(); ++i) {
      images.values<float>()[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i * i % 1009)));
    }
    write_npy(folder / "images.npy", images);
    source = open_images({.path = folder / "images.npy", .shape = {6, 6, 2}});
  }

  ExtractionConfig config(std::vector<std::string> layers, const std::string& steps = "all",
                          const std::string& reduction = "") const {
    return {.layers = select_layers(network.graph, layers),
            .steps = select_steps(steps, network.presentation.steps),
            .reduction = FeatureReduction::parse(reduction),
            .batch = 3,
            .dtype = DType::kFloat64,
            .normalisation = {.mean = {0.1}, .deviation = {2.0}},
            .program = {.threads = 1}};
  }

  std::unique_ptr<FeatureSource> run(const ExtractionConfig& config, const std::string& name = "features.npz") const {
    Parameters parameters;
    FeatureExtraction extraction(network, parameters, *source, all_images(), config);
    parameters.initialise(3);
    EXPECT_TRUE(extraction.run(folder / name));
    return open_features(folder / name);
  }

  static std::vector<std::int64_t> all_images() { return {0, 1, 2, 3, 4, 5, 6}; }

  // [step][image] of a layer from the plain unroll, without passes, on all images at once.
  std::vector<Tensor> unrolled(const std::string& layer, bool units) const {
    Parameters parameters;
    Graph graph;
    const Scope scope(graph, parameters, {.dtype = DType::kFloat64});
    const Value image = graph.input("image", Spec{DType::kFloat64, {kImages, 6, 6, 2}});
    const Unrolled u = unroll(network.graph, network.presentation, scope, image);
    const auto& values = (units ? u.units : u.output)[static_cast<std::size_t>(network.graph.index_of(layer))];
    for (std::size_t t = 0; t < values.size(); ++t) graph.output(std::to_string(t), values[t]);
    parameters.initialise(3);
    Program program(graph, {.threads = 1, .passes = "none"});
    program.bind_all(parameters.tensors());
    std::vector<float> one(6 * 6 * 2);
    for (std::int64_t i = 0; i < kImages; ++i) {
      source->load(i, one);
      for (std::size_t k = 0; k < one.size(); ++k) {
        program.input("image").as<double>()[static_cast<std::size_t>(i) * one.size() + k] = (one[k] - 0.1F) / 2.0F;
      }
    }
    program.run();
    std::vector<Tensor> result;
    for (std::size_t t = 0; t < values.size(); ++t) {
      const View view = program.output(std::to_string(t));
      Tensor copy(view.spec());
      std::copy_n(view.as<double>(), view.elements(), copy.values<double>().begin());
      result.push_back(copy.reshaped({kImages, view.elements() / kImages}));
    }
    return result;
  }

  TempFolder folder;
  Network network;
  std::unique_ptr<ImageSource> source;
};

// Files hold float32: half an ulp, and the float32 arithmetic of normalising the images.
constexpr Tolerance kStored{2e-7, 1e-9};

TEST_F(Extraction, ValuesAreThoseOfTheUnroll) {
  const auto features = run(config({"all", "conv*:units"}));
  const FeatureHeader& header = features->header();
  std::vector<std::string> names;
  for (const FeatureLayer& layer : header.layers) names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("conv1", "conv2", "conv3", "readout", "conv1:units", "conv2:units", "conv3:units"));
  EXPECT_EQ(header.layers[0].shape, (Shape{3, 3, 3}));
  EXPECT_EQ(header.layers[4].shape, (Shape{6, 6, 3}));
  EXPECT_EQ(header.layers[1].shape, (Shape{1, 1, 4}));
  EXPECT_EQ(header.layers[5].shape, (Shape{3, 3, 4}));
  EXPECT_EQ(header.layers[3].shape, (Shape{5}));
  EXPECT_EQ(header.layers[2].arrival_step, 3);
  EXPECT_EQ(header.step_ms, 5);
  EXPECT_EQ(header.attributes.at("image_off_step"), "4");
  for (std::size_t layer = 0; layer < names.size(); ++layer) {
    const std::string name = names[layer].substr(0, names[layer].find(':'));
    const std::vector<Tensor> expected = unrolled(name, name != names[layer]);
    for (std::size_t t = 0; t < 9; ++t) {
      const Tensor rows = features->read(layer, t, 0, kImages);
      EXPECT_TRUE(near(rows.view(), expected[t].view(), kStored)) << names[layer] << " @t" << t;
      // Before the image arrives every image gets the same; afterwards, also when it is gone, each its own.
      const bool same =
          std::equal(rows.values<float>().begin() + header.layers[layer].units(),
                     rows.values<float>().begin() + 2 * header.layers[layer].units(), rows.values<float>().begin());
      const bool memory = name != "conv1";
      const bool seen = static_cast<int>(t) >= header.layers[layer].arrival_step && (memory || t < 4);
      EXPECT_EQ(same, !seen) << names[layer] << " @t" << t;
    }
  }
}

TEST_F(Extraction, StepsAndPresentationAreChosen) {
  network.presentation = present(network.presentation, 2, 6);
  const auto features = run(config({"conv3"}, "5,2..3"));
  EXPECT_THAT(features->header().steps, ElementsAre(2, 3, 5));
  EXPECT_EQ(features->header().attributes.at("image_off_step"), "3");
  const std::vector<Tensor> expected = unrolled("conv3", false);
  ASSERT_EQ(expected.size(), 6U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(near(features->read(0, i, 0, kImages).view(),
                     expected[static_cast<std::size_t>(features->header().steps[i])].view(), kStored));
  }
}

// float32: other batches may be blocked differently by the libraries. Sums of at most 3 x 3 x 8 terms in each of nine
// steps, three layers deep.
TEST_F(Extraction, DoesNotDependOnTheBatch) {
  ExtractionConfig c = config({"conv2", "readout"}, "all", "");
  c.dtype = DType::kFloat32;
  const auto whole = [&](std::int64_t batch, const std::string& passes, const std::string& name) {
    c.batch = batch;
    c.program.passes = passes;
    return run(c, name);
  };
  const auto reference = whole(3, "all", "a.npz");
  const Bytes bytes = read_all(folder / "a.npz");
  whole(3, "all", "b.npz");
  EXPECT_EQ(read_all(folder / "b.npz"), bytes);
  for (const std::int64_t batch : {1, 2, 7, 100}) {
    const auto other = whole(batch, batch == 2 ? "none" : "all", "c.npz");
    for (std::size_t layer = 0; layer < 2; ++layer) {
      for (std::size_t t = 0; t < 9; ++t) {
        EXPECT_TRUE(near(other->read(layer, t, 0, kImages).view(), reference->read(layer, t, 0, kImages).view(),
                         rounding_tolerance(DType::kFloat32, 8.0, 9 * 72.0)))
            << batch;
      }
    }
  }
}

TEST_F(Extraction, DeterministicModeDoesNotDependOnThreads) {
  ExtractionConfig c = config({"conv1", "conv2:units", "readout"}, "1..8");
  c.dtype = DType::kFloat32;
  c.program.deterministic = true;
  for (const char* reduction : {"", "pool:2,pca:3", "random:20"}) {
    c.reduction = FeatureReduction::parse(reduction);
    c.program.threads = 1;
    run(c, "one.npz");
    c.program.threads = 2;
    run(c, "two.npz");
    EXPECT_EQ(read_all(folder / "one.npz"), read_all(folder / "two.npz")) << reduction;
  }
}

TEST_F(Extraction, PoolsOverSpace) {
  const std::vector<Tensor> full = unrolled("conv1", false);
  const auto mean = run(config({"conv1", "readout"}, "2", "mean-pool"), "mean.h5");
  const auto max = run(config({"conv1", "readout"}, "2", "max-pool"), "max.h5");
  const auto grid = run(config({"conv1", "readout"}, "2", "pool:2"), "grid.h5");
  EXPECT_EQ(mean->header().layers[0].shape, (Shape{3}));
  EXPECT_EQ(grid->header().layers[0].shape, (Shape{2, 2, 3}));
  EXPECT_EQ(grid->header().layers[1].shape, (Shape{5}));  // no space to pool over
  for (std::int64_t image = 0; image < kImages; ++image) {
    const double* x = full[2].values<double>().data() + image * 27;  // [3, 3, 3]
    for (std::int64_t c = 0; c < 3; ++c) {
      double sum = 0.0, most = -1e9, corner = 0.0;
      for (std::int64_t p = 0; p < 9; ++p) {
        sum += x[p * 3 + c];
        most = std::max(most, x[p * 3 + c]);
        if (p / 3 >= 1 && p % 3 <= 1) corner += x[p * 3 + c];  // rows 1 to 2, columns 0 to 1
      }
      EXPECT_NEAR(mean->read(0, 0, image, 1).values<float>()[c], sum / 9, 1e-6);
      EXPECT_NEAR(max->read(0, 0, image, 1).values<float>()[c], most, 1e-6);
      EXPECT_NEAR(grid->read(0, 0, image, 1).values<float>()[2 * 3 + c], corner / 4, 1e-6);
    }
  }
}

// float32 arithmetic of a projection of at most 36 terms on values that files hold as float32.
const Tolerance kProjected = rounding_tolerance(DType::kFloat32, 16.0, 36.0);

TEST_F(Extraction, ProjectsOntoComponents) {
  ExtractionConfig c = config({"conv2:units", "conv1"}, "3..8", "pca:4");
  c.save_projection = true;
  const auto plain = run(config({"conv2:units"}, "3..8"), "plain.npz");
  for (const std::string name : {"pca.npz", "pca.h5"}) {
    const auto features = run(c, name);
    ASSERT_EQ(features->header().layers[0].shape, (Shape{4}));
    // All 42 rows are the sample, so the fit is that of the rows of the file.
    Tensor rows(Spec{DType::kFloat32, {42, 36}});
    for (std::int64_t image = 0; image < kImages; ++image) {
      for (std::size_t step = 0; step < 6; ++step) {
        const Tensor one = plain->read(0, step, image, 1);
        std::ranges::copy(one.values<float>(),
                          rows.values<float>().begin() + (image * 6 + static_cast<int>(step)) * 36);
      }
    }
    const Pca pca = fit_pca(CpuStream(1), rows, 4);
    const Tensor variance = features->array("pca/conv2:units/explained_variance");
    for (std::size_t k = 0; k < 4; ++k)
      EXPECT_NEAR(variance.values<double>()[k] / pca.explained_variance[k], 1.0, 1e-9);
    EXPECT_TRUE(near(features->array("pca/conv2:units/components").view(), pca.components.view(), {1e-6, 0.0}));
    EXPECT_TRUE(near(features->array("pca/conv2:units/mean").view(), pca.mean.view(), {1e-12, 0.0}));
    for (std::size_t step = 0; step < 6; ++step) {
      Tensor expected(Spec{DType::kFloat32, {kImages, 4}});
      Projection(pca).apply(CpuStream(1), std::vector<View>{plain->read(0, step, 0, kImages).view()},
                            std::vector<MutableView>{expected.view()});
      EXPECT_TRUE(near(features->read(0, step, 0, kImages).view(), expected.view(), kProjected));
    }
  }
  c.save_projection = false;
  EXPECT_THROW(run(c, "small.h5")->array("pca/conv1/components"), FileError);
}

TEST_F(Extraction, FitsComponentsToEvenlySpreadRows) {
  ExtractionConfig c = config({"conv2"}, "2..8", "pca:100");
  c.pca_samples = 5;
  const auto features = run(c);
  EXPECT_EQ(features->header().layers[0].shape, (Shape{4}));  // as many as units
  // Steps before the image arrives are all the same.
  c.steps = {0};
  EXPECT_THAT(error_of<InputError>([&] { run(c); }), AllOf(HasSubstr("layer \"conv2\""), HasSubstr("all equal")));
}

TEST_F(Extraction, ProjectsAtRandom) {
  ExtractionConfig c = config({"conv1"}, "3", "random:6");
  c.seed = 11;
  const auto features = run(c);
  const auto plain = run(config({"conv1"}, "3"), "plain.npz");
  Tensor expected(Spec{DType::kFloat32, {kImages, 6}});
  Projection(11, "conv1", 27, 6)
      .apply(CpuStream(1), std::vector<View>{plain->read(0, 0, 0, kImages).view()},
             std::vector<MutableView>{expected.view()});
  EXPECT_TRUE(near(features->read(0, 0, 0, kImages).view(), expected.view(), kProjected));
  EXPECT_EQ(features->header().attributes.at("projection_seed"), "11");
}

TEST_F(Extraction, StopsWithoutAFile) {
  Parameters parameters;
  FeatureExtraction extraction(network, parameters, *source, all_images(), config({"conv1"}));
  parameters.initialise(3);
  std::vector<std::int64_t> seen;
  EXPECT_FALSE(extraction.run(folder / "features.h5", [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, kImages);
    seen.push_back(done);
    return done < 6;
  }));
  EXPECT_THAT(seen, ElementsAre(3, 6));
  EXPECT_THAT(folder.names(), ElementsAre("images.npy"));
  EXPECT_THROW(extraction.run(folder / "none/features.h5"), SystemError);
  EXPECT_GT(extraction.estimate().program_bytes, 9 * 3 * 27 * 8);
  EXPECT_EQ(extraction.estimate().file_bytes, 9 * kImages * 27 * 4);
}

// A value that is not finite is an error that names where it came from.
TEST_F(Extraction, RefusesWhatIsNotFinite) {
  Parameters parameters;
  FeatureExtraction extraction(network, parameters, *source, all_images(), config({"conv3"}));
  parameters.initialise(3);
  parameters.tensors().at("conv2/conv/bias").values<double>()[0] = NAN;
  EXPECT_THAT(error_of<NumericalError>([&] { extraction.run(folder / "features.h5"); }), HasSubstr("conv2"));
  EXPECT_THAT(folder.names(), ElementsAre("images.npy"));
}

TEST_F(Extraction, SelectionsNameWhatIsWrong) {
  const auto layers = [&](std::vector<std::string> patterns) {
    return error_of<InputError>([&] { select_layers(network.graph, patterns); });
  };
  EXPECT_THAT(layers({"conv1", "conv9"}), AllOf(HasSubstr("\"conv9\""), HasSubstr("conv1, conv2, conv3, readout")));
  EXPECT_EQ(select_layers(network.graph, std::vector<std::string>{"c*3", "conv?", "conv3"}).size(), 3U);
  EXPECT_THAT(select_steps("7,1..3,2", 9), ElementsAre(1, 2, 3, 7));
  EXPECT_THAT(select_steps("last", 9), ElementsAre(8));
  for (const char* wrong : {"9", "x", "", "1,", "3..1", "-1", "1..", "0..9", "1.5"}) {
    EXPECT_THROW(select_steps(wrong, 9), InputError) << wrong;
  }
  for (const char* wrong : {"pool", "pool:0", "mean-pool:3", "pca:x", "pca:3,mean-pool", "pca:3,random:4", "median",
                            "mean-pool,max-pool", "mean-pool,,pca:2"}) {
    EXPECT_THROW(FeatureReduction::parse(wrong), InputError) << wrong;
  }
  EXPECT_EQ(FeatureReduction::parse("pool:7,random:5").outputs, 5);
  EXPECT_THROW(present(network.presentation, 0, {}), InputError);
  EXPECT_THROW(present(network.presentation, {}, 1), InputError);  // the image comes at step 1
}

}  // namespace
}  // namespace chiasm::test
