// SPDX-License-Identifier: Apache-2.0
// A recipe for 8 x 8 images whose class is the quadrant that is bright: a recurrent network that learns in a second.
#pragma once

#include <string>

namespace chiasm::test {

// As JSON. Both files are IDX, and hold the training images and the test images.
std::string quadrants_recipe(const std::string& images, const std::string& labels);

}  // namespace chiasm::test
