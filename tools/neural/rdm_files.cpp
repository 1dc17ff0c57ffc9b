// SPDX-License-Identifier: Apache-2.0
#include "tools/neural/rdm_files.h"

#include <cmath>
#include <limits>

#include "analysis/data/array_container.h"
#include "analysis/matrix.h"
#include "engine/glob.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// n where n (n - 1) / 2 = pairs; 0 where there is none.
std::int64_t items_of_pairs(std::int64_t pairs) {
  const auto n = static_cast<std::int64_t>(std::llround((1.0 + std::sqrt(1.0 + 8.0 * static_cast<double>(pairs))) / 2));
  return pairs > 0 && n * (n - 1) / 2 == pairs ? n : 0;
}

// How many matrices an array of this shape holds, and the shape of one of them; 0: it is something else.
struct Layout {
  std::int64_t count = 0;
  bool square = false;
};
Layout layout_of(const Shape& shape) {
  const int rank = shape.rank();
  if (rank == 1 && items_of_pairs(shape[0]) > 0) return {1, false};
  if (rank == 2 && shape[0] == shape[1] && shape[0] > 1) return {1, true};
  // Row and column vectors of MATLAB as well.
  if (rank == 2 && shape[1] == 1 && items_of_pairs(shape[0]) > 0) return {1, false};
  if (rank == 2 && items_of_pairs(shape[1]) > 0) return {shape[0], false};
  if (rank == 3 && shape[1] == shape[2] && shape[1] > 1) return {shape[0], true};
  return {};
}

// What rounding to float32 does to the largest of them, and the arithmetic of whoever computed them so.
double float_rounding(const std::vector<double>& values) {
  constexpr double kRoundings = 4.0;
  double largest = 0.0;
  for (const double value : values) largest = std::fabs(value) > largest ? std::fabs(value) : largest;
  return kRoundings * std::numeric_limits<float>::epsilon() * largest;
}

}  // namespace

std::vector<NamedRdm> read_rdms(const std::string& path, const std::string& key) {
  const auto file = open_arrays(path);
  std::vector<NamedRdm> rdms;
  for (const std::string& name : file->arrays()) {
    const std::string label = file->label(name);
    if (!key.empty() && !fits_glob(key, name)) continue;
    const Layout layout = layout_of(file->spec(name).shape);
    if (layout.count == 0) {
      if (key.empty()) continue;
      throw FileError(label, "",
                      "found " + to_string(file->spec(name)) +
                          "; allowed are dissimilarities [items (items - 1) / 2] or [items, items], or "
                          "several of them along the first axis");
    }
    const Tensor all = file->read(name);
    const std::int64_t each = all.elements() / layout.count;
    const Matrix<double> rows = matrix_of<double>(all.reshaped({layout.count, each}));
    for (std::int64_t i = 0; i < layout.count; ++i) {
      const std::string one = layout.count > 1 ? label + "[" + std::to_string(i) + "]" : label;
      const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(each))));
      rdms.push_back({one, layout.square ? rdm_of_square({rows.row(i).data(), side, side, side}, one)
                                         : rdm_of_triangle({rows.row(i).begin(), rows.row(i).end()}, one)});
      if (all.dtype() == DType::kFloat32) rdms.back().rdm.rounding = float_rounding(rdms.back().rdm.values);
    }
  }
  if (!rdms.empty()) return rdms;
  std::string names;
  for (const std::string& name : file->arrays()) names += (names.empty() ? "" : ", ") + name;
  throw FileError(path, "",
                  "no array of dissimilarities" + (key.empty() ? "" : " \"" + key + "\"") + "; it has " +
                      (names.empty() ? "no arrays" : names) +
                      (file->unreadable().empty() ? "" : "; " + file->unreadable()));
}

}  // namespace chiasm
