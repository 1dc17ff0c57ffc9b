// SPDX-License-Identifier: Apache-2.0
// Source: where samples come from: files, found by index, or numbers drawn for (seed, epoch, index). A sample is a set
// of named fields: images of any size on their way to a network, and tensors of one size.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/pixels.h"
#include "engine/tensor.h"
#include "kernels/view.h"

namespace chiasm {

// One field of every sample, without the batch axis. An image is float32 [height, width, channels] whatever its file
// holds; a height and width of 0 where every image has its own. What becomes of images: augment.h.
struct Field {
  Spec spec;
  bool image = false;
  bool operator==(const Field&) const = default;
};
using Fields = std::map<std::string, Field, std::less<>>;

std::string field_names(const Fields& fields);  // "image, label", for messages

struct SampleAddress {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  std::int32_t index = 0;
};

// The values of one sample. It is filled again and again, and keeps its memory.
class Sample {
 public:
  // Of a source that writes: made on first use. A tensor is made anew where its spec has changed.
  Pixels& image(std::string_view field);
  Tensor& tensor(std::string_view field, const Spec& spec);
  // Of who reads. Throws InternalError where the source did not write the field.
  const Pixels& image(std::string_view field) const;
  const Tensor& tensor(std::string_view field) const;

 private:
  std::map<std::string, Pixels, std::less<>> images_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

class Source {
 public:
  virtual ~Source() = default;

  virtual std::int64_t size() const = 0;  // samples of an epoch
  virtual Fields fields() const = 0;
  // One name per class where there is a field "label" of positions in this list; else empty.
  virtual const std::vector<std::string>& class_names() const;

  // Writes all fields of one sample. Thread-safe, and a function of the address alone. Throws FileError when the
  // sample's file is malformed.
  // REQUIRES: 0 <= address.index < size().
  virtual void read(const SampleAddress& address, Sample& sample) const = 0;
};

}  // namespace chiasm
