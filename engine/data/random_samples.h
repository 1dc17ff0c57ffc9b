// SPDX-License-Identifier: Apache-2.0
// RandomSamples: a source of noise, where a network is to be run on samples of the right size and none are at hand.
#pragma once

#include "engine/data/source.h"

namespace chiasm {

class RandomSamples final : public Source {
 public:
  // `size` samples of these fields: images and floating fields uniform in [0, 1), whole numbers 0, 1, ... classes - 1
  // in turn. REQUIRES: a size and a number of classes of at least 1; images of one size.
  RandomSamples(std::int64_t size, Fields fields, std::int64_t classes);

  std::int64_t size() const override { return size_; }
  Fields fields() const override { return fields_; }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  void read(const SampleAddress& address, Sample& sample) const override;

 private:
  std::int64_t size_;
  Fields fields_;
  std::vector<std::string> class_names_;
};

}  // namespace chiasm
