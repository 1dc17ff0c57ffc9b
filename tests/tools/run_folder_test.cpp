// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"
#include "tools/run_folder/environment.h"
#include "tools/run_folder/event_file.h"
#include "tools/run_folder/lock.h"
#include "tools/run_folder/metrics_log.h"

namespace chiasm {
namespace {

using test::TempFolder;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Metrics metrics_at(int step) { return {{"loss", 1.0 / (step + 1)}, {"top1", 0.1 * step}}; }

TEST(MetricsLog, WritesOneObjectPerLine) {
  const TempFolder folder;
  const std::string path = folder / "metrics.jsonl";
  MetricsLog log = MetricsLog::create(path);
  log.append(1, {{"loss", 0.1}, {"images", std::int64_t{128}}, {"phase", std::string("train \"a\"")}, {"last", false}});
  log.append(2, {{"loss", std::nan("")}});
  EXPECT_EQ(content_of(path),
            "{\"step\":1,\"loss\":0.1,\"images\":128,\"phase\":\"train \\\"a\\\"\",\"last\":false}\n"
            "{\"step\":2,\"loss\":null}\n");  // complete lines are there before the log is closed
  const auto lines = read_metrics(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].step, 1);
  ASSERT_EQ(lines[0].numbers.size(), 2u);
  EXPECT_EQ(lines[0].numbers[1].second, 128);
  EXPECT_TRUE(lines[1].numbers.empty());
}

TEST(MetricsLog, ResumedFileEqualsAnUninterruptedOne) {
  const TempFolder folder;
  const std::string whole = folder / "whole.jsonl";
  {
    MetricsLog log = MetricsLog::create(whole);
    for (int step = 1; step <= 9; ++step) log.append(step, metrics_at(step));
  }
  const std::string expected = content_of(whole);
  // Stopped at every byte after step 4's line, then resumed from the snapshot of step 4.
  const std::size_t snapshot = expected.find("{\"step\":5");
  for (std::size_t stop = snapshot; stop <= expected.size(); ++stop) {
    const std::string path = folder / "cut.jsonl";
    std::ofstream(path, std::ios::binary) << expected.substr(0, stop);
    {
      MetricsLog log = MetricsLog::resume(path, 4);
      for (int step = 5; step <= 9; ++step) log.append(step, metrics_at(step));
    }
    ASSERT_EQ(content_of(path), expected) << "stopped at byte " << stop;
  }
}

TEST(MetricsLog, RefusesWhatIsNotAMetricsFile) {
  const TempFolder folder;
  const auto message = [&](const std::string& content) -> std::string {
    const std::string path = folder / "bad.jsonl";
    std::ofstream(path, std::ios::binary) << content;
    try {
      MetricsLog::resume(path, 100);
    } catch (const FileError& error) {
      EXPECT_EQ(content_of(path), content);  // left as it was
      return error.where() + ": " + error.what();
    }
    return "(no error)";
  };
  EXPECT_THAT(message("{\"step\":1}\nhello\n"), ::testing::StartsWith("line 2: "));
  EXPECT_THAT(message("{\"loss\":1}\n"), ::testing::HasSubstr("no integer \"step\""));
  EXPECT_THAT(message("{\"step\":2}\n{\"step\":1}\n"), ::testing::HasSubstr("step 1 comes after step 2"));
  EXPECT_THAT(message(std::string(1000, '[') + "\n"), ::testing::HasSubstr("not a JSON object"));
  EXPECT_EQ(message("{\"step\":1}\nhel"), "(no error)");
  EXPECT_THROW(MetricsLog::create(folder / "none/metrics.jsonl"), SystemError);
}

TEST(EventFile, Crc32cMatchesKnownVectors) {
  // RFC 3720, B.4, and the usual check value.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xE3069283u);
}

// The bytes follow event.proto and summary.proto. tests/oracles/event_file.py decodes such a file independently, and
// tensorboard reads the same scalars from it and drops the steps that a resumed run repeats.
TEST(EventFile, WritesFramedProtocolBuffers) {
  const TempFolder folder;
  std::string path;
  {
    EventFile events(folder.path(), 1.5, 300);
    events.scalar("loss/train", 301, 0.25, 2.0);
    path = events.path();
    EventFile second(folder.path(), 1.5);
    EXPECT_NE(second.path(), path);
  }
  EXPECT_THAT(std::filesystem::path(path).filename().string(),
              ::testing::StartsWith("events.out.tfevents.0000000001."));
  const std::string bytes = content_of(path);
  std::vector<std::string> payloads;
  for (std::size_t at = 0; at < bytes.size();) {
    ASSERT_GE(bytes.size() - at, 16u);
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(bytes[at + i]);
    ASSERT_LE(length, bytes.size() - at - 16);
    payloads.push_back(bytes.substr(at + 12, length));
    at += 16 + length;
  }
  // The masked CRCs of the first record, from the bit-by-bit CRC of tests/oracles/event_file.py.
  EXPECT_EQ(bytes.substr(8, 4), "\xA3\x7F\x4B\x22");
  EXPECT_EQ(bytes.substr(36, 4), "\x2A\x28\x64\x6C");
  using namespace std::string_literals;
  EXPECT_THAT(payloads, ::testing::ElementsAre("\x09\0\0\0\0\0\0\xF8\x3F\x1A\x0D"
                                               "brain.Event:2"s,
                                               "\x09\0\0\0\0\0\0\xF8\x3F\x10\xAD\x02\x3A\x02\x08\x01"s,
                                               "\x09\0\0\0\0\0\0\0\x40\x10\xAD\x02\x2A\x13\x0A\x11\x0A\x0A"
                                               "loss/train"
                                               "\x15\0\0\x80\x3E"s));
}

TEST(RunFolderLock, AdmitsOneTrainer) {
  const TempFolder folder;
  const std::string run = folder / "a/run";
  {
    const RunFolderLock lock(run);
    EXPECT_THROW(RunFolderLock{run}, InputError);
    EXPECT_NO_THROW(RunFolderLock{folder / "a/other"});
  }
  EXPECT_NO_THROW(RunFolderLock{run});
  std::ofstream(folder / "file") << "x";
  EXPECT_THROW(RunFolderLock{folder / "file"}, SystemError);
}

TEST(Environment, RecordsEveryStart) {
  const TempFolder folder;
  record_start(folder.path(), {.seed = 7, .threads = 2});
  record_start(folder.path(), {.seed = 7, .threads = 1, .first_step = 40});
  const auto json = nlohmann::json::parse(content_of(folder / "environment.json"));
  ASSERT_EQ(json["starts"].size(), 2u);
  const auto& start = json["starts"][1];
  EXPECT_EQ(start["first_step"], 40);
  EXPECT_EQ(start["threads"], 1);
  EXPECT_EQ(start["seed"], 7);
  EXPECT_EQ(start["time"].get<std::string>().size(), std::string("2024-01-01T00:00:00Z").size());
  EXPECT_EQ(start["machine"]["chiasm"], chiasm_version());
  EXPECT_THAT(start["machine"]["libraries"]["onednn"].get<std::string>(), ::testing::MatchesRegex("[0-9.]+"));
  EXPECT_NE(start["machine"]["processor"], "");
  std::ofstream(folder / "environment.json") << "{}";
  EXPECT_THROW(record_start(folder.path(), {}), FileError);
}

}  // namespace
}  // namespace chiasm
