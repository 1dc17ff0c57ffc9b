// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/data/image_source.h"
#include "engine/io/matlab.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using Kind = MatlabValue::Kind;

class MatlabImages final : public ImageSource {
 public:
  MatlabImages(const ImageSourceConfig& config, std::string label, MatlabValue value, std::size_t field)
      : ImageSource(config.shape, config.fit, config.view),
        label_(std::move(label)),
        value_(std::move(value)),
        field_(field) {
    const std::int64_t fields = std::max<std::int64_t>(std::ssize(value_.fields), 1);
    const std::int64_t count = std::ssize(value_.elements) / fields;
    for (std::int64_t i = 0; i < count; ++i) {
      const MatlabValue& image = at(i);
      const int rank = image.shape.rank();
      if (image.kind != Kind::kNumbers || rank > 3 || image.numbers.dtype() == DType::kInt32 ||
          image.numbers.elements() == 0) {
        throw FileError(name(i), "",
                        "images are [H, W] or [H, W, C] of uint8 or floating point, found " +
                            (image.kind == Kind::kNumbers ? to_string(image.numbers.spec()) : "no numbers"));
      }
      ids_.push_back(std::to_string(i));
    }
    if (ids_.empty()) throw FileError(label_, "", "has no image");
  }

 private:
  const MatlabValue& at(std::int64_t index) const {
    return value_.kind == Kind::kStruct ? value_.field(index, field_) : value_.element(index);
  }
  std::string name(std::int64_t index) const override { return label_ + "[" + std::to_string(index) + "]"; }
  Pixels read(std::int64_t index) const override {
    const MatlabValue& image = at(index);
    const std::int64_t channels = image.shape.rank() == 3 ? image.shape[2] : 1;
    return pixels_of_array(image.numbers, {.height = image.shape[0], .width = image.shape[1], .channels = channels},
                           name(index));
  }

  std::string label_;
  MatlabValue value_;
  std::size_t field_;
};

}  // namespace

std::unique_ptr<ImageSource> open_matlab_images(const ImageSourceConfig& config) {
  const MatlabReader file(config.path);
  const std::size_t dot = config.key.find('.');
  const std::string variable = config.key.substr(0, dot),
                    field = dot == config.key.npos ? "" : config.key.substr(dot + 1);
  const std::string label = config.path + "(" + config.key + ")";
  const auto found = std::ranges::find(file.variables(), variable, &MatlabReader::Variable::name);
  if (found == file.variables().end()) {
    std::string known;
    for (const auto& each : file.variables()) known += (known.empty() ? "" : ", ") + each.name;
    throw FileError(config.path, "",
                    "has no \"" + variable + "\"; say where the images are, as cell or struct.field; it has " + known);
  }
  MatlabValue value = file.read(static_cast<std::size_t>(found - file.variables().begin()));
  std::size_t index = 0;
  if (value.kind == Kind::kStruct) {
    const auto at = std::ranges::find(value.fields, field);
    if (at == value.fields.end()) {
      std::string known;
      for (const std::string& each : value.fields) known += (known.empty() ? "" : ", ") + each;
      throw FileError(label, "", "is a struct with the fields " + known + "; say which holds the images");
    }
    index = static_cast<std::size_t>(at - value.fields.begin());
  } else if (value.kind != Kind::kCell || !field.empty()) {
    throw FileError(label, "", "is no cell and no struct of images");
  }
  return std::make_unique<MatlabImages>(config, label, std::move(value), index);
}

}  // namespace chiasm
