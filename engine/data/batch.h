// SPDX-License-Identifier: Apache-2.0
// Batches: samples side by side, as named tensors. Images are in them as views: what an augmentation makes of them, and
// there may be several of one image.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/augment.h"
#include "engine/data/source.h"
#include "engine/tensor.h"

namespace chiasm {

// How a batch shows the images of a field.
struct ImageShow {
  std::string field = "image";  // of the sample
  std::string as = "image";     // in the batch
  Augmentation augmentation = {};
  // Views with the same number change their image by the same random numbers: an image and its depth map.
  std::uint32_t draw = 0;
};

// Where in the sequence of batches; what a snapshot keeps to resume.
struct LoaderPosition {
  std::int64_t epoch = 0;
  std::int64_t batch = 0;  // in the epoch
  bool operator==(const LoaderPosition&) const = default;
};

struct Batch {
  std::map<std::string, Tensor, std::less<>> fields;  // [B, ...]; images as float32 [B, height, width, channels]
  Tensor indices;                                     // int32 [B], into the source
  LoaderPosition position;

  std::int64_t size() const { return indices.elements(); }
  // Null: the batch has no such field.
  const Tensor* find(std::string_view field) const;
  // Throws InternalError instead.
  const Tensor& at(std::string_view field) const;
};

class BatchMaker {
 public:
  // Batches have the views, and the fields of `tensors` (none given: every one that is no image). Without views each
  // image is shown as it is. Throws InputError for a field that the source lacks, naming those that it has, for a name
  // given twice, and for augmentations that do not fit.
  BatchMaker(std::shared_ptr<const Source> source, std::vector<ImageShow> views,
             std::optional<std::vector<std::string>> tensors, std::uint64_t seed);

  // What a batch holds of each sample, by name.
  const Fields& fields() const { return fields_; }
  const Source& source() const { return *source_; }
  // Thread-safe. REQUIRES: at least one index, each of the source.
  Batch make(std::span<const std::int32_t> indices, std::uint32_t epoch) const;

 private:
  std::shared_ptr<const Source> source_;
  std::vector<ImageShow> views_;
  std::vector<std::string> tensors_;
  std::uint64_t seed_;
  Fields fields_;
};

}  // namespace chiasm
