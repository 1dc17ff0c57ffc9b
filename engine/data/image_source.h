// SPDX-License-Identifier: Apache-2.0
// ImageSource: images without labels, as stimuli of a recording are kept: a folder, a zip file or an array. Each is
// brought to the size a network takes and has an id by which results are told apart.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/data/image_view.h"
#include "engine/tensor.h"
#include "kernels/shape.h"

namespace chiasm {

// How an image is brought to size.
enum class ImageFit {
  kWhole,  // the whole image, stretched: nothing a neuron may have seen is left out
  kView,   // as a view says (image_view.h): without further settings the largest centred box of the right aspect ratio
};

class ImageSource {
 public:
  virtual ~ImageSource() = default;

  // Height x width x channels, the same for every image.
  const Shape& shape() const { return shape_; }
  std::int64_t size() const { return std::ssize(ids_); }
  // The path below the folder, the name in the zip file, or the position in the array.
  const std::string& id(std::int64_t index) const { return ids_[static_cast<std::size_t>(index)]; }

  // Writes one image: bytes as value / 255, floating-point arrays as they are, with the channels of set_channels
  // (pixels.h). Throws FileError naming the image. Thread-safe.
  // REQUIRES: `image` has room for shape().
  void load(std::int64_t index, std::span<float> image) const;
  // Whether the file says that its pixels have to be turned to be seen as they were taken.
  virtual bool is_turned(std::int64_t) const { return false; }

 protected:
  ImageSource(Shape shape, ImageFit fit, const ImageView& view) : shape_(shape), fit_(fit), view_(view) {}
  // `size` with the values of an array: uint8 or floating. Throws FileError(name) for values that are not finite.
  static Pixels pixels_of_array(const Tensor& values, Pixels size, const std::string& name);
  virtual Pixels read(std::int64_t index) const = 0;
  virtual std::string name(std::int64_t index) const = 0;  // for messages

  std::vector<std::string> ids_;

 private:
  Shape shape_;
  ImageFit fit_;
  ImageView view_;
};

// The order of the images of a folder or a zip file.
enum class ImageOrder {
  kAlphabetical,  // by the bytes of their names: im1, im10, im2
  kNatural,       // as people count: im1, im2, im10 (io/natural_order.h)
};

struct ImageSourceConfig {
  // A folder (every image below it, by path), a .zip file of images (by name), an .npy file or an array of an .npz file
  // [N, H, W] or [N, H, W, C], uint8 or floating, or such images in a .mat file, one in each element of a cell or in a
  // field of each element of a struct.
  std::string path;
  // Which array of an .npz file; it may be left out when there is one only. Of a .mat file, "cell" or "struct.field".
  std::string key = "";
  Shape shape;  // that every image is brought to
  ImageFit fit = ImageFit::kWhole;
  ImageView view = {};  // with kWhole, its interpolation alone
  ImageOrder order = ImageOrder::kAlphabetical;
  bool apply_exif = false;  // turn images as their camera says (io/exif.h), instead of taking the pixels as stored
};

// Files and entries count as images by their ending: .png, .jpg and .jpeg, and, because leaving them out would shift
// what results mean, .bmp, .gif, .tif, .tiff and .webp, which cannot be read. Hidden ones are left out. Throws
// FileError when there is no image, and for arrays of other types and shapes; InputError for another kind of file.
std::unique_ptr<ImageSource> open_images(const ImageSourceConfig& config);

// The .mat files among them.
std::unique_ptr<ImageSource> open_matlab_images(const ImageSourceConfig& config);

// Loads every image once, so that long work does not fail at its end.
struct ImageCheck {
  std::vector<std::int64_t> good;
  std::vector<std::string> broken;  // a message for each of the others
  std::int64_t turned = 0;          // of the good ones
};
// Without `skip_broken`, throws the first FileError. `progress` is told how many were looked at, and stops the check by
// returning false.
ImageCheck check_images(const ImageSource& source, bool skip_broken,
                        const std::function<bool(std::int64_t)>& progress = {});

}  // namespace chiasm
