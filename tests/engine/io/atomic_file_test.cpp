// SPDX-License-Identifier: Apache-2.0
#include "engine/io/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "kernels/error.h"
#include "tests/support/file_corpus.h"

namespace chiasm {
namespace {

using test::bytes_of;
using test::error_of;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(AtomicFile, ReplacesTheOldFileAtCommitOnly) {
  const TempFolder folder;
  const std::string path = folder.write("file", bytes_of("old"));
  {
    AtomicFile file(path);
    file.write("ne");
    file.write("w");
    EXPECT_EQ(test::read_all(path), bytes_of("old"));
    EXPECT_EQ(folder.names().size(), 2U);
    file.commit();
  }
  EXPECT_EQ(test::read_all(path), bytes_of("new"));
  EXPECT_THAT(folder.names(), ElementsAre("file"));
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TempFolder folder;
  const std::string path = folder.write("file", bytes_of("old"));
  { AtomicFile(path).write("new"); }
  EXPECT_EQ(test::read_all(path), bytes_of("old"));
  EXPECT_THAT(folder.names(), ElementsAre("file"));
}

TEST(AtomicFile, UsesTheUsualPermissions) {
  const TempFolder folder;
  const mode_t mask = ::umask(022);
  write_file(folder / "file", "x");
  ::umask(mask);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

// A limit on the size of files stands for a full disk: write() writes what fits and then fails.
TEST(AtomicFile, SurvivesAFullDisk) {
  const TempFolder folder;
  const std::string path = folder.write("snapshot", bytes_of("old"));
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = error_of<SystemError>([&] { write_file(path, std::string(100000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(message, "cannot write " + path + ": File too large");
  EXPECT_EQ(test::read_all(path), bytes_of("old"));
  EXPECT_THAT(folder.names(), ElementsAre("snapshot"));
}

TEST(AtomicFile, SaysWhyItCannotWrite) {
  const TempFolder folder;
  const auto error = [](const std::string& path) { return error_of<SystemError>([&] { write_file(path, "x"); }); };
  EXPECT_THAT(error(folder / "absent/file"), HasSubstr("absent/file: No such file or directory"));
  EXPECT_THAT(error(folder.write("file", {}) + "/below"), HasSubstr("Not a directory"));
  folder.write("folder/inside", {});
  EXPECT_THAT(error(folder / "folder"), HasSubstr("Is a directory"));
  EXPECT_THAT(folder.names(), ElementsAre("file", "folder"));
  EXPECT_THAT(error("/proc/chiasm-test"), HasSubstr("cannot write /proc/chiasm-test: "));  // also for root
  if (::geteuid() != 0) {
    ::chmod((folder / "folder").c_str(), 0500);
    EXPECT_THAT(error(folder / "folder/new"), HasSubstr("Permission denied"));
    ::chmod((folder / "folder").c_str(), 0700);
  }
}

// What a killed process left behind does not stand in the way.
TEST(AtomicFile, PassesALeftoverTemporaryFile) {
  const TempFolder folder;
  std::string name;
  {
    AtomicFile probe(folder / "file");
    name = folder.names().at(0);
  }
  const std::size_t dash = name.rfind('-');
  const int next = std::stoi(name.substr(dash + 1)) + 1;
  folder.write(name.substr(0, dash + 1) + std::to_string(next), bytes_of("left"));
  write_file(folder / "file", "new");
  EXPECT_EQ(test::read_all(folder / "file"), bytes_of("new"));
  EXPECT_EQ(folder.names().size(), 2U);
}

}  // namespace
}  // namespace chiasm
