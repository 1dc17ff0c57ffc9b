// SPDX-License-Identifier: Apache-2.0
#include "engine/data/array_source.h"

#include <algorithm>
#include <cstring>

#include "engine/data/dataset.h"
#include "engine/io/npy.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

class ArraySource final : public Source {
 public:
  std::int64_t size() const override { return size_; }
  Fields fields() const override { return fields_; }
  const std::vector<std::string>& class_names() const override { return class_names_; }

  void read(const SampleAddress& address, Sample& sample) const override {
    for (const auto& [name, array] : arrays_) {
      const Field& field = fields_.at(name);
      const std::size_t size = array.bytes().size() / static_cast<std::size_t>(size_);
      const std::span<const std::byte> from =
          array.bytes().subspan(static_cast<std::size_t>(address.index) * size, size);
      if (!field.image) {
        std::ranges::copy(from, sample.tensor(name, field.spec).bytes().begin());
      } else {
        read_image(array.dtype(), from, field.spec.shape, sample.image(name));
      }
    }
  }

  void add(const std::string& path, const std::string& name, const ArrayField& field) {
    Tensor array = read_npz(path, field.key);
    const std::string file = path + "(" + field.key + ")";
    if (field.image && array.shape().rank() == 3) array = array.reshaped(with_axis(array.shape()));
    const Shape& shape = array.shape();
    if (shape.rank() == 0 || shape.elements() == 0) throw FileError(file, "shape", "no samples: " + to_string(shape));
    if (field.image && (shape.rank() != 4 || array.dtype() == DType::kInt32)) {
      throw FileError(
          file, "",
          "images are [samples, height, width, channels], uint8 or floating, found " + to_string(array.spec()));
    }
    if (!arrays_.empty() && shape[0] != size_) {
      throw FileError(file, "shape",
                      std::to_string(shape[0]) + " samples, and the array before has " + std::to_string(size_));
    }
    size_ = shape[0];
    const Shape one(shape.sizes().subspan(1));
    fields_.emplace(name, Field{{field.image ? DType::kFloat32 : array.dtype(), one}, field.image});
    if (name == "label" && array.dtype() == DType::kInt32 && one.rank() == 0) {
      class_names_ = class_names_for(array.values<std::int32_t>(), {}, file);
    }
    arrays_.emplace(name, std::move(array));
  }

 private:
  static Shape with_axis(const Shape& shape) { return {shape[0], shape[1], shape[2], 1}; }

  static void read_image(DType dtype, std::span<const std::byte> from, const Shape& shape, Pixels& image) {
    image.height = shape[0];
    image.width = shape[1];
    image.channels = shape[2];
    const auto count = static_cast<std::size_t>(image.count());
    image.bytes.clear();
    image.values.clear();
    if (dtype == DType::kUInt8) {
      image.bytes.resize(count);
      std::memcpy(image.bytes.data(), from.data(), count);
      return;
    }
    image.values.resize(count);
    visit_floating(dtype, [&]<class T>() {
      const T* values = reinterpret_cast<const T*>(from.data());
      std::transform(values, values + count, image.values.begin(), [](T v) { return static_cast<float>(v); });
    });
  }

  std::int64_t size_ = 0;
  Fields fields_;
  std::map<std::string, Tensor, std::less<>> arrays_;
  std::vector<std::string> class_names_;
};

}  // namespace

std::shared_ptr<const Source> open_array_source(const std::string& path,
                                                const std::map<std::string, ArrayField>& fields) {
  auto source = std::make_shared<ArraySource>();
  for (const auto& [name, field] : fields) source->add(path, name, field);
  return source;
}

}  // namespace chiasm
