// SPDX-License-Identifier: Apache-2.0
// Changes of colour (spec/mouse_vision.md 1.1), of images of numbers in [0, 1], limited to that range.
#pragma once

#include "engine/data/pixels.h"

namespace chiasm {

// The luma of ITU-R BT.601 in all three channels; a grey image stays as it is.
void make_grey(Pixels& image);

void change_brightness(Pixels& image, double factor);  // times the factor
void change_contrast(Pixels& image, double factor);    // from the mean of the grey image
void change_saturation(Pixels& image, double factor);  // from the grey image; REQUIRES: 3 channels
void change_hue(Pixels& image, double turns);          // of the colour circle, in HSV; REQUIRES: 3 channels

}  // namespace chiasm
