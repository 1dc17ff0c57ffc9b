// SPDX-License-Identifier: Apache-2.0
// Subset: some samples of a source, by their positions.
#pragma once

#include <memory>
#include <vector>

#include "engine/data/source.h"

namespace chiasm {

class Subset final : public Source {
 public:
  // REQUIRES: positions of samples of `whole`.
  Subset(std::shared_ptr<const Source> whole, std::vector<std::int32_t> positions)
      : whole_(std::move(whole)), positions_(std::move(positions)) {}

  std::int64_t size() const override { return std::ssize(positions_); }
  Fields fields() const override { return whole_->fields(); }
  const std::vector<std::string>& class_names() const override { return whole_->class_names(); }
  void read(const SampleAddress& address, Sample& sample) const override {
    SampleAddress in_whole = address;
    in_whole.index = positions_[static_cast<std::size_t>(address.index)];
    whole_->read(in_whole, sample);
  }

 private:
  std::shared_ptr<const Source> whole_;
  std::vector<std::int32_t> positions_;
};

// `count` positions evenly spaced over `size`, so that sorted classes stay represented. REQUIRES: 0 < count <= size.
std::vector<std::int32_t> evenly_spaced(std::int64_t count, std::int64_t size);

}  // namespace chiasm
