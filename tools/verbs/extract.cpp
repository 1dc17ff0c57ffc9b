// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>

#include "engine/io/natural_order.h"
#include "models/feature_extraction.h"
#include "tools/extract/summary.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/terminal/interrupt.h"
#include "tools/terminal/progress.h"
#include "tools/train/open_network.h"
#include "tools/train/train_run.h"
#include "tools/training/device_options.h"
#include "tools/verbs/program_options.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

struct Options {
  std::string recipe, images, key, out, weights, snapshot, steps = "all", reduce, dtype, fit = "whole", interpolation,
                                                           order = "alphabetical", exif = "ignore";
  std::vector<std::string> layers{"all"}, overrides;
  std::optional<int> image_on, total;
  std::optional<std::uint64_t> seed;
  std::int64_t batch = 0, pca_samples = 2000;
  bool save_pca = false, skip_broken = false, dry_run = false, json = false, quiet = false;
  DeviceOptions device;
};

OpenNetwork open(const Options& o) {
  NetworkSource source{.source = o.recipe, .weights = o.weights, .overrides = o.overrides, .untrained = true};
  if (!o.dtype.empty()) source.overrides.push_back("train.dtype=" + o.dtype);
  if (o.seed) source.overrides.push_back("train.seed=" + std::to_string(*o.seed));
  if (std::filesystem::is_directory(o.recipe) && o.weights.empty()) {
    // Its weights alone, without the state of the optimizer.
    source.weights = o.snapshot.empty() ? newest_snapshot(o.recipe) : o.snapshot;
  } else {
    source.snapshot = o.snapshot;  // which fits neither a recipe nor other weights
  }
  OpenNetwork network = open_network(source);
  Presentation& presentation = network.recipe.network.presentation;
  presentation = present(presentation, o.image_on, o.total);
  return network;
}

// What a network sees of the stimuli. With "view" that is what evaluation shows of its own images.
ImageView view_of(const Options& o, const Recipe& recipe) {
  if (o.fit == "view") {
    if (!o.interpolation.empty()) throw InputError("--interpolation: with --fit view, that of the recipe counts");
    return recipe.data.test_augmentation.view.value_or(ImageView{});
  }
  return {.interpolation = o.interpolation.empty() ? Interpolation::kBilinear : interpolation_of(o.interpolation)};
}

ExtractionConfig config_of(const Options& o, const Recipe& recipe, const std::string& weights) {
  return {.layers = select_layers(recipe.network.graph, o.layers),
          .steps = select_steps(o.steps, recipe.network.presentation.steps),
          .reduction = FeatureReduction::parse(o.reduce),
          .pca_samples = o.pca_samples,
          .save_projection = o.save_pca,
          .seed = recipe.train.seed,
          .batch = o.batch,
          .dtype = recipe.train.dtype,
          .normalisation = recipe.data.test_augmentation.normalisation,
          .program = device_options(recipe, o.device.program),
          .attributes = {{"network", recipe.name},
                         {"weights", weights.empty() ? "untrained" : weights},
                         {"seed", std::to_string(recipe.train.seed)},
                         {"images", o.images},
                         {"image_fit", o.fit},
                         {"interpolation", to_string(view_of(o, recipe).interpolation)},
                         {"image_order", o.order},
                         {"exif", o.exif},
                         {"chiasm", chiasm_version()}}};
}

int extract(Options& o) {
  o.device.check();
  if (o.out.empty() && !o.dry_run) throw InputError("--out is missing: features.npz or features.h5 (or use --dry-run)");
  OpenNetwork network = open(o);
  const Recipe& recipe = network.recipe;
  const ExtractionConfig config = config_of(o, recipe, network.file);
  const auto source = open_images({.path = o.images,
                                   .key = o.key,
                                   .shape = recipe.network.graph.image,
                                   .fit = o.fit == "whole" ? ImageFit::kWhole : ImageFit::kView,
                                   .view = view_of(o, recipe),
                                   .order = o.order == "natural" ? ImageOrder::kNatural : ImageOrder::kAlphabetical,
                                   .apply_exif = o.exif == "apply"});
  std::vector<std::string> ids;
  for (std::int64_t i = 0; i < source->size(); ++i) ids.push_back(source->id(i));
  if (const std::size_t at = first_out_of_natural_order(ids); at > 0) {
    std::cerr << "note: images are in alphabetical order, \"" << ids[at - 1] << "\" before \"" << ids[at]
              << "\"; --order natural counts as people do\n";
  }
  InterruptGuard interrupt;
  const auto progress = [&](const char* label, std::int64_t total) {
    return Progress(std::cerr, {.label = label,
                                .unit = "image",
                                .total = total,
                                .style = progress_style(2, o.quiet),
                                .columns = terminal_columns(2)});
  };
  Progress checking = progress("checking images", source->size());
  const ImageCheck check = check_images(*source, o.skip_broken, [&](std::int64_t done) {
    checking.update(done);
    return !interrupt.requested();
  });
  checking.finish();
  if (interrupt.requested()) return kInterrupted;
  for (const std::string& message : check.broken) std::cerr << "skipped: " << message << '\n';
  if (check.turned > 0) {
    std::cerr << "note: " << check.turned << " of " << check.good.size()
              << " images have an EXIF orientation, which is "
              << (o.exif == "apply" ? "applied" : "ignored; --exif apply turns them") << '\n';
  }
  if (check.good.empty())
    throw InputError(o.images + ": none of " + std::to_string(source->size()) + " images can be read");

  FeatureExtraction extraction(recipe.network, network.parameters, *source, check.good, config);
  if (!o.out.empty()) check_features(o.out, extraction.header());
  if (o.dry_run) {
    if (o.json) {
      print_json(extraction, check, nullptr);
    } else {
      print_plan(extraction, o.out);
    }
    return 0;
  }
  if (network.file.empty()) {
    std::cerr << "no weights were given: the network is untrained (seed " << recipe.train.seed << ")\n";
  }
  const auto begin = std::chrono::steady_clock::now();
  const bool fits = config.reduction.project == FeatureReduction::Project::kPca;
  Progress recording = progress(recipe.name.c_str(), static_cast<std::int64_t>(check.good.size()) * (fits ? 2 : 1));
  const bool complete = extraction.run(o.out, [&](std::int64_t done, std::int64_t total) {
    recording.update(done, fits && done <= total / 2 ? "fitting components" : "");
    return !interrupt.requested();
  });
  recording.finish();
  if (!complete) {
    std::cerr << "interrupted; " << o.out << " was not written\n";
    return kInterrupted;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const ExtractionResult result{o.out, seconds};
  if (o.json) {
    print_json(extraction, check, &result);
  } else {
    print_result(extraction, check, result);
  }
  return 0;
}

}  // namespace

void add_extract(CommandLine& command) {
  auto o = std::make_shared<Options>();
  Verb verb = command.verb("extract", "Write the activity of a network over time for a set of images");
  verb.option("recipe", o->recipe, "Folder of a run; or a recipe: its name, or a JSON file").required();
  verb.option("--images", o->images, "Folder or .zip of PNG and JPEG images, or arrays: .npy, .npz or .mat").required();
  verb.option("--images-key", o->key, "Which array of an .npz file; of a .mat file, cell or struct.field");
  verb.option("--exif", o->exif, "What an orientation that a camera noted does to an image: apply, or ignore")
      .one_of({"apply", "ignore"})
      .show_default();
  verb.option("--order", o->order,
              "Of the images of a folder or .zip: alphabetical (im1, im10, im2) or natural (im1, im2)")
      .one_of({"alphabetical", "natural"})
      .show_default();
  verb.option("--fit", o->fit,
              "whole: resize each image to the network's size; crop: its centre; view: what evaluation shows of it "
              "(data.view)")
      .one_of({"whole", "crop", "view"})
      .show_default();
  verb.option("--interpolation", o->interpolation, "Of whole and crop; default: bilinear")
      .one_of(interpolation_names());
  verb.option("--layers", o->layers, "Names or patterns (conv*) joined by commas; conv4:units before its post stages")

      .joined_by(',')
      .show_default();
  verb.option("--steps", o->steps, "all, last, or steps and ranges: 0,3,5..15").show_default();
  verb.option("--image-on", o->image_on, "Show the image for this many steps, instead of model.image_off");
  verb.option("--total", o->total, "Timesteps in all, instead of model.steps");
  verb.option("--out", o->out, "File to write: .h5, .hdf5 or .npz");
  verb.option("--reduce", o->reduce, "mean-pool, max-pool or pool:7; and or pca:100 or random:1000 behind it");
  verb.option("--pca-samples", o->pca_samples, "Images times steps that components are fitted to")
      .range(2, 1 << 20)
      .show_default();
  verb.flag("--save-pca", o->save_pca, "Write the mean and the components of a PCA as well");
  verb.option("--weights", o->weights, "Weights (safetensors, NPZ), instead of a run's newest snapshot");
  verb.option("--snapshot", o->snapshot, "Snapshot of the run; default: the newest");
  verb.option("--seed", o->seed, "Of an untrained network and of random projections; default: train.seed");
  verb.option("--batch", o->batch, "Images at a time; 0: as many as fit 256 MiB, at most 32").range(0, 1 << 16);
  verb.option("--dtype", o->dtype, "float32, or float64 for the reference path");
  verb.option("--set", o->overrides, "Override a recipe key: --set model.image=[64,64,3]").repeatable();
  verb.flag("--skip-broken", o->skip_broken, "Leave out images that cannot be read, and list them");
  verb.flag("--dry-run", o->dry_run, "Say what would be written, and the memory it takes");
  verb.flag("--json", o->json, "Print a summary as JSON");
  verb.flag("--quiet", o->quiet, "No progress");
  o->device.add_to(verb);
  verb.footer(
      "Examples:\n  chiasm extract runs/fashion --images stimuli/ --layers conv2,conv3:units --out features.h5\n"
      "  chiasm extract models/recipes/rgc_median.json --images v4.zip --set model.image=[112,112,3] --image-on 10\n"
      "      --total 26 --reduce pool:7,pca:100 --out features.npz");
  verb.action([o] { return extract(*o); });
}

}  // namespace chiasm
