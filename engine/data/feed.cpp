// SPDX-License-Identifier: Apache-2.0
#include "engine/data/feed.h"

#include <algorithm>
#include <cstring>

#include "kernels/error.h"

namespace chiasm {
namespace {

template <class To, class From>
void fill(std::span<const From> from, std::int64_t samples, To* to, std::int64_t rows) {
  std::copy(from.begin(), from.end(), to);
  const std::size_t size = from.size() / static_cast<std::size_t>(samples);
  for (std::int64_t row = samples; row < rows; ++row) {
    std::copy_n(from.end() - static_cast<std::ptrdiff_t>(size), size, to + static_cast<std::size_t>(row) * size);
  }
}

void fill(const std::string& name, const Tensor& field, const MutableView& input) {
  const std::int64_t samples = field.shape()[0], rows = input.shape()[0];
  const bool fits = samples <= rows && field.shape() == input.shape().with(0, samples);
  if (!fits) {
    throw ShapeError("the batch has " + name + " of shape " + to_string(field.shape()) + ", and the program takes " +
                     to_string(input.shape()));
  }
  visit_any(input.dtype(), [&]<class To>() {
    visit_any(field.dtype(), [&]<class From>() {
      if constexpr (std::is_floating_point_v<To> == std::is_floating_point_v<From>) {
        fill(field.values<From>(), samples, input.as<To>(), rows);
      } else {
        throw ShapeError("the batch has " + name + " as " + std::string(name_of(field.dtype())) +
                         ", and the program takes " + std::string(name_of(input.dtype())));
      }
    });
  });
}

}  // namespace

void feed(Program& program, const Batch& batch) {
  const auto& inputs = program.graph().inputs();
  for (const auto& [name, field] : batch.fields) {
    if (inputs.contains(name)) fill(name, field, program.input(name));
  }
}

}  // namespace chiasm
