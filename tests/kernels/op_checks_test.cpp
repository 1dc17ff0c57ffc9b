// SPDX-License-Identifier: Apache-2.0
// The checks that every op row passes; see tests/support/op_case.h.
#include "tests/support/op_checks.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "tests/support/compare.h"
#include "tests/support/source_tree.h"

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
  Buffer dy = weights_like(out[0].view(), strided);
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
    const auto expected =
        gradient_of(*c.op, i, views_of(reference.in), views_of(reference.out), reference.dy.view(), CpuStream(1));
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

// Sample n of a dense tensor, as a batch of one.
View sample(const View& whole, std::int64_t n) {
  Spec spec{whole.dtype(), whole.shape().with(0, 1)};
  return View(static_cast<const std::byte*>(whole.data()) + n * spec.bytes(), spec);
}

// Runs `op` sample by sample, as its batch rule promises to be possible, and compares with the whole batch.
void expect_batch_rule_holds(const AnyOp& op, std::span<const View> in, const CpuStream& stream) {
  std::vector<Spec> specs;
  for (const View& view : in) specs.push_back(view.spec());
  const BatchRule rule = op.batch_rule(specs);
  if (rule.kind == BatchRule::Kind::kNone) return;
  ASSERT_EQ(rule.carries.size(), in.size());
  const auto first = std::find(rule.carries.begin(), rule.carries.end(), true) - rule.carries.begin();
  ASSERT_LT(first, static_cast<std::ptrdiff_t>(in.size())) << op.name() << ": no input carries the batch";
  const std::int64_t batch = in[first].shape()[0];
  const OpPtr resized = op.at_batch(specs, 1);
  const std::vector<Buffer> whole = run_op(op, in, stream);
  std::vector<Buffer> sums;
  for (std::int64_t n = 0; n < batch; ++n) {
    std::vector<View> one(in.begin(), in.end());
    for (std::size_t i = 0; i < one.size(); ++i) {
      if (rule.carries[i]) one[i] = sample(in[i], n);
    }
    const std::vector<Buffer> part = run_op(resized ? *resized : op, one, stream);
    ASSERT_EQ(part.size(), whole.size());
    for (std::size_t k = 0; k < part.size(); ++k) {
      if (rule.kind == BatchRule::Kind::kEach) {
        EXPECT_TRUE(near(part[k].view(), sample(whole[k].view(), n), {1e-12, 1e-12})) << op.name() << ", sample " << n;
        continue;
      }
      if (n == 0) sums.emplace_back(part[k].view().spec());
      const double* x = part[k].view().as<double>();
      for (std::int64_t i = 0; i < part[k].view().elements(); ++i) {
        set_value(sums[k].view(), i, (n == 0 ? 0.0 : sums[k].view().as<double>()[i]) + x[i]);
      }
    }
  }
  for (std::size_t k = 0; k < sums.size(); ++k) {
    EXPECT_TRUE(near(sums[k].view(), whole[k].view(), {1e-12, 1e-12})) << op.name() << ", sum over samples";
  }
}

TEST_P(OpChecks, BatchRulesHold) {
  const OpCase& c = GetParam();
  const CpuStream stream(1);
  const Forward f = forward(c, DType::kFloat64, stream);
  const std::vector<View> in = views_of(f.in), out = views_of(f.out);
  if (!in.empty() && in[0].shape().elements() == 0) return;
  expect_batch_rule_holds(*c.op, in, stream);
  std::vector<Spec> in_specs, out_specs;
  for (const View& view : in) in_specs.push_back(view.spec());
  for (const View& view : out) out_specs.push_back(view.spec());
  for (int i = 0; i < inputs_of(c); ++i) {
    const GradientRule rule = c.op->gradient(i);
    if (rule.kind != GradientRule::Kind::kKernel || !is_floating(in[i].dtype())) continue;
    std::vector<View> reads{f.dy.view()};
    for (int k : rule.inputs) reads.push_back(in[k]);
    for (int k : rule.outputs) reads.push_back(out[k]);
    expect_batch_rule_holds(*c.op->gradient_op(i, in_specs, out_specs), reads, stream);
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

// Bytes are written around and between the elements of a tensor, one at a time.
TEST(Buffer, FencesTellWhatWasWrittenOutside) {
  for (const bool strided : {false, true}) {
    Buffer buffer(Spec{DType::kFloat32, {2, 3}}, strided);
    EXPECT_TRUE(buffer.fences_hold());
    for (std::int64_t i = 0; i < 6; ++i) set_value(buffer.view(), i, static_cast<double>(i));
    EXPECT_TRUE(buffer.fences_hold());
    auto* const bytes = static_cast<unsigned char*>(buffer.view().data());
    const std::ptrdiff_t last = 4 * offset_at({2, 3}, buffer.view().strides(), 5);
    std::vector<std::ptrdiff_t> outside{-1, last + 4};
    if (strided) outside.push_back(last - 1);
    for (const std::ptrdiff_t at : outside) {
      const unsigned char kept = bytes[at];
      bytes[at] = 0x55;
      EXPECT_FALSE(buffer.fences_hold()) << at << (strided ? ", strided" : "");
      bytes[at] = kept;
    }
    EXPECT_TRUE(buffer.fences_hold());
  }
}

// Every `kName = "..."` below kernels/ is an op, and every op has a row.
TEST(OpCoverage, EveryOpHasARow) {
  std::set<std::string> with_row;
  for (const OpCase& c : all_op_cases()) with_row.insert(c.op->name());
  const std::regex name("kName = \"([a-z0-9_]+)\"");
  int ops = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(test::source_folder()) / "kernels")) {
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
