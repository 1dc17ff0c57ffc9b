// SPDX-License-Identifier: Apache-2.0
#include "models/feature_extraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "engine/finite.h"
#include "engine/io/atomic_file.h"
#include "models/unroll.h"

namespace chiasm {
namespace {

constexpr std::int64_t kLargestBatch = 32;
constexpr std::int64_t kMostRecordedBytes = std::int64_t{256} << 20;

std::vector<Shape> shapes_of(const Network& network, const ExtractionConfig& config) {
  const std::vector<LayerShapes> all = infer_shapes(network.graph);
  std::vector<Shape> shapes;
  for (const ActivityLayer& layer : config.layers) {
    shapes.push_back(activity_shape(all[static_cast<std::size_t>(layer.index)], layer, config.reduction.pool));
  }
  return shapes;
}

std::int64_t total_units(const std::vector<Shape>& shapes) {
  std::int64_t sum = 0;
  for (const Shape& shape : shapes) sum += shape.elements();
  return sum;
}

std::string words(const FeatureReduction& reduction) {
  std::string text;
  switch (reduction.pool.kind) {
    case SpatialPool::Kind::kNone:
      break;
    case SpatialPool::Kind::kMean:
      text = "mean-pool";
      break;
    case SpatialPool::Kind::kMax:
      text = "max-pool";
      break;
    case SpatialPool::Kind::kGrid:
      text = fmt::format("pool:{}", reduction.pool.side);
      break;
  }
  if (reduction.project == FeatureReduction::Project::kNone) return text.empty() ? "none" : text;
  const char* const kind = reduction.project == FeatureReduction::Project::kPca ? "pca" : "random";
  return fmt::format("{}{}{}:{}", text, text.empty() ? "" : ",", kind, reduction.outputs);
}

}  // namespace

FeatureReduction FeatureReduction::parse(const std::string& text) {
  FeatureReduction reduction;
  const auto refuse = [&](const std::string& why) {
    throw InputError("reduction \"" + text + "\": " + why +
                     "; allowed are mean-pool, max-pool or pool:SIDE, and behind it pca:COUNT or random:COUNT");
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    const std::size_t colon = std::min(part.find(':'), part.size());
    const std::string_view name = part.substr(0, colon);
    const bool counted = name == "pool" || name == "pca" || name == "random";
    std::int64_t count = 1;
    if (counted) {
      const std::string_view digits = part.substr(std::min(colon + 1, part.size()));
      const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
      if (error != std::errc() || rest != digits.data() + digits.size() || count < 1 || count > (1 << 24)) {
        refuse("\"" + std::string(part) + "\" needs a number from 1 to 16777216");
      }
    }
    const bool is_projection = name == "pca" || name == "random";
    if ((!counted && name != "mean-pool" && name != "max-pool") || (!counted && colon != part.size())) {
      refuse("\"" + std::string(part) + "\" is not known");
    }
    if (reduction.project != Project::kNone || (!is_projection && reduction.pool.kind != SpatialPool::Kind::kNone)) {
      refuse("\"" + std::string(part) + "\" cannot come here");
    }
    if (is_projection) {
      reduction.project = name == "pca" ? Project::kPca : Project::kRandom;
      reduction.outputs = count;
    } else {
      reduction.pool.kind = counted               ? SpatialPool::Kind::kGrid
                            : name == "mean-pool" ? SpatialPool::Kind::kMean
                                                  : SpatialPool::Kind::kMax;
      reduction.pool.side = count;
    }
  }
  return reduction;
}

std::int64_t batch_for(const Network& network, const ExtractionConfig& config) {
  const std::int64_t per_image = total_units(shapes_of(network, config)) * std::ssize(config.steps) *
                                 static_cast<std::int64_t>(size_of(config.dtype));
  std::int64_t batch = kLargestBatch;
  while (batch > 1 && per_image > kMostRecordedBytes / batch) batch /= 2;
  return batch;
}

// Runs the network on batches of images, as many as a feature file asks for.
struct FeatureExtraction::Recorder {
  const FeatureExtraction& of;
  Program program;
  CpuStream stream;
  std::vector<float> image;

  explicit Recorder(const FeatureExtraction& extraction)
      : of(extraction),
        program(extraction.graph_, extraction.config_.program),
        stream(extraction.config_.program.threads, extraction.config_.program.deterministic) {
    program.bind_all(of.parameters_.tensors());
    of.config_.normalisation.check(of.source_.shape()[2]);
    image.resize(static_cast<std::size_t>(of.source_.shape().elements()));
  }

  // Positions [first, first + batch) of the file; what is missing from the last batch repeats its last image.
  void run(std::int64_t first) {
    const MutableView input = program.input("image");
    const std::int64_t values = std::ssize(image);
    for (std::int64_t row = 0; row < of.config_.batch; ++row) {
      const std::int64_t at = first + row;
      if (at < std::ssize(of.images_)) {
        of.source_.load(of.images_[static_cast<std::size_t>(at)], image);
        of.config_.normalisation.apply(image, of.source_.shape()[2]);
      }
      visit_floating(input.dtype(),
                     [&]<class T>() { std::copy(image.begin(), image.end(), input.as<T>() + row * values); });
    }
    program.run_compute();
    for (const auto& [name, value] : program.graph().outputs()) {
      if (all_finite(program.output(name))) continue;
      program.run_stepwise();  // throws, naming the node
      throw NumericalError(name, name + " is not finite");
    }
  }

  // [batch, units] of a layer at a step, dense.
  View rows(std::size_t layer, std::size_t step) const {
    const View value = program.output(activity_name(of.config_.layers[layer], of.config_.steps[step]));
    if (!value.dense()) throw InternalError("an output is not dense");
    return View(value.data(), Spec{value.dtype(), {of.config_.batch, of.units(layer)}});
  }
};

FeatureExtraction::FeatureExtraction(const Network& network, Parameters& parameters, const ImageSource& source,
                                     std::vector<std::int64_t> images, ExtractionConfig config)
    : network_(network),
      parameters_(parameters),
      source_(source),
      images_(std::move(images)),
      config_(std::move(config)),
      activity_(shapes_of(network, config_)) {
  if (config_.batch == 0) config_.batch = batch_for(network, config_);
  config_.batch = std::clamp<std::int64_t>(config_.batch, 1, std::max<std::int64_t>(1, std::ssize(images_)));
  graph_ = build_activity(network, parameters, config_.batch, config_.layers, config_.steps, config_.reduction.pool,
                          {.dtype = config_.dtype});
  const Presentation& p = network.presentation;
  const std::vector<int> arrival = network.graph.arrival_steps();
  header_.steps = config_.steps;
  header_.step_ms = network.step_ms;
  for (std::int64_t i : images_) header_.image_ids.push_back(source.id(i));
  for (std::size_t i = 0; i < config_.layers.size(); ++i) {
    FeatureLayer layer{.name = config_.layers[i].name,
                       .shape = activity_[i],
                       .arrival_step = arrival[static_cast<std::size_t>(config_.layers[i].index)] + p.on};
    const std::int64_t k = config_.reduction.outputs;
    if (config_.reduction.project == FeatureReduction::Project::kPca) layer.shape = {std::min(k, units(i))};
    if (config_.reduction.project == FeatureReduction::Project::kRandom) layer.shape = {k};
    header_.layers.push_back(std::move(layer));
  }
  header_.attributes = config_.attributes;
  header_.attributes["total_steps"] = std::to_string(p.steps);
  header_.attributes["image_on_step"] = std::to_string(p.on);
  header_.attributes["image_off_step"] = p.off < 0 || p.off >= p.steps ? "never" : std::to_string(p.off);
  header_.attributes["blank"] = fmt::format("{}", p.blank);
  header_.attributes["step_ms"] = fmt::format("{}", network.step_ms);
  header_.attributes["reduction"] = words(config_.reduction);
  header_.attributes["batch"] = std::to_string(config_.batch);
  if (config_.reduction.project == FeatureReduction::Project::kRandom) {
    header_.attributes["projection_seed"] = std::to_string(config_.seed);
  }
}

std::vector<std::int64_t> FeatureExtraction::sampled_rows() const {
  const std::int64_t all = std::ssize(images_) * std::ssize(config_.steps);
  const std::int64_t count = std::min(config_.pca_samples, all);
  std::vector<std::int64_t> rows;
  // all = step * count + rest, so that no product overflows.
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(i * (all / count) + i * (all % count) / count);
  return rows;
}

ExtractionEstimate FeatureExtraction::estimate() const {
  ExtractionEstimate e;
  e.file_bytes = header_.bytes();
  e.program_bytes = compile(graph_, config_.program).plan.arena_bytes;
  for (const Parameter& parameter : parameters_.all()) e.parameter_bytes += parameter.spec.bytes();
  for (std::size_t i = 0; i < activity_.size(); ++i) {
    const std::int64_t matrix = units(i) * header_.layers[i].units() * static_cast<std::int64_t>(sizeof(float));
    if (config_.reduction.project == FeatureReduction::Project::kPca) {
      e.projection_bytes += matrix + std::ssize(sampled_rows()) * units(i) * static_cast<std::int64_t>(sizeof(float));
    } else if (config_.reduction.project == FeatureReduction::Project::kRandom) {
      e.projection_bytes += std::min(matrix, Projection::kMostStoredBytes);
    }
  }
  return e;
}

bool FeatureExtraction::fit(Recorder& recorder, const Progress& progress, std::int64_t& done, std::int64_t total) {
  const std::vector<std::int64_t> chosen = sampled_rows();  // image by image, step by step
  const std::int64_t steps = std::ssize(config_.steps);
  std::vector<Tensor> samples;
  for (std::size_t i = 0; i < activity_.size(); ++i) {
    samples.emplace_back(Spec{DType::kFloat32, {std::ssize(chosen), units(i)}});
  }
  std::size_t next = 0;
  while (next < chosen.size()) {
    const std::int64_t first = chosen[next] / steps / config_.batch * config_.batch;
    recorder.run(first);
    for (; next < chosen.size() && chosen[next] / steps < first + config_.batch; ++next) {
      const std::int64_t row = chosen[next] / steps - first;
      for (std::size_t layer = 0; layer < activity_.size(); ++layer) {
        const View from = recorder.rows(layer, static_cast<std::size_t>(chosen[next] % steps));
        visit_floating(from.dtype(), [&]<class T>() {
          std::transform(from.as<T>() + row * units(layer), from.as<T>() + (row + 1) * units(layer),
                         samples[layer].values<float>().begin() + static_cast<std::ptrdiff_t>(next) * units(layer),
                         [](T v) { return static_cast<float>(v); });
        });
      }
    }
    done = std::min<std::int64_t>(first + config_.batch, std::ssize(images_));
    if (progress && !progress(done, total)) return false;
  }
  pca_.clear();
  for (std::size_t layer = 0; layer < samples.size(); ++layer) {
    try {
      pca_.push_back(fit_pca(recorder.stream, samples[layer], config_.reduction.outputs));
    } catch (const InputError& error) {
      throw InputError("layer \"" + config_.layers[layer].name + "\": " + error.what() +
                       " (steps before the image arrives are the same for every image)");
    }
    header_.layers[layer].shape = {pca_.back().components.shape()[0]};
    samples[layer] = Tensor();
  }
  return true;
}

void FeatureExtraction::make_projections() {
  projections_.clear();
  for (std::size_t i = 0; i < activity_.size(); ++i) {
    if (config_.reduction.project == FeatureReduction::Project::kPca) {
      projections_.push_back(std::make_unique<Projection>(pca_[i]));
    } else if (config_.reduction.project == FeatureReduction::Project::kRandom) {
      projections_.push_back(
          std::make_unique<Projection>(config_.seed, config_.layers[i].name, units(i), config_.reduction.outputs));
    }
  }
}

bool FeatureExtraction::run(const std::string& path, const Progress& progress) {
  check_features(path, header_);
  { const AtomicFile writable(path); }  // before the work, not after it
  Recorder recorder(*this);
  const auto images = std::ssize(images_);
  std::int64_t done = 0;
  const bool fits = config_.reduction.project == FeatureReduction::Project::kPca;
  if (fits && !fit(recorder, progress, done, 2 * images)) return false;
  make_projections();
  return write(recorder, path, progress, fits ? images : 0, fits ? 2 * images : images);
}

bool FeatureExtraction::write(Recorder& recorder, const std::string& path, const Progress& progress, std::int64_t done,
                              std::int64_t total) const {
  const std::unique_ptr<FeatureSink> sink = create_features(path, header_, config_.batch);
  for (std::size_t i = 0; i < pca_.size(); ++i) {
    const std::string name = "pca/" + config_.layers[i].name + "/";
    const std::vector<double>& variance = pca_[i].explained_variance;
    sink->add(name + "explained_variance", Tensor::of<double>({std::ssize(variance)}, variance));
    sink->add(name + "total_variance", Tensor::of<double>({}, std::vector<double>{pca_[i].total_variance}));
    if (!config_.save_projection) continue;
    sink->add(name + "mean", pca_[i].mean);
    sink->add(name + "components", pca_[i].components);
  }
  std::vector<Tensor> reduced;  // by step
  for (std::int64_t first = 0; first < std::ssize(images_); first += config_.batch) {
    recorder.run(first);
    const std::int64_t count = std::min<std::int64_t>(config_.batch, std::ssize(images_) - first);
    for (std::size_t layer = 0; layer < activity_.size(); ++layer) {
      const std::int64_t outputs = header_.layers[layer].units();
      reduced.assign(config_.steps.size(), Tensor());
      std::vector<View> from;
      std::vector<MutableView> to;
      for (std::size_t step = 0; step < config_.steps.size(); ++step) {
        from.push_back(recorder.rows(layer, step));
        if (projections_.empty() && from.back().dtype() == DType::kFloat32) continue;
        reduced[step] = Tensor(Spec{DType::kFloat32, {config_.batch, outputs}});
        to.push_back(reduced[step].view());
      }
      if (!projections_.empty()) projections_[layer]->apply(recorder.stream, from, to);
      for (std::size_t step = 0; step < config_.steps.size(); ++step) {
        const float* rows = reduced[step] ? reduced[step].values<float>().data() : from[step].as<float>();
        if (projections_.empty() && reduced[step]) {
          std::transform(from[step].as<double>(), from[step].as<double>() + from[step].elements(),
                         reduced[step].values<float>().begin(), [](double v) { return static_cast<float>(v); });
        }
        sink->write(layer, step, first, {rows, static_cast<std::size_t>(count * outputs)});
      }
    }
    if (progress && !progress(done + first + count, total)) return false;
  }
  sink->commit();
  return true;
}

}  // namespace chiasm
