// SPDX-License-Identifier: Apache-2.0
#include "tools/recipe/data_recipe.h"

#include "engine/data/generators/generator.h"

namespace chiasm {
namespace {

constexpr std::int64_t kMany = std::int64_t{1} << 40;
constexpr std::int64_t kMostSide = 1 << 14;

std::vector<std::string> formats() {
  std::vector<std::string> names{"idx", "cifar10", "folder", "npy", "npz", "arrays"};
  for (std::string& name : generator_names()) names.push_back(std::move(name));
  return names;
}

// "fields": {"image": "KEY", "response": "KEY"}, or {"depth": {"key": "KEY", "image": true}}; "image" is one anyway.
std::map<std::string, ArrayField> read_fields(const ConfigNode& fields) {
  std::map<std::string, ArrayField> result;
  for (const std::string& name : fields.as_object().keys()) {
    const ConfigNode node = fields.at(name);
    ArrayField& field = result[name];
    field.image = name == "image";
    if (node.is_object()) {
      field.key = node.text("key");
      field.image = node.boolean_or("image", field.image);
    } else {
      field.key = node.as_text();
    }
  }
  if (result.empty()) fields.fail_because("no fields are given");
  return result;
}

// What train and test sets share is given in "data" itself, what differs in "data.train" and "data.test".
DatasetConfig read_dataset(const ConfigNode& data, const char* part, std::int64_t channels) {
  DatasetConfig d;
  const ConfigNode own = data.object(part);
  const auto text = [&](const char* key, const std::string& absent) {
    return own.text_or(key, data.text_or(key, absent));
  };
  d.format = data.choice("format", formats());
  d.limit = own.integer_or("limit", 0, {0, kMany});
  if (is_generator(d.format)) {
    const std::uint32_t stream = part == std::string_view("train") ? 0 : 1;
    d.generator = [source = make_generator(d.format, {own, data, stream})] { return source; };
    return d;
  }
  d.path = text("path", "");
  if (d.path.empty()) own.fail_because("\"path\" is missing, here or in \"data\"");
  d.labels = text("labels", "");
  d.split = text("split", part);
  d.images_key = text("images_key", d.images_key);
  d.labels_key = text("labels_key", d.labels_key);
  d.class_names = data.texts_or("class_names", {});
  d.channels = channels;
  if (d.format == "arrays") {
    const std::optional<ConfigNode> fields = own.has("fields") ? own.find("fields") : data.find("fields");
    if (!fields) own.fail_because("\"fields\" is missing, here or in \"data\": which array is which field");
    d.fields = read_fields(*fields);
  }
  return d;
}

PixelNormalisation read_normalisation(const ConfigNode& data) {
  PixelNormalisation n;
  if (!data.has("normalise")) return n;
  const ConfigNode node = data.object("normalise");
  n.scale = node.real_or("scale", 1.0);
  n.mean = node.reals_or("mean", {});
  n.deviation = node.reals_or("std", {}, RealRange::positive());
  return n;
}

ImageView read_view(const ConfigNode& node) {
  ImageView v;
  v.resize = node.integer_or("resize", 0, {0, kMostSide});
  v.interpolation =
      interpolation_of(node.choice_or("interpolation", to_string(v.interpolation), interpolation_names()));
  const std::optional<ConfigNode> crop = node.find("crop");
  if (crop && crop->is_object()) {
    v.fraction = crop->real("fraction", {.min = 0.0, .max = 1.0, .open_min = true});
    v.whole_aspect = crop->choice_or("shape", "square", {"square", "image"}) == "image";
  } else if (crop) {
    v.crop = crop->as_integer({1, kMostSide});
  }
  if (v.resize > 0 && v.crop > v.resize) {
    crop->fail_because("a crop of " + std::to_string(v.crop) + " pixels is larger than \"resize\", " +
                       std::to_string(v.resize));
  }
  return v;
}

RandomResizedCrop read_random_resized_crop(const ConfigNode& node) {
  RandomResizedCrop r;
  r.area_min = node.real_or("area_min", r.area_min, RealRange::between(1e-6, 1.0));
  r.area_max = node.real_or("area_max", r.area_max, RealRange::between(r.area_min, 1.0));
  r.aspect_min = node.real_or("aspect_min", r.aspect_min, RealRange::positive());
  r.aspect_max = node.real_or("aspect_max", r.aspect_max, RealRange::at_least(r.aspect_min));
  if (node.choice_or("aspect", "uniform", {"uniform", "log_uniform"}) == "log_uniform") {
    r.aspect = RandomResizedCrop::Aspect::kLogUniform;
  }
  r.cover_min = node.real_or("cover_min", r.cover_min, RealRange::between(0.0, r.area_max));
  r.attempts = static_cast<int>(node.integer_or("attempts", r.attempts, {1, 10000}));
  if (node.choice_or("fallback", "view", {"view", "largest"}) == "largest") {
    r.fallback = RandomResizedCrop::Fallback::kLargest;
  }
  r.size = node.integer_or("size", r.size, {0, kMostSide});
  return r;
}

void read_augment(const ConfigNode& node, Augmentation& a) {
  a.pad = node.integer_or("pad", 0, {0, 4096});
  a.padding = node.choice_or("padding", "zero", {"zero", "reflect"}) == "zero" ? Padding::kZero : Padding::kReflect;
  a.random_crop = node.boolean_or("random_crop", a.pad > 0);
  a.flip_probability = node.real_or("flip_probability", 0.0, RealRange::between(0.0, 1.0));
  if (node.has("random_resized_crop")) {
    a.random_resized_crop = read_random_resized_crop(node.object("random_resized_crop"));
  }
  for (const ConfigNode& transform : node.objects_or_none("transforms")) {
    a.transforms.push_back(read_transform(transform));
  }
}

// What training and evaluation show of an image that the network takes at this size.
void read_augmentations(const ConfigNode& data, const Shape& image, DataRecipe& result) {
  Augmentation& plain = result.test_augmentation;
  plain.crop_height = image[0];
  plain.crop_width = image[1];
  plain.normalisation = read_normalisation(data);
  // The images of a folder have many sizes; those of other formats have one, which is the network's unless the recipe
  // resizes them.
  if (data.has("view")) {
    plain.view = read_view(data.object("view"));
  } else if (result.train.format == "folder") {
    plain.view = ImageView{};
  }
  result.train_augmentation = plain;
  if (data.has("augment")) read_augment(data.object("augment"), result.train_augmentation);
}

// "views": {"NAME": {"field", "augment"}} for images that differ from what "data" says of all.
void read_views(const ConfigNode& data, const std::vector<std::string>& images, DataRecipe& result) {
  const std::optional<ConfigNode> views = data.find("views");
  for (const std::string& name : images) {
    const auto draw = static_cast<std::uint32_t>(result.train_views.size());
    ImageShow train{.field = "image", .as = name, .augmentation = result.train_augmentation, .draw = draw};
    ImageShow test{.field = "image", .as = name, .augmentation = result.test_augmentation, .draw = draw};
    if (views && views->as_object().has(name)) {
      const ConfigNode view = views->object(name);
      train.field = test.field = view.text_or("field", "image");
      if (view.has("augment")) {
        train.augmentation = result.test_augmentation;
        read_augment(view.object("augment"), train.augmentation);
      }
    }
    result.train_views.push_back(std::move(train));
    result.test_views.push_back(std::move(test));
  }
}

}  // namespace

DataRecipe read_data(const ConfigNode& data, const Fields& fields) {
  DataRecipe result;
  std::vector<std::string> images;
  Shape image;
  for (const auto& [name, field] : fields) {
    if (!field.image) continue;
    images.push_back(name);
    image = field.spec.shape;
  }
  result.train = read_dataset(data, "train", images.empty() ? 3 : image[2]);
  result.test = read_dataset(data, "test", images.empty() ? 3 : image[2]);
  result.shuffle = data.boolean_or("shuffle", true);
  if (images.empty()) return result;
  read_augmentations(data, image, result);
  read_views(data, images, result);
  return result;
}

}  // namespace chiasm
