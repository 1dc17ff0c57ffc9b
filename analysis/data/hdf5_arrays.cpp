// SPDX-License-Identifier: Apache-2.0
// HDF5 as ArrayContainer.
#include <algorithm>

#include "analysis/data/array_formats.h"
#include "engine/io/hdf5.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr int kMostDepth = 16;
constexpr std::size_t kMostArrays = 10000;

// "a/b" and "/a/b" are the same.
std::string rooted(const std::string& name) { return name.starts_with('/') ? name : "/" + name; }

class Hdf5Arrays final : public ArrayContainer {
 public:
  explicit Hdf5Arrays(const std::string& path) : ArrayContainer(path), file_(path) {}

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
    return file_.spec(rooted(name));
  }
  Tensor read(const std::string& name) const override {
    require(name);
    return file_.read(rooted(name));
  }
  Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const override {
    const Shape shape = spec(name).shape;
    const std::vector<std::int64_t> zeros(static_cast<std::size_t>(shape.rank()), 0);
    return file_.read(rooted(name), Shape(zeros).with(0, first), shape.with(0, count));
  }
  std::vector<std::string> labels(const std::string& name) const override {
    require(name);
    const std::string path = rooted(name);
    if (file_.kind(path) == Hdf5Reader::Kind::kTexts) return file_.texts(path);
    return number_labels(file_.read(path));
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
};

}  // namespace

std::unique_ptr<ArrayContainer> open_hdf5_arrays(const std::string& path) { return std::make_unique<Hdf5Arrays>(path); }

}  // namespace chiasm
