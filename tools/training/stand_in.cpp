// SPDX-License-Identifier: Apache-2.0
#include "tools/training/stand_in.h"

#include "engine/data/random_samples.h"

namespace chiasm {

std::shared_ptr<const Source> stand_in_data(const Recipe& recipe) {
  constexpr std::int64_t kBatches = 4;
  Fields fields = recipe.task->fields(recipe.network);
  // Views of one image are made of that image.
  for (const ImageShow& view : recipe.data.train_views) {
    if (view.as != view.field) fields.insert_or_assign(view.field, fields.at(view.as));
  }
  return std::make_shared<RandomSamples>(kBatches * recipe.train.batch, std::move(fields),
                                         readout_shape(recipe.network).at(-1));
}

}  // namespace chiasm
