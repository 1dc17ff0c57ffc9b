// SPDX-License-Identifier: Apache-2.0
#include "tests/support/image_files.h"

#include <jpeglib.h>
#include <png.h>

#include <cstdio>  // jpeglib.h needs it
#include <cstdlib>

namespace chiasm::test {

Bytes png_file(int width, int height, const Bytes& rows, const PngOptions& options) {
  Bytes file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp p, png_bytep data, std::size_t count) {
        append(*static_cast<Bytes*>(png_get_io_ptr(p)), std::as_bytes(std::span(data, count)));
      },
      [](png_structp) {});
  int color = PNG_COLOR_TYPE_RGB;
  if (options.kind == PngKind::kGrey) color = PNG_COLOR_TYPE_GRAY;
  if (options.kind == PngKind::kGreyAlpha) color = PNG_COLOR_TYPE_GRAY_ALPHA;
  if (options.kind == PngKind::kRgba) color = PNG_COLOR_TYPE_RGBA;
  if (options.kind == PngKind::kPalette) color = PNG_COLOR_TYPE_PALETTE;
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), options.bits, color,
               options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_color palette[4];
  for (int i = 0; i < 4; ++i) {
    palette[i] = {static_cast<png_byte>(10 * i), static_cast<png_byte>(20 * i), static_cast<png_byte>(30 * i)};
  }
  if (options.kind == PngKind::kPalette) png_set_PLTE(png, info, palette, 4);
  png_byte alpha[1] = {0};
  png_color_16 first{};
  if (options.transparent) {
    options.kind == PngKind::kPalette ? png_set_tRNS(png, info, alpha, 1, nullptr)
                                      : png_set_tRNS(png, info, nullptr, 0, &first);
  }
  std::vector<png_bytep> pointers;
  const std::size_t row_bytes = rows.size() / static_cast<std::size_t>(height);
  for (int y = 0; y < height; ++y) {
    pointers.push_back(reinterpret_cast<png_bytep>(const_cast<std::byte*>(rows.data())) +
                       static_cast<std::size_t>(y) * row_bytes);
  }
  png_set_rows(png, info, pointers.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

Bytes jpeg_file(int width, int height, const Bytes& pixels, const JpegOptions& options) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &memory, &size);
  encoder.image_width = static_cast<JDIMENSION>(width);
  encoder.image_height = static_cast<JDIMENSION>(height);
  encoder.input_components = options.kind == JpegKind::kGrey ? 1 : options.kind == JpegKind::kRgb ? 3 : 4;
  encoder.in_color_space = options.kind == JpegKind::kGrey  ? JCS_GRAYSCALE
                           : options.kind == JpegKind::kRgb ? JCS_RGB
                                                            : JCS_CMYK;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, options.quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&encoder);
  encoder.arith_code = options.arithmetic ? TRUE : FALSE;
  jpeg_start_compress(&encoder, TRUE);
  if (options.exif_rotated) {
    // TIFF header, one directory with one entry: tag 0x0112 (orientation), a short, 6.
    const unsigned char exif[] = {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                                  1,   0x12, 0,   3,   0, 0, 0,   1,   0, 6,  0, 0, 0, 0, 0, 0};
    jpeg_write_marker(&encoder, JPEG_APP0 + 1, exif, sizeof exif);
  }
  while (encoder.next_scanline < encoder.image_height) {
    auto* row =
        reinterpret_cast<JSAMPROW>(const_cast<std::byte*>(pixels.data())) +
        static_cast<std::size_t>(encoder.next_scanline) * static_cast<std::size_t>(width * encoder.input_components);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  const auto bytes = std::as_bytes(std::span(memory, size));
  Bytes file(bytes.begin(), bytes.end());
  std::free(memory);
  return file;
}

}  // namespace chiasm::test
