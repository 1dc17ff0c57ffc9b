// SPDX-License-Identifier: Apache-2.0
#include "engine/data/batch.h"

#include <algorithm>
#include <cstring>

#include "engine/batch_shape.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

const Field& field_of(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found != fields.end()) return found->second;
  throw InputError("the data has no field \"" + name + "\"; it has " + field_names(fields));
}

}  // namespace

const Tensor* Batch::find(std::string_view field) const {
  const auto found = fields.find(field);
  return found == fields.end() ? nullptr : &found->second;
}

const Tensor& Batch::at(std::string_view field) const {
  const Tensor* found = find(field);
  if (found == nullptr) throw InternalError("the batch has no " + std::string(field));
  return *found;
}

BatchMaker::BatchMaker(std::shared_ptr<const Source> source, std::vector<ImageShow> views,
                       std::optional<std::vector<std::string>> tensors, std::uint64_t seed)
    : source_(std::move(source)), views_(std::move(views)), seed_(seed) {
  const Fields known = source_->fields();
  const bool all = !tensors;
  if (tensors) tensors_ = std::move(*tensors);
  const bool shows_all = views_.empty();
  for (const auto& [name, field] : known) {
    if (field.image && shows_all) views_.push_back({.field = name, .as = name});
    if (!field.image && all) tensors_.push_back(name);
  }
  const auto add = [&](const std::string& name, const Field& field) {
    if (!fields_.emplace(name, field).second) throw InputError("batches: two fields are called \"" + name + "\"");
  };
  for (const ImageShow& view : views_) {
    const Field& field = field_of(known, view.field);
    if (!field.image) throw InputError("the field \"" + view.field + "\" of the data is no image");
    add(view.as, {view.augmentation.output(field.spec), true});
  }
  for (const std::string& name : tensors_) {
    const Field& field = field_of(known, name);
    if (field.image) throw InputError("the field \"" + name + "\" of the data is an image: show it as a view");
    add(name, field);
  }
}

Batch BatchMaker::make(std::span<const std::int32_t> indices, std::uint32_t epoch) const {
  const auto count = static_cast<std::int64_t>(indices.size());
  Batch batch;
  batch.indices = Tensor::of<std::int32_t>({count}, indices);
  for (const auto& [name, field] : fields_) {
    batch.fields.emplace(name, Tensor(Spec{field.spec.dtype, with_batch(count, field.spec.shape)}));
  }
  Sample sample;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    source_->read({seed_, epoch, indices[i]}, sample);
    const Sample& values = sample;
    for (const ImageShow& view : views_) {
      const std::span<float> images = batch.fields.at(view.as).values<float>();
      const std::size_t pixels = images.size() / indices.size();
      view.augmentation.apply(values.image(view.field), images.subspan(i * pixels, pixels), seed_, epoch,
                              static_cast<std::uint32_t>(indices[i]), view.draw);
    }
    for (const std::string& name : tensors_) {
      const std::span<const std::byte> from = values.tensor(name).bytes();
      const std::span<std::byte> to = batch.fields.at(name).bytes();
      if (from.size() * indices.size() != to.size()) throw InternalError("a sample's " + name + " has another size");
      std::memcpy(to.data() + i * from.size(), from.data(), from.size());
    }
  }
  return batch;
}

}  // namespace chiasm
