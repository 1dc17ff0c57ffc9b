// SPDX-License-Identifier: Apache-2.0
// Trees of PNG and JPEG images with one folder per class: <path>/[<split>/]<class>/**.png, .jpg or .jpeg. Classes are
// numbered in byte order of their names (or as class_names lists them); samples are sorted by class, then by path.
// Hidden files and files with other endings are left out.
//
// Every image is brought to height x width: the largest centred box of that aspect ratio, resized as in resize.h (the
// same as resizing the shorter side and cropping the centre). Without a height and width, those of the first image
// count.
#pragma once

#include <memory>

#include "engine/data/dataset.h"

namespace chiasm {

// Throws FileError when there are no classes, or a class without images; InputError for impossible sizes or channels.
std::unique_ptr<Dataset> open_image_folder(const DatasetConfig& config);

}  // namespace chiasm
