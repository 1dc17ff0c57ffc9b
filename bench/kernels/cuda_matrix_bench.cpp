// SPDX-License-Identifier: Apache-2.0
// Question: what share of the device's product rate do convolutions and matrix products reach, forward, for the input
// gradient and for the weight gradient? Shapes are those of RGC Median (64 px, batch 64) and ResNet-18 (224 px, batch
// 128). Baseline in the same run: a product of two 8192 x 8192 matrices in the same arithmetic (float32, TF32,
// bfloat16); convolutions with a kernel of 1 x 1, which are products, stand beside those of 3 x 3. Depthwise
// convolutions are bound by memory: share_of_copy is what counts for them.
//   cuda_matrix_bench [--filter TEXT] [--quick] [--smoke] [--device N]
#include "bench/kernels/cuda_report.h"
#include "kernels/convolution/conv2d.h"
#include "kernels/linear/linear.h"

namespace chiasm::bench {
namespace {

class Rows {
 public:
  explicit Rows(const CudaBenchOptions& options)
      : report_("cuda_matrix", options, "what share of the product rate do convolutions and products reach?",
                "an 8192 x 8192 product in the same arithmetic") {}

  // Forward, the gradient of x (by the backward weight) and that of the weight, in every arithmetic.
  void add(const std::string& name, const OpPtr& op, const Shape& x, const Shape& w) {
    const Tensor weight = operand({DType::kFloat32, w});
    const std::vector<Tensor> in{operand({DType::kFloat32, x}), weight, weight};
    for (const CudaMath math : {CudaMath::kFloat32, CudaMath::kTf32, CudaMath::kBfloat16}) {
      if (math == CudaMath::kBfloat16 && !report_.has_bfloat16()) continue;
      CudaStream& stream = report_.stream(math);
      const std::string prefix = name + "/" + std::string(to_string(math)) + "/";
      if (report_.wants(prefix + "forward")) {
        report_.product_row(prefix + "forward", measure_op(stream, report_.options(), *op, {in}), math);
      }
      for (const int input : {0, 1}) {
        const std::string row = prefix + (input == 0 ? "input_gradient" : "weight_gradient");
        if (!report_.wants(row)) continue;
        const auto [gradient, operands] = gradient_run(stream, *op, input, in);
        report_.product_row(row, measure_op(stream, report_.options(), *gradient, {operands}), math);
      }
    }
  }

  void convolution(const std::string& name, std::int64_t batch, std::int64_t size, std::int64_t from, std::int64_t to,
                   std::int64_t kernel, std::int64_t stride = 1) {
    const CudaBenchOptions& o = report_.options();
    add("conv2d/" + name, make_op(Conv2d{.stride = {stride, stride}}), o.shape({batch, size, size, from}),
        o.shape({kernel, kernel, from, to}));
  }
  void depthwise(const std::string& name, std::int64_t batch, std::int64_t size, std::int64_t channels) {
    const CudaBenchOptions& o = report_.options();
    const std::int64_t kernel = std::min<std::int64_t>(7, size);
    const Shape x = o.shape({batch, size, size, channels});
    add("depthwise/" + name, make_op(Conv2d{.groups = x[3]}), x, o.shape({kernel, kernel, 1, channels}));
  }
  void product(const std::string& name, std::int64_t rows, std::int64_t from, std::int64_t to) {
    const CudaBenchOptions& o = report_.options();
    add("linear/" + name, make_op(Linear{}), o.shape({rows, from}), o.shape({from, to}));
  }

 private:
  CudaReport report_;
};

void run(const CudaBenchOptions& options) {
  Rows rows(options);
  rows.convolution("rgc_conv1_7x7", 64, 64, 3, 64, 7, 2);
  rows.convolution("rgc_conv2_3x3", 64, 16, 64, 128, 3);
  rows.convolution("rgc_conv4_3x3", 64, 16, 128, 128, 3);
  rows.convolution("rgc_conv4_2x2", 64, 16, 128, 64, 2);
  rows.convolution("rgc_conv4_1x1", 64, 16, 128, 128, 1);
  rows.convolution("rgc_conv6_3x3", 64, 8, 128, 256, 3);
  rows.convolution("rgc_conv8_3x3", 64, 4, 256, 256, 3);
  rows.convolution("rgc_conv9_3x3", 64, 4, 256, 512, 3);
  rows.convolution("resnet_conv1_7x7", 128, 224, 3, 64, 7, 2);
  rows.convolution("resnet_conv2_3x3", 128, 56, 64, 64, 3);
  rows.convolution("resnet_conv3_first_3x3", 128, 56, 64, 128, 3, 2);
  rows.convolution("resnet_conv3_3x3", 128, 28, 128, 128, 3);
  rows.convolution("resnet_conv4_3x3", 128, 14, 256, 256, 3);
  rows.convolution("resnet_conv5_3x3", 128, 7, 512, 512, 3);
  rows.depthwise("rgc_conv4_7x7", 64, 16, 128);
  rows.depthwise("rgc_conv4_cell_7x7", 64, 16, 64);
  rows.depthwise("rgc_conv6_7x7", 64, 8, 256);
  rows.depthwise("rgc_conv9_4x4", 64, 4, 512);
  rows.depthwise("large_7x7", 64, 56, 256);
  rows.product("rgc_readout", 64, 512, 1000);
  rows.product("large", 8192, 4096, 4096);
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) {
  return chiasm::bench::run_cuda_bench("cuda_matrix_bench", argc, argv, chiasm::bench::run);
}
