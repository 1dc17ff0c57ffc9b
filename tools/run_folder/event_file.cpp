// SPDX-License-Identifier: Apache-2.0
#include "tools/run_folder/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "kernels/error.h"

namespace chiasm {
namespace {

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
constexpr int kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5, kEventSessionLog = 7;
constexpr int kSummaryValue = 1, kValueTag = 1, kValueSimpleValue = 2;
constexpr int kSessionLogStatus = 1, kSessionLogStart = 1;
constexpr int kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;  // protocol buffer wire types

template <class Unsigned>
void put_little_endian(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof(value); ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_key(std::string& out, int field, int wire_type) {
  put_varint(out, static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire_type));
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string event(double wall_time, std::int64_t step) {
  std::string out;
  put_key(out, kEventWallTime, kFixed64);
  put_little_endian(out, std::bit_cast<std::uint64_t>(wall_time));
  if (step != 0) {  // 0 is the default of the format, which is left out
    put_key(out, kEventStep, kVarint);
    put_varint(out, static_cast<std::uint64_t>(step));
  }
  return out;
}

std::uint32_t masked_crc(std::string_view bytes) {
  // Masked, because a CRC over data that holds CRCs is weak.
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F63B78u : 0);
    table[i] = value;
  }
  return table;
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  for (char& c : name) {
    if (c == '/') c = '_';
  }
  return name;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
  static constexpr std::array<std::uint32_t, 256> kTable = make_crc_table();
  crc = ~crc;
  for (const char byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const std::string& folder, double wall_time, std::optional<std::int64_t> resumed_after) {
  const std::string base =
      fmt::format("{}/events.out.tfevents.{:010}.{}.{}", folder, static_cast<std::int64_t>(wall_time), host_name(),
                  static_cast<std::int64_t>(getpid()));
  path_ = base + ".0";
  for (int i = 1; std::filesystem::exists(path_); ++i) path_ = fmt::format("{}.{}", base, i);
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_) throw SystemError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));

  std::string version = event(wall_time, 0);
  put_bytes(version, kEventFileVersion, "brain.Event:2");
  write_record(version);
  if (resumed_after) {
    std::string start = event(wall_time, *resumed_after + 1);  // TensorBoard drops this step and later ones
    std::string log;
    put_key(log, kSessionLogStatus, kVarint);
    put_varint(log, kSessionLogStart);
    put_bytes(start, kEventSessionLog, log);
    write_record(start);
  }
}

void EventFile::scalar(std::string_view tag, std::int64_t step, double value, double wall_time) {
  std::string entry;
  put_bytes(entry, kValueTag, tag);
  put_key(entry, kValueSimpleValue, kFixed32);
  put_little_endian(entry, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  std::string summary;
  put_bytes(summary, kSummaryValue, entry);
  std::string record = event(wall_time, step);
  put_bytes(record, kEventSummary, summary);
  write_record(record);
}

void EventFile::write_record(const std::string& payload) {
  std::string length;
  put_little_endian(length, static_cast<std::uint64_t>(payload.size()));
  std::string frame = length;
  put_little_endian(frame, masked_crc(length));
  frame += payload;
  put_little_endian(frame, masked_crc(payload));
  file_.write(frame.data(), static_cast<std::streamsize>(frame.size()));
  file_.flush();
  if (!file_) throw SystemError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

}  // namespace chiasm
