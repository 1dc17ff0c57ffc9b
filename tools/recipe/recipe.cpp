// SPDX-License-Identifier: Apache-2.0
#include "tools/recipe/recipe.h"

#include <cmath>

#include "models/recipe_file.h"
#include "tools/recipe/library.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMany = std::int64_t{1} << 40;

// What train and test sets share is given in "data" itself, what differs in "data.train" and "data.test".
DatasetConfig read_dataset(const ConfigNode& data, const char* part, const Shape& image) {
  DatasetConfig d;
  const ConfigNode own = data.object(part);
  const auto text = [&](const char* key, const std::string& absent) {
    return own.text_or(key, data.text_or(key, absent));
  };
  d.format = data.choice("format", {"idx", "cifar10", "folder", "npy", "npz"});
  d.path = text("path", "");
  if (d.path.empty()) own.fail_because("\"path\" is missing, here or in \"data\"");
  d.labels = text("labels", "");
  d.split = text("split", part);
  d.images_key = text("images_key", d.images_key);
  d.labels_key = text("labels_key", d.labels_key);
  d.limit = own.integer_or("limit", 0, {0, kMany});
  d.class_names = data.texts_or("class_names", {});
  d.height = image[0];
  d.width = image[1];
  d.channels = image[2];
  return d;
}

Augmentation read_normalisation(const ConfigNode& data, const Shape& image) {
  Augmentation a;
  a.crop_height = image[0];
  a.crop_width = image[1];
  if (!data.has("normalise")) return a;
  const ConfigNode node = data.object("normalise");
  a.scale = node.real_or("scale", 1.0);
  a.mean = node.reals_or("mean", {});
  a.deviation = node.reals_or("std", {}, RealRange::positive());
  return a;
}

DataRecipe read_data(const ConfigNode& data, const Shape& image) {
  DataRecipe result;
  result.train = read_dataset(data, "train", image);
  result.test = read_dataset(data, "test", image);
  result.shuffle = data.boolean_or("shuffle", true);
  result.test_augmentation = read_normalisation(data, image);
  result.train_augmentation = result.test_augmentation;
  if (data.has("augment")) {
    const ConfigNode node = data.object("augment");
    Augmentation& a = result.train_augmentation;
    a.pad = node.integer_or("pad", 0, {0, 4096});
    a.padding = node.choice_or("padding", "zero", {"zero", "reflect"}) == "zero" ? Padding::kZero : Padding::kReflect;
    a.random_crop = node.boolean_or("random_crop", a.pad > 0);
    a.flip_probability = node.real_or("flip_probability", 0.0, RealRange::between(0.0, 1.0));
    if (node.has("random_resized_crop")) {
      const ConfigNode crop = node.object("random_resized_crop");
      RandomResizedCrop r;
      r.area_min = crop.real_or("area_min", r.area_min, RealRange::between(1e-6, 1.0));
      r.area_max = crop.real_or("area_max", r.area_max, RealRange::between(r.area_min, 1.0));
      r.aspect_min = crop.real_or("aspect_min", r.aspect_min, RealRange::positive());
      r.aspect_max = crop.real_or("aspect_max", r.aspect_max, RealRange::at_least(r.aspect_min));
      a.random_resized_crop = r;
    }
  }
  return result;
}

Optimizer read_optimizer(const ConfigNode& train) {
  Optimizer optimizer;
  const ConfigNode node = train.object("optimizer");
  if (node.choice("type", {"sgd", "adam"}) == "sgd") {
    optimizer.rule = Sgd{.momentum = node.real_or("momentum", 0.0, {.min = 0.0, .max = 1.0, .open_max = true}),
                         .nesterov = node.boolean_or("nesterov", false)};
  } else {
    const RealRange decay{.min = 0.0, .max = 1.0, .open_max = true};
    optimizer.rule = Adam{.beta1 = node.real_or("beta1", 0.9, decay),
                          .beta2 = node.real_or("beta2", 0.999, decay),
                          .epsilon = node.real_or("epsilon", 1e-8, RealRange::positive()),
                          .epsilon_inside = node.boolean_or("epsilon_inside", false)};
  }
  if (node.has("clip")) optimizer.clip = node.real("clip", RealRange::positive());
  return optimizer;
}

Schedule read_schedule(const ConfigNode& train, double epochs) {
  Schedule s;
  const ConfigNode rate = train.at("learning_rate");
  s.epochs = epochs;
  if (rate.is_number()) {
    s.base = rate.as_real(RealRange::at_least(0.0));
    return s;
  }
  const ConfigNode node = rate.as_object();
  s.base = node.real("base", RealRange::at_least(0.0));
  const std::string kind = node.choice_or("schedule", "constant", {"constant", "steps", "cosine"});
  s.kind = kind == "steps"    ? Schedule::Kind::kSteps
           : kind == "cosine" ? Schedule::Kind::kCosine
                              : Schedule::Kind::kConstant;
  if (s.kind == Schedule::Kind::kSteps) {
    s.boundaries = node.reals("boundaries", RealRange::at_least(0.0));
    const bool several = node.has("factor") && node.at("factor").is_list();
    s.factors = several ? node.reals("factor", RealRange::positive(), {s.boundaries.size(), s.boundaries.size()})
                        : std::vector<double>{node.real_or("factor", 0.1, RealRange::positive())};
  }
  if (s.kind == Schedule::Kind::kCosine) s.floor = node.real_or("floor", 0.0, RealRange::at_least(0.0));
  s.warmup_epochs = node.real_or("warmup_epochs", 0.0, RealRange::at_least(0.0));
  s.warmup_start = node.real_or("warmup_start", 0.0, RealRange::between(0.0, 1.0));
  return s;
}

TrainRecipe read_train(const ConfigNode& node) {
  TrainRecipe t;
  t.batch = node.integer("batch", {1, 1 << 20});
  t.epochs = node.real("epochs", RealRange::positive());
  t.max_steps = node.integer_or("max_steps", 0, {0, kMany});
  t.seed = static_cast<std::uint64_t>(node.integer_or("seed", 0, {0, std::numeric_limits<std::int64_t>::max()}));
  t.dtype = node.choice_or("dtype", "float32", {"float32", "float64"}) == "float64" ? DType::kFloat64 : DType::kFloat32;
  t.optimizer = read_optimizer(node);
  t.schedule = read_schedule(node, t.epochs);
  t.evaluate_every_epochs = node.real_or("evaluate_every_epochs", 1.0, RealRange::positive());
  t.snapshot_every_steps = node.integer_or("snapshot_every_steps", t.snapshot_every_steps, {1, kMany});
  t.keep_snapshots = node.integer_or("keep_snapshots", t.keep_snapshots, {1, 1 << 20});
  t.log_every_steps = node.integer_or("log_every_steps", t.log_every_steps, {1, kMany});
  return t;
}

}  // namespace

Recipe read_recipe(Config config) {
  Recipe recipe;
  const ConfigNode root = config.root();
  root.integer("chiasm", {1, 1});  // version of the format
  recipe.name = root.text("name");
  recipe.description = root.text_or("description", "");
  recipe.network = read_network(root.object("model"));
  recipe.train = read_train(root.object("train"));
  recipe.data = read_data(root.object("data"), recipe.network.graph.image);
  config.finish();
  recipe.source = std::move(config);
  return recipe;
}

Recipe load_recipe(const std::string& file_or_name, const std::vector<std::string>& overrides) {
  return read_recipe(load_recipe_file(find_recipe(file_or_name), overrides));
}

}  // namespace chiasm
