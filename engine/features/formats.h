// SPDX-License-Identifier: Apache-2.0
// The formats behind feature_file.h.
#pragma once

#include "engine/features/feature_file.h"

namespace chiasm {

std::unique_ptr<FeatureSink> create_hdf5_features(const std::string& path, const FeatureHeader& header,
                                                  std::int64_t block_images);
std::unique_ptr<FeatureSink> create_npz_features(const std::string& path, const FeatureHeader& header);
std::unique_ptr<FeatureSource> open_hdf5_features(const std::string& path);
std::unique_ptr<FeatureSource> open_npz_features(const std::string& path);

// The arrays of a header that both formats have.
Tensor steps_of(const FeatureHeader& header);
Tensor times_of(const FeatureHeader& header);
// Fills steps and step_ms from those. Throws FileError naming `file`.
void set_steps(FeatureHeader& header, const Tensor& steps, const Tensor& times, const std::string& file);
// Throws FileError when the array of a layer does not have the type and shape that the header says.
void require_feature_array(const FeatureHeader& header, const FeatureLayer& layer, const Spec& found,
                           const std::string& file);

// Counts what was written, so that commit() can tell a file that lacks something.
class WrittenImages {
 public:
  explicit WrittenImages(const FeatureHeader& header);
  // Throws InternalError when a block does not follow the one before.
  void add(std::size_t layer, std::size_t step, std::int64_t first_image, std::int64_t count);
  void require_all() const;

 private:
  std::int64_t images_;
  std::vector<std::vector<std::int64_t>> written_;
};

}  // namespace chiasm
