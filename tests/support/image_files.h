// SPDX-License-Identifier: Apache-2.0
// PNG and JPEG files of every kind, made with libpng and libjpeg.
#pragma once

#include "tests/support/file_corpus.h"

namespace chiasm::test {

enum class PngKind { kGrey, kGreyAlpha, kRgb, kRgba, kPalette };

struct PngOptions {
  PngKind kind = PngKind::kRgb;
  int bits = 8;
  bool interlaced = false;
  bool transparent = false;  // a tRNS chunk: the first grey or colour is transparent
};
// `rows` holds whole rows as PNG stores them (packed bits, 16-bit samples big-endian). A palette has 4 entries: entry i
// is (10 i, 20 i, 30 i).
Bytes png_file(int width, int height, const Bytes& rows, const PngOptions& options = {});

enum class JpegKind { kGrey, kRgb, kCmyk };

struct JpegOptions {
  JpegKind kind = JpegKind::kRgb;
  bool progressive = false;
  bool arithmetic = false;
  bool exif_rotated = false;  // an EXIF marker that asks for a turn by 90 degrees
  int quality = 95;
};
Bytes jpeg_file(int width, int height, const Bytes& pixels, const JpegOptions& options = {});

}  // namespace chiasm::test
