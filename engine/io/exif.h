// SPDX-License-Identifier: Apache-2.0
// The orientation that a camera writes into a JPEG or PNG file: how the stored pixels have to be turned to be seen as
// they were taken (Exif 2.32, tag 0x0112).
#pragma once

#include <cstddef>
#include <span>

#include "engine/io/image.h"

namespace chiasm {

// 1 to 8; 1, as they are stored, where the file says nothing, or nothing that can be read. Never throws.
int exif_orientation(std::span<const std::byte> file);

// The image turned, and mirrored where asked, as this orientation says. REQUIRES: 1 <= orientation <= 8.
ByteImage oriented(const ByteImage& image, int orientation);

}  // namespace chiasm
