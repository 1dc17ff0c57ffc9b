// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda.h"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/device.h"
#include "kernels/cuda/memory.h"

namespace chiasm::test {
namespace {

constexpr std::int64_t kFence = 256;
constexpr std::byte kFill{0xff};
constexpr std::byte kFenceByte{0xa5};

// Device memory of one dense tensor between two fences; the tensor's own bytes start as 0xff (NaN).
class DeviceBuffer {
 public:
  DeviceBuffer(const CudaStream& stream, const Spec& spec, bool misaligned)
      : spec_(spec),
        offset_(kFence + (misaligned ? static_cast<std::int64_t>(size_of(spec.dtype)) : 0)),
        host_(static_cast<std::size_t>(offset_ + spec.bytes() + kFence), kFenceByte),
        memory_(stream, static_cast<std::int64_t>(host_.size())) {
    std::fill_n(host_.begin() + offset_, spec.bytes(), kFill);
  }
  MutableView view() { return MutableView(memory_.data() + offset_, spec_); }
  std::byte* content() { return host_.data() + offset_; }

  void upload(const CudaStream& stream) {
    copy_to_device(stream, memory_.data(), host_.data(), static_cast<std::int64_t>(host_.size()));
  }
  // REQUIRES: the stream is waited for before the content is read.
  void download(const CudaStream& stream) {
    copy_to_host(stream, host_.data(), memory_.data(), static_cast<std::int64_t>(host_.size()));
  }
  bool fences_hold() const {
    const auto end = host_.begin() + offset_ + spec_.bytes();
    const auto is_fence = [](std::byte b) { return b == kFenceByte; };
    return std::all_of(host_.begin(), host_.begin() + offset_, is_fence) && std::all_of(end, host_.end(), is_fence);
  }

 private:
  Spec spec_;
  std::int64_t offset_;
  std::vector<std::byte> host_;
  DeviceMemory memory_;
};

// Copies a view of any strides to dense memory.
void copy_dense(const View& from, std::byte* to) {
  const auto item = size_of(from.dtype());
  const auto* data = static_cast<const std::byte*>(from.data());
  for_each_offset(
      from.shape(),
      [&](std::int64_t i) {
        std::memcpy(to, data + static_cast<std::size_t>(i) * item, item);
        to += item;
      },
      from.strides());
}

}  // namespace

std::string why_no_cuda() {
  static const std::string why = cuda_devices().why_none;
  return why;
}

std::vector<Buffer> run_op_on_cuda(const AnyOp& op, std::span<const View> in, CudaStream& stream, bool misaligned) {
  std::vector<Spec> specs;
  std::vector<DeviceBuffer> inputs, outputs;
  std::vector<View> in_views;
  std::vector<MutableView> out_views;
  for (const View& view : in) {
    specs.push_back(view.spec());
    inputs.emplace_back(stream, view.spec(), misaligned);
    copy_dense(view, inputs.back().content());
    inputs.back().upload(stream);
    in_views.emplace_back(inputs.back().view());
  }
  for (const Spec& spec : op.infer(specs)) {
    outputs.emplace_back(stream, spec, misaligned);
    outputs.back().upload(stream);
    out_views.push_back(outputs.back().view());
  }
  DeviceBuffer workspace(stream, Spec{DType::kUInt8, {op.workspace_bytes(stream, specs)}}, false);
  workspace.upload(stream);
  const MutableView scratch = workspace.view();
  stream.lend_workspace({static_cast<std::byte*>(scratch.data()), static_cast<std::size_t>(scratch.spec().bytes())});
  op.run(stream, in_views, out_views);
  for (auto* buffers : {&inputs, &outputs}) {
    for (DeviceBuffer& buffer : *buffers) buffer.download(stream);
  }
  workspace.download(stream);
  stream.synchronize();

  EXPECT_TRUE(workspace.fences_hold()) << op.name() << " wrote outside its workspace";
  std::vector<Buffer> results;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_TRUE(outputs[i].fences_hold()) << op.name() << " wrote outside output " << i;
    results.emplace_back(out_views[i].spec());
    std::memcpy(results.back().view().data(), outputs[i].content(),
                static_cast<std::size_t>(out_views[i].spec().bytes()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<std::byte> before(static_cast<std::size_t>(specs[i].bytes()));
    copy_dense(in[i], before.data());
    EXPECT_TRUE(std::equal(before.begin(), before.end(), inputs[i].content())) << op.name() << " wrote to input " << i;
  }
  return results;
}

}  // namespace chiasm::test
