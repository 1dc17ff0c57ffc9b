// SPDX-License-Identifier: Apache-2.0
#include "tests/support/untied.h"

#include <cstring>

#include "tests/support/compare.h"
#include "tests/support/op_checks.h"

namespace chiasm::test {
namespace {

struct Pass {
  Buffer y, dx, dw;
};

Pass run(const AnyOp& op, const View& x, const View& weight, const View& backward, const CpuStream& stream) {
  const std::vector<View> in{x, weight, backward};
  std::vector<Buffer> out = run_op(op, in, stream);
  Buffer dy(out[0].view().spec());
  for (std::int64_t i = 0; i < dy.view().elements(); ++i) {
    set_value(dy.view(), i, 0.3 + static_cast<double>((i * 7919) % 101) / 101.0);
  }
  EXPECT_FALSE(gradient_of(op, 2, in, views_of(out), dy.view(), stream).has_value());
  auto dx = gradient_of(op, 0, in, views_of(out), dy.view(), stream);
  auto dw = gradient_of(op, 1, in, views_of(out), dy.view(), stream);
  return {std::move(out[0]), std::move(*dx), std::move(*dw)};
}

void expect_untied(const OpCase& c, DType type, const CpuStream& stream) {
  const std::vector<Buffer> in = make_inputs(c, type);
  const View x = in[0].view(), w = in[1].view(), b = in[2].view();
  ASSERT_FALSE(bit_equal(b, w)) << "the case must have two different weights";
  Buffer copy(w.spec());
  std::memcpy(copy.view().data(), w.data(), static_cast<std::size_t>(w.spec().bytes()));

  const Pass tied = run(*c.op, x, w, w, stream);
  const Pass equal = run(*c.op, x, w, copy.view(), stream);
  EXPECT_TRUE(bit_equal(equal.y.view(), tied.y.view()));
  EXPECT_TRUE(bit_equal(equal.dx.view(), tied.dx.view()));
  EXPECT_TRUE(bit_equal(equal.dw.view(), tied.dw.view()));

  const Pass untied = run(*c.op, x, w, b, stream);
  EXPECT_TRUE(bit_equal(untied.y.view(), tied.y.view()));
  EXPECT_TRUE(bit_equal(untied.dw.view(), tied.dw.view()));
  EXPECT_FALSE(bit_equal(untied.dx.view(), tied.dx.view()));

  const Pass feedback = run(*c.op, x, b, b, stream);
  EXPECT_TRUE(bit_equal(untied.dx.view(), feedback.dx.view()));
  EXPECT_TRUE(bit_equal(untied.dw.view(), feedback.dw.view()));
  EXPECT_FALSE(bit_equal(untied.y.view(), feedback.y.view()));
}

}  // namespace

void expect_untied(const OpCase& op_case) {
  for (DType type : {DType::kFloat32, DType::kFloat64}) {
    for (int threads : {1, 2}) {
      for (bool deterministic : {false, true}) {
        SCOPED_TRACE(op_case.name + " " + std::string(name_of(type)) + ", threads " + std::to_string(threads) +
                     (deterministic ? ", deterministic" : ""));
        expect_untied(op_case, type, CpuStream(threads, deterministic));
      }
    }
  }
}

}  // namespace chiasm::test
