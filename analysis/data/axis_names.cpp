// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/axis_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "kernels/error.h"

namespace chiasm {
namespace {

constexpr std::array kNames{
    std::pair{"unit", NeuralAxis::kUnit},
    std::pair{"neuron", NeuralAxis::kUnit},
    std::pair{"neuroid", NeuralAxis::kUnit},
    std::pair{"channel", NeuralAxis::kUnit},
    std::pair{"cell", NeuralAxis::kUnit},
    std::pair{"stimulus", NeuralAxis::kStimulus},
    std::pair{"stimuli", NeuralAxis::kStimulus},
    std::pair{"image", NeuralAxis::kStimulus},
    std::pair{"presentation", NeuralAxis::kStimulus},
    std::pair{"repeat", NeuralAxis::kRepeat},
    std::pair{"trial", NeuralAxis::kRepeat},
    std::pair{"repetition", NeuralAxis::kRepeat},
    std::pair{"time", NeuralAxis::kTime},
    std::pair{"bin", NeuralAxis::kTime},
    std::pair{"time_bin", NeuralAxis::kTime},
    std::pair{"step", NeuralAxis::kTime},
};

NeuralAxis parse_axis(std::string_view word, const std::string& text) {
  for (const auto& [name, axis] : kNames) {
    if (word == name || (word.starts_with(name) && word.substr(std::string_view(name).size()) == "s")) return axis;
  }
  throw InputError("axes \"" + text + "\": \"" + std::string(word) +
                   "\" is no axis; unit, stimulus, repeat and time are, separated by commas");
}

}  // namespace

const char* name_of(NeuralAxis axis) {
  switch (axis) {
    case NeuralAxis::kUnit:
      return "unit";
    case NeuralAxis::kStimulus:
      return "stimulus";
    case NeuralAxis::kRepeat:
      return "repeat";
    case NeuralAxis::kTime:
      return "time";
  }
  return "";
}

std::vector<NeuralAxis> parse_axes(const std::string& text) {
  std::vector<NeuralAxis> axes;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string word = text.substr(begin, end - begin);
    std::erase_if(word, [](unsigned char c) { return std::isspace(c) != 0; });
    std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const NeuralAxis axis = parse_axis(word, text);
    if (std::ranges::find(axes, axis) != axes.end()) {
      throw InputError("axes \"" + text + "\": " + name_of(axis) + " occurs twice");
    }
    axes.push_back(axis);
    begin = end + 1;
  }
  return axes;
}

Tensor to_neural_axes(const Tensor& values, const std::vector<NeuralAxis>& axes, const std::string& file) {
  const Shape& shape = values.shape();
  if (shape.rank() != static_cast<int>(axes.size())) {
    std::string names;
    for (const NeuralAxis axis : axes) names += std::string(names.empty() ? "" : ",") + name_of(axis);
    throw FileError(file, "", "is " + to_string(values.spec()) + ", which does not have the axes " + names);
  }
  std::array<std::int64_t, 4> sizes{1, 1, 1, 1};
  Strides from{};
  const Strides strides = shape.row_major();
  for (std::size_t i = 0; i < axes.size(); ++i) {
    sizes[static_cast<std::size_t>(axes[i])] = shape[static_cast<int>(i)];
    from[static_cast<std::size_t>(axes[i])] = strides[i];
  }
  const Shape target(sizes);
  if (is_floating(values.dtype()) && std::ranges::is_sorted(axes)) return values.reshaped(target);

  Tensor result(Spec{is_floating(values.dtype()) ? values.dtype() : DType::kFloat64, target});
  visit_any(values.dtype(), [&]<class T>() {
    const T* const in = values.values<T>().data();
    visit_floating(result.dtype(), [&]<class U>() {
      U* out = result.values<U>().data();
      for_each_offset(
          target, [&](std::int64_t offset) { *out++ = static_cast<U>(in[offset]); }, from);
    });
  });
  return result;
}

}  // namespace chiasm
