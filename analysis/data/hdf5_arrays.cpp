// SPDX-License-Identifier: Apache-2.0
// HDF5 as ArrayContainer.
#include <algorithm>
#include <span>
#include <string_view>

#include "analysis/data/array_formats.h"
#include "analysis/data/neural_formats.h"
#include "engine/io/column_major.h"
#include "engine/io/hdf5.h"
#include "engine/io/input_file.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr int kMostDepth = 16;
constexpr std::size_t kMostArrays = 10000;

// "a/b" and "/a/b" are the same.
std::string rooted(const std::string& name) { return name.starts_with('/') ? name : "/" + name; }

// MATLAB -v7.3: arrays lie there in MATLAB's order, the first axis fastest, and HDF5 sees their axes in reverse.
bool is_matlab(const std::string& path) {
  constexpr std::string_view kMark = "MATLAB 7.3";
  const InputFile file(path);
  std::string start(kMark.size(), '\0');
  if (file.size() < std::ssize(start)) return false;
  file.read(0, std::as_writable_bytes(std::span(start)));
  return start == kMark;
}

Shape reversed(const Shape& shape) {
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  std::ranges::reverse(sizes);
  return Shape(sizes);
}

class Hdf5Arrays final : public ArrayContainer {
 public:
  explicit Hdf5Arrays(const std::string& path) : ArrayContainer(path), file_(path), transposed_(is_matlab(path)) {}

  std::vector<std::string> arrays() const override {
    std::vector<std::string> names;
    collect("", 0, names);
    return names;
  }
  bool has(const std::string& name) const override {
    const Hdf5Reader::Kind kind = file_.kind(rooted(name));
    return kind == Hdf5Reader::Kind::kNumbers || kind == Hdf5Reader::Kind::kTexts;
  }
  Spec spec(const std::string& name) const override {
    require(name);
    Spec spec = file_.spec(rooted(name));
    if (transposed_) spec.shape = reversed(spec.shape);
    return spec;
  }
  Tensor read(const std::string& name) const override {
    require(name);
    const Tensor values = file_.read(rooted(name));
    return transposed_ ? row_major_from(values, reversed(values.shape())) : values;
  }
  Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const override {
    require(name);
    const Shape shape = file_.spec(rooted(name)).shape;
    const int axis = transposed_ ? shape.rank() - 1 : 0;
    const std::vector<std::int64_t> zeros(static_cast<std::size_t>(shape.rank()), 0);
    const Tensor part = file_.read(rooted(name), Shape(zeros).with(axis, first), shape.with(axis, count));
    return transposed_ ? row_major_from(part, reversed(part.shape())) : part;
  }
  std::vector<std::string> labels(const std::string& name) const override {
    require(name);
    return hdf5_labels(file_, rooted(name));
  }

 private:
  void require(const std::string& name) const {
    if (!has(name)) throw_no_array(path(), name, arrays());
  }

  // Links may lead in circles; what lies deeper than kMostDepth is not listed.
  void collect(const std::string& group, int depth, std::vector<std::string>& names) const {
    for (const std::string& name : file_.names(rooted(group))) {
      if (names.size() >= kMostArrays) return;
      const std::string below = group.empty() ? name : group + "/" + name;
      const Hdf5Reader::Kind kind = file_.kind(rooted(below));
      if (kind == Hdf5Reader::Kind::kNumbers) names.push_back(below);
      if (kind == Hdf5Reader::Kind::kGroup && depth < kMostDepth) collect(below, depth + 1, names);
    }
  }

  Hdf5Reader file_;
  bool transposed_;
};

}  // namespace

std::unique_ptr<ArrayContainer> open_hdf5_arrays(const std::string& path) { return std::make_unique<Hdf5Arrays>(path); }

}  // namespace chiasm
