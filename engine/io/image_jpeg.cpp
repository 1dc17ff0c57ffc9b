// SPDX-License-Identifier: Apache-2.0
// libjpeg reports errors through a function that must not return; as in image_png.cpp, everything that may jump is in
// functions with plain variables that are not read after the jump.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
// jpeglib.h needs the declarations of the headers above, and jerror.h those of jpeglib.h.
#include <jerror.h>
#include <jpeglib.h>

#include "engine/io/image_codecs.h"
#include "kernels/error.h"

namespace chiasm {
namespace {

// Progressive images may repeat scans without end; real ones have about 10.
constexpr int kMostScans = 200;

struct Jpeg {
  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf escape{};
  char message[JMSG_LENGTH_MAX] = "";

  ~Jpeg() { jpeg_destroy_decompress(&decoder); }
};

[[noreturn]] void leave(Jpeg& self, const char* message) {
  if (message != nullptr) std::snprintf(self.message, sizeof self.message, "%s", message);
  std::longjmp(self.escape, 1);
}

[[noreturn]] void on_error(j_common_ptr common) {
  auto& self = *static_cast<Jpeg*>(common->client_data);
  (*common->err->format_message)(common, self.message);
  leave(self, nullptr);
}

// libjpeg repairs damage and calls it a warning. An image that lost pixels is an error here; oddities beside the pixels
// are not.
void on_message(j_common_ptr common, int level) {
  if (level >= 0) return;
  switch (common->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_TOO_MUCH_DATA:
      on_error(common);
    default:
      break;
  }
}

void on_progress(j_common_ptr common) {
  auto& self = *static_cast<Jpeg*>(common->client_data);
  if (self.decoder.input_scan_number > kMostScans) leave(self, "too many scans");
}

// False when libjpeg failed; the reason is in self.message.
bool read_header(Jpeg& self, const std::byte* file, std::size_t size) {
  if (setjmp(self.escape) != 0) return false;
  jpeg_create_decompress(&self.decoder);
  self.decoder.client_data = &self;
  self.decoder.progress = &self.progress;
  jpeg_mem_src(&self.decoder, reinterpret_cast<const unsigned char*>(file), static_cast<unsigned long>(size));
  jpeg_read_header(&self.decoder, TRUE);
  switch (self.decoder.jpeg_color_space) {
    case JCS_GRAYSCALE:
      self.decoder.out_color_space = JCS_GRAYSCALE;
      break;
    case JCS_YCbCr:
    case JCS_RGB:
      self.decoder.out_color_space = JCS_RGB;
      break;
    case JCS_CMYK:
    case JCS_YCCK:
      leave(self, "CMYK images cannot be read, convert them to RGB");
    default:
      leave(self, "unknown color space; grey, RGB and YCbCr are allowed");
  }
  if (self.decoder.arith_code) leave(self, "arithmetic coding cannot be read");
  return true;
}

bool start(Jpeg& self) {
  if (setjmp(self.escape) != 0) return false;
  self.decoder.dct_method = JDCT_ISLOW;  // the accurate one, the same bits with and without vector instructions
  jpeg_start_decompress(&self.decoder);
  return true;
}

bool read_rows(Jpeg& self, std::uint8_t* pixels, std::size_t row_bytes) {
  if (setjmp(self.escape) != 0) return false;
  while (self.decoder.output_scanline < self.decoder.output_height) {
    JSAMPROW row = pixels + self.decoder.output_scanline * row_bytes;
    jpeg_read_scanlines(&self.decoder, &row, 1);
  }
  jpeg_finish_decompress(&self.decoder);
  return true;
}

}  // namespace

ByteImage decode_jpeg(std::span<const std::byte> file, const std::string& name) {
  Jpeg self;
  self.decoder.err = jpeg_std_error(&self.errors);
  self.errors.error_exit = on_error;
  self.errors.emit_message = on_message;
  self.progress.progress_monitor = on_progress;
  self.decoder.client_data = &self;  // jpeg_create_decompress keeps both
  const auto fail = [&] { throw FileError(name, "JPEG", self.message); };
  if (!read_header(self, file.data(), file.size())) fail();

  // Each 8 x 8 block of brightness takes at least one bit.
  check_image_size(self.decoder.image_height, self.decoder.image_width, std::ssize(file), 512, name);
  if (!start(self)) fail();
  ByteImage image{.height = self.decoder.output_height,
                  .width = self.decoder.output_width,
                  .channels = self.decoder.output_components,
                  .pixels = {}};
  const std::size_t row_bytes = static_cast<std::size_t>(image.width * image.channels);
  image.pixels.resize(row_bytes * static_cast<std::size_t>(image.height));
  if (!read_rows(self, image.pixels.data(), row_bytes)) fail();
  return image;
}

}  // namespace chiasm
