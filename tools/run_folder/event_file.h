// SPDX-License-Identifier: Apache-2.0
// A TensorBoard event file with scalars: TFRecord frames (length, masked CRC-32C of it, payload, masked CRC-32C of the
// payload; tensorflow/core/lib/io/record_writer) around `Event` protocol buffers, encoded by hand.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace chiasm {

class EventFile {
 public:
  // Starts folder/events.out.tfevents.<time>.<host>.<process>. `wall_time` is in seconds since 1970. With
  // `resumed_after`, TensorBoard is told to drop what earlier files of this folder say about later steps. Throws
  // SystemError.
  EventFile(const std::string& folder, double wall_time, std::optional<std::int64_t> resumed_after = std::nullopt);

  // TensorBoard groups tags by what stands before the first "/": "loss/train". Each call is flushed.
  void scalar(std::string_view tag, std::int64_t step, double value, double wall_time);
  const std::string& path() const { return path_; }

 private:
  void write_record(const std::string& payload);
  std::string path_;
  std::ofstream file_;
};

// The Castagnoli CRC-32 (reflected polynomial 0x82F63B78), continued from `crc` (0 to begin).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace chiasm
