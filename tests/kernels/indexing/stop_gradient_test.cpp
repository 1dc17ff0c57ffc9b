// SPDX-License-Identifier: Apache-2.0
#include "kernels/indexing/stop_gradient.h"

#include <gtest/gtest.h>

#include "engine/ops.h"
#include "engine/program.h"
#include "tests/support/compare.h"
#include "tests/support/op_checks.h"
#include "tests/support/random_tensor.h"

namespace chiasm::test {
namespace {

// k = 0: nothing is computed. No gradient is asked for, since none flows.
CHIASM_OP_CASES(StopGradient,
                {OpCase{.name = "stop_image", .op = make_op(StopGradient{}), .inputs = {{{2, 3, 5, 7}}}, .k = 0},
                 OpCase{.name = "stop_scalar", .op = make_op(StopGradient{}), .inputs = {{{}}}, .k = 0},
                 OpCase{.name = "stop_indices", .op = make_op(StopGradient{}), .inputs = {{{4}, indices(9)}}, .k = 0}});

// d/dx sum (x * stop(x)) is x, not 2 x, with and without a memory plan that lets both share memory.
TEST(StopGradient, IsTheValueAndAConstant) {
  for (const char* passes : {"none", "all"}) {
    Graph graph;
    const Spec spec{DType::kFloat64, {3, 4}};
    const Value x = graph.input("x", spec);
    const Value stopped = graph.apply(StopGradient{}, {x});
    const Value product = x * stopped;
    graph.output("stopped", stopped);
    graph.output("gradient", gradients(product, std::array{x})[0]);
    Program program(graph, {.threads = 1, .passes = passes});
    const Tensor values = random_tensor(spec.dtype, spec.shape, 1);
    program.set_input("x", values.view());
    program.run();
    EXPECT_TRUE(bit_equal(program.output("stopped"), values.view())) << passes;
    EXPECT_TRUE(bit_equal(program.output("gradient"), values.view())) << passes;
  }
}

}  // namespace
}  // namespace chiasm::test
