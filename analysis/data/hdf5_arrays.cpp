// SPDX-License-Identifier: Apache-2.0
// HDF5 as ArrayContainer.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "analysis/data/array_formats.h"
#include "analysis/data/matlab_cells.h"
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
  explicit Hdf5Arrays(const std::string& path)
      : ArrayContainer(path), file_(path), cells_(file_), transposed_(is_matlab(path)) {}

  std::vector<std::string> arrays() const override {
    std::vector<std::string> names;
    std::set<std::uint64_t> seen;
    collect("", 0, seen, names);
    return names;
  }
  std::string unreadable() const override {
    std::string words;
    for (const std::string& name : file_.names("/")) {
      const std::string what = transposed_ ? matlab_object(name) : file_.words(rooted(name));
      if (what.empty()) continue;
      words += (words.empty() ? "" : "; ") + (transposed_ ? matlab_advice(name, what) : no_numbers_advice(name, what));
    }
    return words;
  }
  bool has(const std::string& name) const override {
    const std::string cell = transposed_ ? stacked_cell(name) : "";
    const std::string at = place(cell.empty() ? name : cell);
    if (at.empty() || !matlab_object(at).empty()) return false;
    if (transposed_ && cells_.is_cell(at)) return true;
    const Hdf5Reader::Kind kind = file_.kind(rooted(at));
    return cell.empty() && (kind == Hdf5Reader::Kind::kNumbers || kind == Hdf5Reader::Kind::kTexts);
  }
  Spec spec(const std::string& name) const override {
    if (transposed_ && !stacked_cell(name).empty()) return read(name).spec();
    Spec spec = file_.spec(rooted(require_numbers(name)));
    if (transposed_) spec.shape = reversed(spec.shape);
    return spec;
  }
  Tensor read(const std::string& name) const override {
    if (const std::string cell = transposed_ ? stacked_cell(name) : ""; !cell.empty()) {
      return stack_cells(*this, cell, cells_.elements(require_cell(cell)).size());
    }
    const Tensor values = file_.read(rooted(require_numbers(name)));
    return transposed_ ? row_major_from(values, reversed(values.shape())) : values;
  }
  Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const override {
    if (transposed_ && !stacked_cell(name).empty()) return elements_of(read(name), first, count);
    const std::string at = require_numbers(name);
    const Shape shape = file_.spec(rooted(at)).shape;
    const int axis = transposed_ ? shape.rank() - 1 : 0;
    const std::vector<std::int64_t> zeros(static_cast<std::size_t>(shape.rank()), 0);
    const Tensor part = file_.read(rooted(at), Shape(zeros).with(axis, first), shape.with(axis, count));
    return transposed_ ? row_major_from(part, reversed(part.shape())) : part;
  }
  std::vector<std::string> labels(const std::string& name) const override {
    const std::string at = require(name);
    if (!transposed_) return hdf5_labels(file_, rooted(at));
    if (!cells_.is_cell(at)) return matlab_labels(at);
    std::vector<std::string> labels;
    for (const std::string& element : cells_.elements(at)) {
      std::vector<std::string> one = matlab_labels(element);
      if (one.size() != 1) {
        throw FileError(label(name), "", "has " + std::to_string(one.size()) + " values in a cell, one is needed");
      }
      labels.push_back(std::move(one.front()));
    }
    return labels;
  }

 private:
  // Where an array lies; "" where there is none.
  std::string place(const std::string& name) const {
    return !transposed_ || file_.has(rooted(name)) ? name : cells_.find(name);
  }

  std::string matlab_class(const std::string& path) const {
    const std::map<std::string, std::string> attributes = file_.text_attributes(rooted(path));
    const auto known = attributes.find("MATLAB_class");
    return known == attributes.end() ? "" : known->second;
  }

  std::vector<std::string> matlab_labels(const std::string& path) const {
    if (path.empty() || matlab_class(path) != "char") return hdf5_labels(file_, rooted(path));
    // Each column of a matrix of characters, as HDF5 sees it, is a text.
    return matlab_texts(file_.integers(rooted(path)), file_.shape(rooted(path)));
  }

  // What an object of a MATLAB file is that is no array of numbers, although it is stored as some; else "".
  std::string matlab_object(const std::string& name) const {
    using Reader = Hdf5Reader;
    if (!transposed_ || name == "#refs#" || name == "#subsystem#") return "";
    const std::string path = rooted(name);
    const Reader::Kind kind = file_.kind(path);
    if (kind == Reader::Kind::kNothing || kind == Reader::Kind::kTexts || kind == Reader::Kind::kReferences) return "";
    if (kind == Reader::Kind::kGroup) return file_.has(path + "/ir") && file_.has(path + "/jc") ? "a sparse array" : "";
    const std::string type = matlab_class(name);
    const bool numeric = type.empty() || type == "double" || type == "single" || type == "logical" || type == "char" ||
                         type.starts_with("int") || type.starts_with("uint");
    if (numeric) return kind == Reader::Kind::kOther ? "an array of complex numbers" : "";
    return type == "cell" ? "" : "a MATLAB " + type;  // a cell without elements is two zeros
  }

  // Where it lies. Throws FileError where there is nothing, or what cannot be read.
  std::string require(const std::string& name) const {
    const std::string at = place(name);
    if (const std::string what = matlab_object(at); !what.empty()) {
      throw FileError(path(), "", matlab_advice(name, what));
    }
    if (const std::string what = transposed_ ? "" : file_.words(rooted(at)); !what.empty() && what != "texts") {
      throw FileError(path(), "", no_numbers_advice(name, what));
    }
    if (!has(name)) throw_no_array(path(), name, arrays());
    return at;
  }
  std::string require_numbers(const std::string& name) const {
    std::string at = require(name);
    if (transposed_ && cells_.is_cell(at)) {
      throw FileError(label(name), "", "is a cell, numbers are needed; " + name + "{*} stacks what it holds");
    }
    return at;
  }
  std::string require_cell(const std::string& name) const {
    std::string at = require(name);
    if (!cells_.is_cell(at)) throw FileError(label(name), "", "is no cell");
    return at;
  }

  // Links may lead in circles, or to one group in many ways: each group is listed once. What lies deeper than
  // kMostDepth is not.
  void collect(const std::string& group, int depth, std::set<std::uint64_t>& seen,
               std::vector<std::string>& names) const {
    if (!seen.insert(file_.address(rooted(group))).second) return;
    for (const std::string& name : file_.names(rooted(group))) {
      if (names.size() >= kMostArrays) return;
      const std::string below = group.empty() ? name : group + "/" + name;
      // What cells hold is listed with them.
      if (transposed_ && (below == "#refs#" || below == "#subsystem#")) continue;
      if (matlab_object(below).empty()) collect_object(below, below, depth, seen, names);
    }
  }

  // What lies at `path` and is called `name`.
  void collect_object(const std::string& path, const std::string& name, int depth, std::set<std::uint64_t>& seen,
                      std::vector<std::string>& names) const {
    const Hdf5Reader::Kind kind = file_.kind(rooted(path));
    if (kind == Hdf5Reader::Kind::kNumbers) names.push_back(name);
    if (kind == Hdf5Reader::Kind::kGroup && depth < kMostDepth && name == path) collect(path, depth + 1, seen, names);
    if (kind != Hdf5Reader::Kind::kReferences || !transposed_ || depth >= kMostDepth) return;
    if (!seen.insert(file_.address(rooted(path))).second) return;
    const std::vector<std::string>& elements = cells_.elements(path);
    for (std::size_t i = 0; i < elements.size() && names.size() < kMostArrays; ++i) {
      if (elements[i].empty() || !matlab_object(elements[i]).empty() || matlab_class(elements[i]) == "char") continue;
      collect_object(elements[i], name + "{" + std::to_string(i + 1) + "}", depth + 1, seen, names);
    }
  }

  Hdf5Reader file_;
  MatlabCells cells_;
  bool transposed_;
};

}  // namespace

std::unique_ptr<ArrayContainer> open_hdf5_arrays(const std::string& path) { return std::make_unique<Hdf5Arrays>(path); }

}  // namespace chiasm
