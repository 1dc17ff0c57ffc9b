// SPDX-License-Identifier: Apache-2.0
// A matrix as text as ArrayContainer.
#include <algorithm>

#include "analysis/data/array_formats.h"
#include "analysis/data/csv_table.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

class CsvArrays final : public ArrayContainer {
 public:
  explicit CsvArrays(const std::string& path) : ArrayContainer(path) {
    CsvReader file(path);
    std::vector<std::string> first;
    if (!file.next(first)) throw FileError(path, "", "is empty");
    table_ = read_csv_table(file, std::move(first));
  }

  std::vector<std::string> arrays() const override { return {""}; }
  bool has(const std::string& name) const override { return name.empty() || !ids(name).empty(); }
  Spec spec(const std::string& name) const override { return read(name).spec(); }
  Tensor read(const std::string& name) const override {
    if (!name.empty()) throw FileError(path(), "", "is one matrix, which has no name; \"" + name + "\" is not there");
    return table_.values;
  }
  Tensor read_part(const std::string& name, std::int64_t first, std::int64_t count) const override {
    const Tensor whole = read(name);
    const std::int64_t columns = whole.shape()[1];
    return Tensor::of<double>({count, columns},
                              whole.values<double>().subspan(static_cast<std::size_t>(first * columns),
                                                             static_cast<std::size_t>(count * columns)));
  }
  std::vector<std::string> labels(const std::string& name) const override {
    return ids(name).empty() ? number_labels(read(name)) : ids(name);
  }

 private:
  const std::vector<std::string>& ids(const std::string& name) const {
    static const std::vector<std::string> none;
    return name == "row ids" ? table_.row_ids : name == "column ids" ? table_.column_ids : none;
  }

  CsvTable table_;
};

}  // namespace

std::unique_ptr<ArrayContainer> open_csv_arrays(const std::string& path) { return std::make_unique<CsvArrays>(path); }

}  // namespace chiasm
