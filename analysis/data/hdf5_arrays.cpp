// SPDX-License-Identifier: Apache-2.0
// HDF5 as ArrayContainer.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
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
    std::set<std::uint64_t> seen;
    collect("", 0, seen, names);
    return names;
  }
  std::string unreadable() const override {
    std::string words;
    for (const std::string& name : file_.names("/")) {
      const std::string what = matlab_object(name);
      if (!what.empty()) words += (words.empty() ? "" : "; ") + matlab_advice(name, what);
    }
    return words;
  }
  bool has(const std::string& name) const override {
    if (!matlab_object(name).empty()) return false;
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
  // What an object of a MATLAB file is that is no array of numbers, although it is stored as some; else "".
  std::string matlab_object(const std::string& name) const {
    using Reader = Hdf5Reader;
    if (!transposed_ || name.starts_with('#')) return "";
    const std::string path = rooted(name);
    const Reader::Kind kind = file_.kind(path);
    if (kind == Reader::Kind::kNothing || kind == Reader::Kind::kTexts) return "";
    if (kind == Reader::Kind::kGroup) return file_.has(path + "/ir") && file_.has(path + "/jc") ? "a sparse array" : "";
    const std::map<std::string, std::string> attributes = file_.text_attributes(path);
    const auto known = attributes.find("MATLAB_class");
    const std::string type = known == attributes.end() ? "" : known->second;
    const bool numeric = type.empty() || type == "double" || type == "single" || type == "logical" || type == "char" ||
                         type.starts_with("int") || type.starts_with("uint");
    if (numeric) return kind == Reader::Kind::kOther ? "an array of complex numbers" : "";
    return type == "cell" ? "" : "a MATLAB " + type;
  }

  void require(const std::string& name) const {
    const std::string what = matlab_object(name);
    if (!what.empty()) throw FileError(path(), "", matlab_advice(name, what));
    if (!has(name)) throw_no_array(path(), name, arrays());
  }

  // Links may lead in circles, or to one group in many ways: each group is listed once. What lies deeper than
  // kMostDepth is not.
  void collect(const std::string& group, int depth, std::set<std::uint64_t>& seen,
               std::vector<std::string>& names) const {
    if (!seen.insert(file_.address(rooted(group))).second) return;
    for (const std::string& name : file_.names(rooted(group))) {
      if (names.size() >= kMostArrays) return;
      const std::string below = group.empty() ? name : group + "/" + name;
      const Hdf5Reader::Kind kind = file_.kind(rooted(below));
      if (!matlab_object(below).empty()) continue;
      if (kind == Hdf5Reader::Kind::kNumbers) names.push_back(below);
      if (kind == Hdf5Reader::Kind::kGroup && depth < kMostDepth) collect(below, depth + 1, seen, names);
    }
  }

  Hdf5Reader file_;
  bool transposed_;
};

}  // namespace

std::unique_ptr<ArrayContainer> open_hdf5_arrays(const std::string& path) { return std::make_unique<Hdf5Arrays>(path); }

}  // namespace chiasm
