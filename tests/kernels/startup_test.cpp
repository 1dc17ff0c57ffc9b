// SPDX-License-Identifier: Apache-2.0
#include "kernels/startup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/vendor/openblas_check.h"
#include "tests/support/process.h"

namespace chiasm::test {
namespace {

using testing::HasSubstr;

TEST(OpenblasCore, FollowsTheProcessor) {
  using enum IsaLevel;
  // What Debian's 0.3.21 says on processors of 2023 and later.
  EXPECT_EQ(better_openblas_core("Prescott", kAvx512), "SkylakeX");
  EXPECT_EQ(better_openblas_core("Prescott", kAvx2), "Haswell");
  EXPECT_EQ(better_openblas_core("Prescott", kBaseline), "");
  EXPECT_EQ(better_openblas_core("Haswell", kAvx512), "SkylakeX");
  EXPECT_EQ(better_openblas_core("Zen", kAvx2), "");
  EXPECT_EQ(better_openblas_core("Cooperlake", kAvx512), "");
  EXPECT_EQ(better_openblas_core("Nehalem", kAvx2), "Haswell");
  // Never kernels that the processor cannot run.
  EXPECT_EQ(better_openblas_core("SkylakeX", kAvx2), "");
  // What openblas_get_config() says of a build with the kernels of one processor, which has no others to offer, and of
  // one with many.
  EXPECT_EQ(better_openblas_core("NEHALEM", kAvx512, "OpenBLAS 0.3.21 USE64BITINT NO_AFFINITY NEHALEM"), "");
  EXPECT_EQ(better_openblas_core("Nehalem", kAvx512, "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY Nehalem"), "SkylakeX");
  EXPECT_EQ(level_of_openblas_core("SKYLAKEX"), kAvx512);
}

TEST(OpenblasCheck, AcceptsWhatThisProcessUses) { EXPECT_TRUE(agree_with_loops()); }

TEST(OpenblasCheck, SeesOneWrongElement) {
  DenseRoutines wrong;
  wrong.product = [](const CpuStream& stream, std::int64_t m, std::int64_t n, std::int64_t k, Factor<double> a,
                     Factor<double> b, double beta, double* c, std::int64_t stride) {
    gemm<double>(stream, m, n, k, a, b, beta, c, stride);
    if (m == 33) c[32 * stride + n - 1] += 1e-12;
  };
  EXPECT_FALSE(agree_with_loops(wrong));
  wrong = {};
  wrong.factor = [](std::int64_t n, double* a) {
    const bool positive = cholesky(n, a);
    if (n == 101) a[100 * n + 50] += 1e-11;
    return positive;
  };
  EXPECT_FALSE(agree_with_loops(wrong));
  wrong = {};
  wrong.solve = [](std::int64_t n, const double* a, std::int64_t count, double* b) {
    cholesky_solve(n, a, count, b);
    b[n - 1] *= 1.0 + 1e-10;
  };
  EXPECT_FALSE(agree_with_loops(wrong));
  wrong = {};
  wrong.invert = [](std::int64_t, double*) {};
  EXPECT_FALSE(agree_with_loops(wrong));
  wrong = {};
  wrong.eigen = [](std::int64_t n, double* a, double* values) {
    symmetric_eigen(n, a, values);
    values[0] *= 1.0 + 1e-10;
  };
  EXPECT_FALSE(agree_with_loops(wrong));
  wrong.eigen = [](std::int64_t, double*, double*) { throw NumericalError("eigenvalues", "did not converge"); };
  EXPECT_FALSE(agree_with_loops(wrong));
}

// The program in startup_probe.cpp, as if OpenBLAS had chosen `core` by itself.
std::string probe(const std::string& core, std::vector<std::string> more = {}) {
  std::vector<std::string> command{"/usr/bin/env",   "-u", "OPENBLAS_CORETYPE", "-u",
                                   "GOMP_SPINCOUNT", "-u", "OMP_WAIT_POLICY",   "PROBE_CORE=" + core};
  command.insert(command.end(), more.begin(), more.end());
  command.push_back(CHIASM_STARTUP_PROBE);
  const ProcessResult result = run_process(command);
  EXPECT_EQ(result.status, 0) << result.err;
  return result.out;
}

TEST(SettleEnvironment, ChoosesBetterKernelsAfterAComparison) {
  const std::string better = better_openblas_core("Prescott", machine_isa_level());
  if (better.empty()) GTEST_SKIP() << "this processor has no wider instructions than OpenBLAS's baseline";
  EXPECT_THAT(probe("Prescott"), AllOf(HasSubstr("core=" + better + " by=chiasm refused= "), HasSubstr("spins=20000")));
  EXPECT_THAT(probe("Prescott", {"PROBE_CHECK=fails"}), AllOf(HasSubstr("by=openblas refused=" + better + " ")));
  EXPECT_THAT(probe("Prescott", {"PROBE_CHECK=crashes"}), HasSubstr("by=openblas refused=" + better + " "));
}

TEST(SettleEnvironment, KeepsWhatTheUserHasSet) {
  EXPECT_THAT(probe("Prescott", {"OPENBLAS_CORETYPE=Prescott", "GOMP_SPINCOUNT=7"}),
              AllOf(HasSubstr("core=Prescott by=user refused= "), HasSubstr("spins=7")));
  EXPECT_THAT(probe("Prescott", {"OPENBLAS_CORETYPE=Prescott", "OMP_WAIT_POLICY=passive"}), HasSubstr("spins=\n"));
}

TEST(SettleEnvironment, LeavesAGoodChoiceAlone) {
  const char* const best = machine_isa_level() == IsaLevel::kAvx512 ? "SkylakeX" : "Haswell";
  EXPECT_THAT(probe(best), HasSubstr("by=openblas refused= "));
}

}  // namespace
}  // namespace chiasm::test
