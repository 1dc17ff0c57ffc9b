// SPDX-License-Identifier: Apache-2.0
// What tools/build_times.sh and tools/slowest_tests.sh make of the logs of Ninja and of ctest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/file_corpus.h"
#include "tests/support/process.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class BuildScripts : public testing::Test {
 protected:
  ProcessResult build_times() { return run_process({source_folder() + "/tools/build_times.sh", folder_.path()}); }
  ProcessResult slowest_tests(const std::string& log) {
    return run_process({source_folder() + "/tools/slowest_tests.sh", log});
  }

  TempFolder folder_;
};

TEST_F(BuildScripts, TargetsAndSourcesAreAddedUp) {
  write_text(folder_ / ".ninja_log",
             "# ninja log v5\n"
             "0\t9000\t1\tCMakeFiles/chiasm_engine.dir/engine/graph.cpp.o\ta1\n"  // made again below
             "0\t2000\t2\tCMakeFiles/chiasm_engine.dir/engine/graph.cpp.o\ta1\n"
             "500\t4000\t2\tCMakeFiles/chiasm_engine.dir/engine/io/npy.cpp.o\ta2\n"
             "4000\t5250\t2\ttests/CMakeFiles/engine_tests.dir/engine/graph_test.cpp.o\ta3\n"
             "5250\t6000\t2\ttests/engine_tests\ta4\n"
             "5250\t6000\t2\ttests/engine_tests[1]_tests.cmake\ta4\n");  // the same command
  const ProcessResult said = build_times();
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(said.out, folder_.path() +
                          ": 7.5 s\n"
                          "\n"
                          "  seconds  files   each  target\n"
                          "      5.5      2   2.75  chiasm_engine\n"
                          "      1.2      1   1.25  engine_tests\n"
                          "      0.8      1   0.75  links and the rest\n"
                          "\n"
                          "  seconds  source\n"
                          "      3.5  engine/io/npy.cpp\n"
                          "      2.0  engine/graph.cpp\n"
                          "      1.2  tests/engine/graph_test.cpp\n");
}

TEST_F(BuildScripts, TwentySourcesAreEnough) {
  std::string log = "# ninja log v5\n";
  for (int i = 1; i <= 25; ++i) {
    const std::string n = std::to_string(i);
    log += "0\t" + n + "000\t1\tCMakeFiles/x.dir/source_" + n + ".cpp.o\t" + n + "\n";
  }
  write_text(folder_ / ".ninja_log", log);
  const ProcessResult said = build_times();
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("     25.0  source_25.cpp\n"));
  EXPECT_THAT(said.out, HasSubstr("      6.0  source_6.cpp\n"));
  EXPECT_THAT(said.out, Not(HasSubstr("source_5.cpp")));
}

TEST_F(BuildScripts, WithoutALogThereIsOneMessage) {
  const ProcessResult said = build_times();
  EXPECT_EQ(said.status, 2);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err,
            "build_times.sh: there is no " + (folder_ / ".ninja_log") + "; nothing was built there with Ninja\n");
}

TEST_F(BuildScripts, SlowTestsComeFirst) {
  const std::string log = folder_ / "ctest.log";
  write_text(log,
             "        Start    1: Graph.Quick\n"
             "   1/4 Test    #1: Graph.Quick ...............................   Passed    0.02 sec\n"
             "   2/4 Test    #2: All/Steps.Run/none  # GetParam() = \"none\" ...   Passed   12.34 sec\n"
             "   3/4 Test    #3: Real.Files ................................***Skipped   0.50 sec\n"
             "   4/4 Test    #4: Real.Bad ..................................***Failed    1.00 sec\n"
             "50% tests passed, 1 tests failed out of 4\n");
  const ProcessResult said = slowest_tests(log);
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(said.out,
            "  seconds  test\n"
            "     12.3  All/Steps.Run/none  # GetParam() = \"none\"\n"
            "      1.0  Real.Bad\n"
            "      0.5  Real.Files\n"
            "      0.0  Graph.Quick\n");
}

}  // namespace
}  // namespace chiasm::test
