// SPDX-License-Identifier: Apache-2.0
// The bundle for GPU machines, made from this build and run in a folder of its own with an empty environment, on the
// emulated device: its JSON, its counts, and what it says when a test fails or a library is missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/cuda.h"
#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

// Of one op: its CPU tests, one that reads a golden file, and its rows on the device.
constexpr const char* kLinear = "Linear*";

class Bundle : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "bundles are made of optimised builds";
#endif
    CHIASM_NEEDS_CUDA();
    if (std::getenv("CHIASM_IN_BUNDLE") != nullptr) GTEST_SKIP() << "this is a bundle";
    for (const char* tool : {"/usr/bin/patchelf", "/usr/bin/objdump"}) {
      if (!fs::exists(tool)) GTEST_SKIP() << "no " << tool;
    }
    build_ = fs::path(chiasm_command()).parent_path().parent_path();
    if (!fs::exists(build_ / "tests/kernels_tests")) GTEST_SKIP() << "kernels_tests is not built";
  }

  void make(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        source_folder() + "/tools/bundle.sh", "--build", build_.string(), "--out", bundle_, "--no-data"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult made = run_process(arguments);
    ASSERT_EQ(made.status, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr("needs glibc 2."));
  }

  // Without anything of this environment: no HOME, no library path, the system's programs alone.
  ProcessResult check(std::vector<std::string> arguments, const std::vector<std::string>& variables = {}) {
    std::vector<std::string> all{"/usr/bin/env", "-i", "PATH=/usr/bin:/bin"};
    all.insert(all.end(), variables.begin(), variables.end());
    all.insert(all.end(), {bundle_ + "/run_gpu_checks.sh", "--out", result_});
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_process(all);
  }

  Json result() const { return Json::parse(read_text(result_)); }

  TempFolder folder_;
  fs::path build_;
  std::string bundle_ = folder_ / "chiasm-gpu", result_ = folder_ / "result.json";
};

void expect_schema(const Json& json) {
  for (const char* text : {"device", "driver", "driver_cuda", "cuda", "cudnn", "commit"}) {
    EXPECT_TRUE(json.at(text).is_string()) << text;
  }
  for (const char* flag : {"emulated", "quick", "smoke"}) EXPECT_TRUE(json.at(flag).is_boolean()) << flag;
  for (const char* number : {"seconds", "changed_files"}) EXPECT_TRUE(json.at(number).is_number_unsigned()) << number;
  EXPECT_FALSE(json.at("device").get<std::string>().empty());
  const Json& tests = json.at("tests");
  for (const char* count : {"passed", "failed", "skipped"}) EXPECT_TRUE(tests.at(count).is_number_unsigned()) << count;
  EXPECT_EQ(tests.at("failures").size(), tests.at("failed").get<std::size_t>());
  for (const Json& failure : tests.at("failures")) {
    for (const char* text : {"program", "test", "message"}) EXPECT_TRUE(failure.at(text).is_string()) << text;
  }
  for (const auto& [tool, found] : json.at("sanitizer").items()) EXPECT_TRUE(found.at("result").is_string()) << tool;
  for (const Json& bench : json.at("benches")) {
    EXPECT_TRUE(bench.at("program").is_string());
    EXPECT_TRUE(bench.at("status").is_number_unsigned());
    EXPECT_TRUE(bench.at("results").is_null() || bench.at("results").is_structured());
  }
}

// How many tests a program has, by its own account.
int listed(const std::string& program, const std::string& filter) {
  const std::string out = run_process({program, "--gtest_filter=" + filter, "--gtest_list_tests"}).out;
  int count = 0;
  for (std::size_t i = 0; (i = out.find("\n  ", i)) != out.npos; ++i) ++count;
  return count;
}

TEST_F(Bundle, RunsElsewhereCountsAndFails) {
  make({"--no-archive"});
  if (HasFatalFailure()) return;
  const ProcessResult fine = check({"--only", "tests", "--filter", kLinear});
  EXPECT_EQ(fine.status, 0) << fine.err;
  Json json = result();
  expect_schema(json);
  int tests = 0;
  for (const auto& program : fs::directory_iterator(bundle_ + "/tests")) tests += listed(program.path(), kLinear);
  EXPECT_GT(tests, 30);
  EXPECT_EQ(json["tests"]["passed"].get<int>() + json["tests"]["skipped"].get<int>(), tests);
  EXPECT_EQ(json["tests"]["failed"], 0);
  EXPECT_TRUE(json["emulated"]);
  EXPECT_THAT(json["sanitizer"]["memcheck"]["result"].get<std::string>(), HasSubstr("emulated"));

  // The bundle's own copy of a golden value is read, and a wrong one is found.
  const std::string golden = bundle_ + "/source/tests/oracles/golden/linear.txt";
  std::string text = read_text(golden);
  const std::size_t digit = text.find_first_of("123456789", text.find(" : "));
  text[digit] = text[digit] == '9' ? '5' : '9';
  write_text(golden, text);
  const ProcessResult wrong = check({"--only", "tests", "--filter", kLinear});
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  json = result();
  expect_schema(json);
  EXPECT_EQ(json["tests"]["failed"], 1);
  EXPECT_EQ(json["tests"]["passed"].get<int>() + json["tests"]["skipped"].get<int>(), tests - 1);
  EXPECT_EQ(json["tests"]["failures"][0]["test"], "Linear.Golden");
  EXPECT_THAT(json["tests"]["failures"][0]["message"].get<std::string>(), HasSubstr("golden.cpp:"));

  // A missing library is named before anything runs; a folder that has it is found.
  fs::remove(result_);
  std::string about = read_text(bundle_ + "/bundle.txt");
  write_text(bundle_ + "/bundle.txt",
             about.replace(about.find("nvidia_libraries="), 17, "nvidia_libraries=libcudnn.so.77"));
  const ProcessResult missing = check({"--only", "tests", "--filter", kLinear});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("missing libcudnn.so.77"));
  EXPECT_THAT(missing.err, HasSubstr("CHIASM_NVIDIA_LIBRARIES"));
  EXPECT_FALSE(fs::exists(result_));
  fs::create_directory(folder_ / "vendor");
  write_text(folder_ / "vendor/libcudnn.so.77", "");
  const ProcessResult found = check({"--only", "tests", "--filter", "Linear.Errors*"},
                                    {"CHIASM_NVIDIA_LIBRARIES=/nowhere:" + folder_ / "vendor"});
  EXPECT_EQ(found.status, 0) << found.err;

  const ProcessResult misspelt = check({"--onyl", "tests"});
  EXPECT_EQ(misspelt.status, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("--only"));
}

// A test that takes its process with it fails; the others still run.
TEST_F(Bundle, OutlivesTestsThatDie) {
  fs::create_directories(folder_ / "logs");
  const std::string program = folder_ / "dying_tests";
  write_text(program, R"sh(#!/bin/bash
# Stands in for a GoogleTest program: lists three tests, dies in the second.
filter=$(cat "$0.filter" 2>/dev/null)
for argument in "$@"; do
  case $argument in
    --gtest_list_tests) printf 'Suite.\n  First\n  Dies\n  Last  # GetParam() = 3\n' && exit ;;
    --gtest_flagfile=*) filter=$(cat "${argument#*=}") ;;
  esac
done
for name in First Dies Last; do
  [[ -z $filter || $filter == *Suite.$name* ]] || continue
  echo "[ RUN      ] Suite.$name"
  [[ $name != Dies ]] || { echo 'the "last" words'; kill -SEGV $$; }
  echo "[       OK ] Suite.$name (0 ms)"
done
)sh");
  fs::permissions(program, fs::perms::owner_all);
  const ProcessResult run =
      run_process({"/bin/bash", "-c",
                   "source \"$1\"/tools/bundle/gtest_results.sh; passed=0 failed=0 skipped=0 failures=(); "
                   "run_tests \"$2\" '*' 20 1 \"$3\"; echo \"$passed $failed $skipped ${failures[*]}\"",
                   "bash", source_folder(), program, folder_ / "logs"});
  ASSERT_THAT(run.out, testing::StartsWith("2 1 0 {")) << run.err;
  const Json failure = Json::parse(run.out.substr(6));
  EXPECT_EQ(failure["test"], "Suite.Dies");
  EXPECT_THAT(failure["message"].get<std::string>(), HasSubstr("status 139\nthe \"last\" words"));
}

}  // namespace
}  // namespace chiasm::test
