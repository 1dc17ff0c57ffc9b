// SPDX-License-Identifier: Apache-2.0
// FeatureExtraction: the activity of a network over time for a set of images, reduced on the way, into a feature file.
// It takes the memory of one batch, whatever the number of images.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/image_source.h"
#include "engine/data/normalisation.h"
#include "engine/features/feature_file.h"
#include "engine/program.h"
#include "engine/statistics/projection.h"
#include "models/activity.h"

namespace chiasm {

// What is done to the units of a layer before they are written: pooling over space, then a projection of what is left.
struct FeatureReduction {
  enum class Project { kNone, kPca, kRandom };
  SpatialPool pool;
  Project project = Project::kNone;
  std::int64_t outputs = 0;  // of the projection; a layer with fewer units, or samples of less rank, gives fewer

  // "", "mean-pool", "max-pool", "pool:7", "pca:100", "random:1000", or one of the first three and one of the last two
  // joined by a comma. Throws InputError.
  static FeatureReduction parse(const std::string& text);
};

struct ExtractionConfig {
  std::vector<ActivityLayer> layers;
  std::vector<int> steps;  // ascending
  FeatureReduction reduction;
  std::int64_t pca_samples = 2000;   // (image, step) pairs that components are fitted to, evenly spread over all
  bool save_projection = false;      // mean and components of a PCA go into the file
  std::uint64_t seed = 0;            // of random projections
  std::int64_t batch = 0;            // 0: batch_for()
  DType dtype = DType::kFloat32;     // of the computation; files hold float32
  PixelNormalisation normalisation;  // of images, as the network was trained with
  ProgramOptions program;
  std::map<std::string, std::string> attributes =
      {};  // for the file, beside those of the presentation and the reduction
};

// The largest power of two up to 32 with which what is recorded of a batch takes at most 256 MiB.
std::int64_t batch_for(const Network& network, const ExtractionConfig& config);

struct ExtractionEstimate {
  std::int64_t file_bytes = 0;
  std::int64_t program_bytes = 0;  // activations, with those that are recorded
  std::int64_t parameter_bytes = 0;
  std::int64_t projection_bytes = 0;  // rows that a PCA is fitted to, matrices
  std::int64_t memory_bytes() const { return program_bytes + parameter_bytes + projection_bytes; }
};

class FeatureExtraction {
 public:
  // Declares `parameters`; they must be allocated before run() and, as `network` and `source`, outlive this object.
  // `images` are positions in `source`, in the order of the file.
  FeatureExtraction(const Network& network, Parameters& parameters, const ImageSource& source,
                    std::vector<std::int64_t> images, ExtractionConfig config);

  // Before a PCA is fitted, the largest number of components counts.
  const FeatureHeader& header() const { return header_; }
  std::int64_t batch() const { return config_.batch; }
  ExtractionEstimate estimate() const;

  // Of all images that the network is run on; with a PCA, those of the fit and then those of the file.
  using Progress = std::function<bool(std::int64_t done, std::int64_t total)>;
  // Writes the file, whole or not at all. Returns false, without a file, when `progress` did. The same bits for the
  // same batch and threads; images do not influence each other, but libraries may block another batch differently.
  // Throws what create_features and its sink throw, FileError for an image, NumericalError naming the node when a value
  // is not finite.
  bool run(const std::string& path, const Progress& progress = {});

  // By layer; empty without a PCA or before run().
  const std::vector<Pca>& components() const { return pca_; }

 private:
  struct Recorder;
  std::int64_t units(std::size_t layer) const { return activity_[layer].elements(); }
  std::vector<std::int64_t> sampled_rows() const;
  bool fit(Recorder& recorder, const Progress& progress, std::int64_t& done, std::int64_t total);
  void make_projections();
  bool write(Recorder& recorder, const std::string& path, const Progress& progress, std::int64_t done,
             std::int64_t total) const;

  const Network& network_;
  Parameters& parameters_;
  const ImageSource& source_;
  std::vector<std::int64_t> images_;
  ExtractionConfig config_;
  std::vector<Shape> activity_;  // by layer, before a projection
  Graph graph_;
  FeatureHeader header_;
  std::vector<Pca> pca_;
  std::vector<std::unique_ptr<Projection>> projections_;  // by layer
};

}  // namespace chiasm
