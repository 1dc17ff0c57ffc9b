// SPDX-License-Identifier: Apache-2.0
#include "analysis/data/write_neural.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/io/hdf5.h"
#include "engine/io/npy_bytes.h"
#include "engine/io/npy_text.h"
#include "engine/io/zip.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

using Texts = std::pair<const char*, const std::vector<std::string>*>;
using Numbers = std::pair<const char*, Tensor>;

std::vector<Texts> texts_of(const NeuralDataset& dataset) {
  std::vector<Texts> texts;
  for (const auto& [name, values] :
       {Texts{"unit_ids", &dataset.unit_ids}, Texts{"areas", &dataset.areas}, Texts{"specimens", &dataset.specimens},
        Texts{"stimulus_ids", &dataset.stimulus_ids}}) {
    if (!values->empty()) texts.emplace_back(name, values);
  }
  return texts;
}

std::vector<Numbers> numbers_of(const NeuralDataset& dataset) {
  std::vector<Numbers> numbers{{"responses", dataset.responses}};
  const auto add = [&](const char* name, const std::vector<double>& values) {
    if (!values.empty()) numbers.emplace_back(name, Tensor::of<double>({std::ssize(values)}, values));
  };
  add("reliability", dataset.reliability);
  add("bin_starts_ms", dataset.bin_starts_ms);
  if (!std::isnan(dataset.bin_width_ms)) {
    numbers.emplace_back("bin_width_ms", Tensor::of<double>({}, std::array{dataset.bin_width_ms}));
  }
  return numbers;
}

void write_npz(const std::string& path, const NeuralDataset& dataset) {
  ZipWriter zip(path);
  for (const auto& [name, tensor] : numbers_of(dataset)) {
    const std::vector<std::byte> preamble = npy_preamble(tensor.spec());
    zip.add(name + std::string(".npy"), std::array<std::span<const std::byte>, 2>{preamble, tensor.bytes()}, false);
  }
  for (const auto& [name, texts] : texts_of(dataset)) {
    const std::vector<std::byte> bytes = npy_texts(*texts);
    zip.add(name + std::string(".npy"), std::array<std::span<const std::byte>, 1>{bytes}, true);
  }
  zip.commit();
}

void write_hdf5(const std::string& path, const NeuralDataset& dataset) {
  Hdf5Writer file(path);
  for (const auto& [name, tensor] : numbers_of(dataset)) file.array("/" + std::string(name), tensor.view());
  for (const auto& [name, texts] : texts_of(dataset)) file.texts("/" + std::string(name), *texts);
  file.attribute("/", "axes", std::string("unit,stimulus,repeat,time"));
  file.commit();
}

}  // namespace

void write_neural(const std::string& path, const NeuralDataset& dataset) {
  check_dataset(dataset, path);
  if (path.ends_with(".npz")) return write_npz(path, dataset);
  if (path.ends_with(".h5") || path.ends_with(".hdf5")) return write_hdf5(path, dataset);
  throw InputError(path + ": the ending says how responses are written; .npz, .h5 and .hdf5 are allowed");
}

}  // namespace chiasm
