// SPDX-License-Identifier: Apache-2.0
// The checks that every op row passes; see tests/support/op_case.h.
#include "tests/support/op_checks.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "tests/support/compare.h"

namespace chiasm::test {
namespace {

struct Forward {
  std::vector<Buffer> in;
  std::vector<Buffer> out;
  Buffer dy;
};

// Runs the forward pass of a case and makes a dy that weighs every output element differently.
Forward forward(const OpCase& c, DType type, const CpuStream& stream, bool strided = false) {
  std::vector<Buffer> in = make_inputs(c, type, strided);
  std::vector<Buffer> out = run_op(*c.op, views_of(in), stream, strided);
  const Spec spec = out[0].view().spec();
  Buffer dy(Spec{spec.dtype, spec.shape}, strided);
  for (std::int64_t i = 0; i < spec.shape.elements(); ++i) {
    set_value(dy.view(), i, static_cast<float>(0.3 + 0.7 * static_cast<double>((i * 7919) % 101) / 101.0));
  }
  return {std::move(in), std::move(out), std::move(dy)};
}

int inputs_of(const OpCase& c) { return static_cast<int>(c.inputs.size()); }

void compare_types(const OpCase& c, const CpuStream& stream, bool strided) {
  const Forward reference = forward(c, DType::kFloat64, CpuStream(1));
  const Forward actual = forward(c, DType::kFloat32, stream, strided);
  const Tolerance tolerance = rounding_tolerance(DType::kFloat32, c.k, c.reduction);
  for (std::size_t i = 0; i < reference.out.size(); ++i) {
    EXPECT_TRUE(near(actual.out[i].view(), reference.out[i].view(), tolerance)) << "output " << i;
    if (!c.may_be_vacuous) {
      EXPECT_TRUE(not_vacuous(reference.out[i].view())) << "output " << i;
    }
  }
  for (int i = 0; i < inputs_of(c); ++i) {
    const auto expected = gradient_of(*c.op, i, views_of(reference.in), views_of(reference.out), reference.dy.view(),
                                      CpuStream(1));
    const auto found =
        gradient_of(*c.op, i, views_of(actual.in), views_of(actual.out), actual.dy.view(), stream, strided);
    ASSERT_EQ(expected.has_value(), found.has_value());
    if (!expected) continue;
    EXPECT_TRUE(near(found->view(), expected->view(), tolerance)) << "gradient of input " << i;
  }
}

void expect_same_bits(const OpCase& c, const CpuStream& a, const CpuStream& b) {
  const Forward first = forward(c, DType::kFloat32, a);
  const Forward second = forward(c, DType::kFloat32, b);
  for (std::size_t i = 0; i < first.out.size(); ++i) {
    EXPECT_TRUE(bit_equal(second.out[i].view(), first.out[i].view())) << "output " << i;
  }
  for (int i = 0; i < inputs_of(c); ++i) {
    const auto x = gradient_of(*c.op, i, views_of(first.in), views_of(first.out), first.dy.view(), a);
    const auto y = gradient_of(*c.op, i, views_of(first.in), views_of(first.out), second.dy.view(), b);
    if (x) {
      EXPECT_TRUE(bit_equal(y->view(), x->view())) << "gradient of input " << i;
    }
  }
}

TEST_P(OpChecks, Float32AgreesWithFloat64) { compare_types(GetParam(), CpuStream(2), false); }

TEST_P(OpChecks, StridedViewsAgree) { compare_types(GetParam(), CpuStream(2), true); }

TEST_P(OpChecks, GradientsAgreeWithDifferences) {
  const OpCase& c = GetParam();
  const CpuStream stream(1);
  Forward f = forward(c, DType::kFloat64, stream);
  const auto loss = [&] {
    const std::vector<Buffer> out = run_op(*c.op, views_of(f.in), stream);
    double sum = 0.0;
    const double* y = out[0].view().as<double>();
    const double* w = f.dy.view().as<double>();
    for (std::int64_t k = 0; k < out[0].view().elements(); ++k) sum += y[k] * w[k];
    return sum;
  };
  for (int i = 0; i < inputs_of(c); ++i) {
    const auto gradient = gradient_of(*c.op, i, views_of(f.in), views_of(f.out), f.dy.view(), stream);
    if (!gradient || std::count(c.skip_difference.begin(), c.skip_difference.end(), i) > 0) continue;
    Buffer differences(f.in[i].view().spec());
    double* x = f.in[i].view().as<double>();
    for (std::int64_t k = 0; k < differences.view().elements(); ++k) {
      const double kept = x[k];
      x[k] = kept + c.difference_step;
      const double above = loss();
      x[k] = kept - c.difference_step;
      const double below = loss();
      x[k] = kept;
      set_value(differences.view(), k, (above - below) / (2.0 * c.difference_step));
    }
    EXPECT_TRUE(near(gradient->view(), differences.view(), {c.difference_tolerance, c.difference_tolerance}))
        << "gradient of input " << i;
  }
}

TEST_P(OpChecks, RunsAreBitEqual) { expect_same_bits(GetParam(), CpuStream(2), CpuStream(2)); }

TEST_P(OpChecks, DeterministicModeDoesNotDependOnThreads) {
  expect_same_bits(GetParam(), CpuStream(1, true), CpuStream(2, true));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OpChecks);

// Every `kName = "..."` below kernels/ is an op, and every op has a row.
TEST(OpCoverage, EveryOpHasARow) {
  std::set<std::string> with_row;
  for (const OpCase& c : all_op_cases()) with_row.insert(c.op->name());
  const std::regex name("kName = \"([a-z0-9_]+)\"");
  int ops = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(CHIASM_SOURCE_DIR) / "kernels")) {
    if (entry.path().extension() != ".h" || entry.path().filename() == "op.h") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      std::smatch match;
      if (!std::regex_search(line, match, name)) continue;
      ++ops;
      EXPECT_TRUE(with_row.contains(match[1])) << "op " << match[1] << " of " << entry.path() << " has no row";
    }
  }
  EXPECT_GE(ops, 19);
}

}  // namespace
}  // namespace chiasm::test
