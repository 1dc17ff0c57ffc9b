// SPDX-License-Identifier: Apache-2.0
// Dataset: a source of labelled images, found by index, as their files have them: bytes or numbers (pixels.h). Formats
// are one file each: idx.h, cifar.h, image_folder.h, arrays.h; open_dataset picks one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/data/array_source.h"
#include "engine/data/source.h"
#include "kernels/view.h"

namespace chiasm {

class Dataset : public Source {
 public:
  // float32 [height, width, channels], the same for every sample; a height and width of 0 where every image has its
  // own. What becomes of them: augment.h.
  virtual Spec image() const = 0;
  const std::vector<std::string>& class_names() const override = 0;
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names().size()); }

  // Writes one image and returns its label. Thread-safe. Throws FileError when the sample's file is malformed.
  // REQUIRES: 0 <= index < size().
  virtual std::int32_t load(std::int64_t index, Pixels& image) const = 0;

  // "image" and "label", int32 [].
  Fields fields() const final;
  void read(const SampleAddress& address, Sample& sample) const final;
};

struct DatasetConfig {
  // "idx", "cifar10", "folder", "npy" or "npz"; of open_source also "arrays", or the name of a generator.
  std::string format = "";
  // idx, npy: the file of images, or (idx) the folder that holds files named as MNIST's. npz: the file of both arrays.
  // cifar10, folder: the folder.
  std::string path = "";
  // idx, npy: the file of labels; empty with an idx folder.
  std::string labels = "";
  // "train" or "test": which of MNIST's or CIFAR-10's files; with "folder" the sub-folder of this name. Empty where
  // `path` says it all.
  std::string split = "";
  // npz: the arrays' names.
  std::string images_key = "images";
  std::string labels_key = "labels";
  // folder: what grey and coloured images become, see set_channels of pixels.h.
  std::int64_t channels = 3;
  // Names of the classes. Empty: folder and CIFAR-10 know them, the others number them up to the largest label.
  std::vector<std::string> class_names = {};
  // "arrays": which array of the NPZ file each field is.
  std::map<std::string, ArrayField> fields = {};
  // Samples that are drawn, not read (generators/): what opens the source, instead of the settings above.
  std::function<std::shared_ptr<const Source>()> generator = {};
  // Use this many samples, evenly spaced over the whole (so that sorted classes stay represented). 0: all.
  std::int64_t limit = 0;
};

// Throws InputError for an unknown format or impossible setting, FileError for what is wrong with a file.
std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config);

// Samples of any kind: what open_dataset opens, and what is not of labelled images.
std::shared_ptr<const Source> open_source(const DatasetConfig& config);

// --- for the implementations ---

// `names` when given, else "0", "1", ... for the labels that occur. Throws FileError naming `file` when a label is
// negative, does not fit `names`, or is beyond the 2^20 classes that are allowed.
std::vector<std::string> class_names_for(std::span<const std::int32_t> labels, std::vector<std::string> names,
                                         const std::string& file);

}  // namespace chiasm
