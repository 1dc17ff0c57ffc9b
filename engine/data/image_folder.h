// SPDX-License-Identifier: Apache-2.0
// Trees of PNG and JPEG images with one folder per class: <path>/[<split>/]<class>/**.png, .jpg or .jpeg. Classes are
// numbered in byte order of their names (or as class_names lists them); samples are sorted by class, then by path.
// Hidden files and files with other endings are left out.
// Images have the sizes their files have.
#pragma once

#include <memory>

#include "engine/data/dataset.h"

namespace chiasm {

// Throws FileError when there are no classes, or a class without images; InputError for numbers of channels
// other than 1 and 3.
std::unique_ptr<Dataset> open_image_folder(const DatasetConfig& config);

}  // namespace chiasm
