// SPDX-License-Identifier: Apache-2.0
// libpng reports errors by longjmp, which may not pass over a C++ object that has a destructor. So everything that may
// jump is in the two functions below, whose variables are plain and are not read after the jump; memory is taken
// between them.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "engine/io/image_codecs.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

struct Png {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const std::byte* next = nullptr;
  std::size_t left = 0;
  char message[160] = "";
  png_uint_32 width = 0, height = 0;
  int bits = 0, channels = 0;  // as stored
  int passes = 1;

  ~Png() { png_destroy_read_struct(&png, &info, nullptr); }
};

void on_error(png_structp png, png_const_charp text) {
  auto* self = static_cast<Png*>(png_get_error_ptr(png));
  std::snprintf(self->message, sizeof self->message, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t count) {
  auto* self = static_cast<Png*>(png_get_io_ptr(png));
  if (count > self->left) png_error(png, "the file ends early");
  std::memcpy(out, self->next, count);
  self->next += count;
  self->left -= count;
}

// False when libpng failed; the reason is in self.message.
bool read_header(Png& self) {
  if (setjmp(png_jmpbuf(self.png)) != 0) return false;
  png_set_read_fn(self.png, &self, on_read);
  // Limits on what chunks beside the pixels may cost.
  png_set_chunk_malloc_max(self.png, 8 << 20);
  png_set_chunk_cache_max(self.png, 128);
  png_set_user_limits(self.png, 1 << 27, 1 << 27);
  png_read_info(self.png, self.info);
  self.width = png_get_image_width(self.png, self.info);
  self.height = png_get_image_height(self.png, self.info);
  self.bits = png_get_bit_depth(self.png, self.info);
  self.channels = png_get_channels(self.png, self.info);
  const int color = png_get_color_type(self.png, self.info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(self.png);
  if (color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(self.png);
  png_set_scale_16(self.png);
  png_set_strip_alpha(self.png);
  self.passes = png_set_interlace_handling(self.png);
  png_read_update_info(self.png, self.info);
  return true;
}

bool read_rows(Png& self, png_bytep pixels, std::size_t row_bytes) {
  if (setjmp(png_jmpbuf(self.png)) != 0) return false;
  for (int pass = 0; pass < self.passes; ++pass) {
    for (png_uint_32 row = 0; row < self.height; ++row) png_read_row(self.png, pixels + row * row_bytes, nullptr);
  }
  png_read_end(self.png, nullptr);
  return true;
}

}  // namespace

ByteImage decode_png(std::span<const std::byte> file, const std::string& name) {
  Png self;
  self.next = file.data();
  self.left = file.size();
  const auto fail = [&] {
    throw FileError(name, "PNG, byte " + std::to_string(file.size() - self.left), self.message);
  };
  self.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &self, on_error, on_warning);
  self.info = self.png != nullptr ? png_create_info_struct(self.png) : nullptr;
  if (self.info == nullptr) throw SystemError("no memory to read " + name);
  if (!read_header(self)) fail();

  // Deflate packs at most 1032 bytes in one.
  const std::int64_t pixels_per_byte = 1032 * 8 / (self.bits * self.channels) + 1;
  check_image_size(self.height, self.width, std::ssize(file), pixels_per_byte, name);
  ByteImage image{
      .height = self.height, .width = self.width, .channels = png_get_channels(self.png, self.info), .pixels = {}};
  const std::size_t row_bytes = png_get_rowbytes(self.png, self.info);
  if (row_bytes != static_cast<std::size_t>(image.width * image.channels) ||
      (image.channels != 1 && image.channels != 3)) {
    throw InternalError("PNG " + name + " was not converted to bytes");
  }
  image.pixels.resize(row_bytes * static_cast<std::size_t>(image.height));
  if (!read_rows(self, image.pixels.data(), row_bytes)) fail();
  return image;
}

}  // namespace chiasm
