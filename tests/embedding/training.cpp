// SPDX-License-Identifier: Apache-2.0
// A program outside the repository that trains a network with chiasm::training: its recipe and its data are in memory.
// It stops half way, goes on from a snapshot in another trainer, and has to end where the one that never stopped does.
#include <engine/data/memory_dataset.h>
#include <tools/training/trainer.h>

#include <cstdio>

using namespace chiasm;

// Images of 8 x 8 pixels that are brighter at the left (class 0) or at the right (class 1).
std::shared_ptr<const Source> slopes(int count, int salt) {
  Tensor images = Tensor::zeros(DType::kFloat32, {count, 8, 8, 1});
  std::vector<std::int32_t> labels;
  for (int i = 0; i < count; ++i) {
    labels.push_back((i + salt) % 2);
    for (int p = 0; p < 64; ++p) {
      const float noise = static_cast<float>((i * 37 + salt + p * 101) % 64) / 64.0F;
      images.values<float>()[64 * i + p] = noise + 0.05F * static_cast<float>(labels[i] == 0 ? 7 - p % 8 : p % 8);
    }
  }
  return std::make_shared<MemoryDataset>(images, labels, std::vector<std::string>{"left", "right"}, "images", "labels");
}

int main(int, char** arguments) {
  const auto recipe = [] {
    return read_recipe(Config::parse(R"({"chiasm": 1, "name": "slopes",
      "data": {"format": "npy", "path": "in memory", "train": {}, "test": {}},
      "model": {"image": [8, 8, 1], "steps": 3, "layers": [
        {"name": "conv", "pre": [{"op": "conv", "channels": 4}, "relu"], "cell": {"type": "gru"}},
        {"name": "readout", "pre": [{"op": "flatten"}, {"op": "linear", "units": 2}]}]},
      "train": {"batch": 32, "epochs": 20, "optimizer": {"type": "adam"}, "learning_rate": 0.003}})",
                                     "slopes"));
  };
  Trainer whole(recipe(), slopes(512, 0), slopes(128, 5)), first(recipe(), slopes(512, 0)),
      second(recipe(), slopes(512, 0), slopes(128, 5));
  whole.train(200, [&](const TrainingSession::Step& step) {
    if (whole.step() % 50 == 0) std::printf("step %lld: loss %.3f\n", static_cast<long long>(whole.step()), step.loss);
    return true;
  });
  first.train(80);
  const std::string snapshot = std::string(arguments[0]) + ".safetensors";
  first.save(snapshot);
  second.resume(snapshot);
  second.train(120);
  const double accuracy = whole.evaluate().value("top1"), resumed = second.evaluate().value("loss");
  const std::vector<std::int32_t> samples{0, 1, 2};
  const Shape activity = whole.activity(samples, {"conv"}, "all").at("conv").shape();
  std::printf("accuracy %.3f, activity %s\n", accuracy, to_string(activity).c_str());
  return accuracy > 0.95 && resumed == whole.evaluate().value("loss") && activity == Shape({3, 3, 8, 8, 4}) ? 0 : 1;
}
