// SPDX-License-Identifier: Apache-2.0
// Every op row on CUDA: forward and gradients against the float64 reference of the CPU, aligned and misaligned, two
// runs bit-equal; and no kernel of the tree that these rows never launch.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "kernels/cuda/device.h"
#include "kernels/cuda/finite.h"
#include "kernels/cuda/launch_observer.h"
#include "kernels/cuda/memory.h"
#include "tests/support/compare.h"
#include "tests/support/cuda.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

struct Results {
  std::vector<Buffer> out;
  std::vector<std::optional<Buffer>> gradients;
};

Results run(const OpCase& c, DType type, const RunOp& run_one) {
  const std::vector<Buffer> in = make_inputs(c, type);
  Results results{run_one(*c.op, views_of(in)), {}};
  const Buffer dy = weights_like(results.out[0].view());
  for (int i = 0; i < static_cast<int>(in.size()); ++i) {
    results.gradients.push_back(gradient_of(*c.op, i, views_of(in), views_of(results.out), dy.view(), run_one));
  }
  return results;
}

Results run_on_cuda(const OpCase& c, CudaStream& stream, bool misaligned) {
  return run(c, DType::kFloat32,
             [&](const AnyOp& op, std::span<const View> in) { return run_op_on_cuda(op, in, stream, misaligned); });
}

// Calls check(actual, expected, what) for each pair of results.
template <class Check>
void for_each_pair(const Results& actual, const Results& expected, const Check& check) {
  ASSERT_EQ(actual.out.size(), expected.out.size());
  for (std::size_t i = 0; i < actual.out.size(); ++i) {
    check(actual.out[i].view(), expected.out[i].view(), "output " + std::to_string(i));
  }
  ASSERT_EQ(actual.gradients.size(), expected.gradients.size());
  for (std::size_t i = 0; i < actual.gradients.size(); ++i) {
    ASSERT_EQ(actual.gradients[i].has_value(), expected.gradients[i].has_value());
    if (!actual.gradients[i]) continue;
    check(actual.gradients[i]->view(), expected.gradients[i]->view(), "gradient of input " + std::to_string(i));
  }
}

void expect_near_reference(const OpCase& c, CudaStream& stream, bool misaligned) {
  const Results reference =
      run(c, DType::kFloat64, [](const AnyOp& op, std::span<const View> in) { return run_op(op, in, CpuStream(1)); });
  const Tolerance tolerance = rounding_tolerance(DType::kFloat32, c.k, c.reduction);
  for_each_pair(run_on_cuda(c, stream, misaligned), reference,
                [&](View actual, View expected, const std::string& what) {
                  EXPECT_TRUE(near(actual, expected, tolerance)) << what << (misaligned ? ", misaligned" : "");
                });
}

TEST_P(OpChecks, CudaMatchesReference) {
  CHIASM_NEEDS_CUDA();
  CudaStream stream;
  expect_near_reference(GetParam(), stream, false);
}

TEST_P(OpChecks, CudaMatchesReferenceMisaligned) {
  CHIASM_NEEDS_CUDA();
  CudaStream stream;
  expect_near_reference(GetParam(), stream, true);
}

TEST_P(OpChecks, CudaRunsAreBitEqual) {
  CHIASM_NEEDS_CUDA();
  CudaStream stream({.deterministic = true});
  const Results first = run_on_cuda(GetParam(), stream, false);
  for_each_pair(run_on_cuda(GetParam(), stream, false), first,
                [](View a, View b, const std::string& what) { EXPECT_TRUE(bit_equal(a, b)) << what; });
}

// Names of `__global__` functions in the CUDA sources below kernels/.
std::set<std::string> kernels_in_sources() {
  const std::regex kernel(
      "__global__\\s+(?:__launch_bounds__\\([^)]*\\)\\s+)?void\\s+(?:__launch_bounds__\\([^)]*\\)\\s+)?(\\w+)\\s*\\(");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::source_folder() + "/kernels")) {
    if (entry.path().extension() != ".cu" && entry.path().extension() != ".cuh") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string source = text.str();
    for (std::sregex_iterator i(source.begin(), source.end(), kernel), end; i != end; ++i) names.insert((*i)[1]);
  }
  return names;
}

// The one kernel that is not part of an op: in tensors of many sizes, aligned and not, one element at a time is bad.
void find_planted_nonfinite(CudaStream& stream) {
  const std::vector<std::int64_t> sizes{1, 3, 33, 16 * 1024, 16 * 1024 + 5, 40'001};
  std::vector<std::int64_t> begins;  // of each tensor, in elements; odd gaps put some off 16-byte boundaries
  std::int64_t total = 0;
  for (std::int64_t size : sizes) {
    begins.push_back(total + 1);
    total += size + 2;
  }
  DeviceMemory memory(stream, total * 4), flag(stream, 4);
  std::vector<float> host(static_cast<std::size_t>(total), std::numeric_limits<float>::infinity());  // between tensors
  std::vector<View> views;
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    std::fill_n(host.begin() + begins[t], sizes[t], 1.5f);
    views.emplace_back(memory.data() + 4 * begins[t], Spec{DType::kFloat32, {sizes[t]}});
  }
  const auto found = [&] {
    std::int32_t answer = 0;
    copy_to_device(stream, memory.data(), host.data(), memory.bytes());
    fill_on_device(stream, flag.data(), std::byte{0}, 4);
    flag_nonfinite(stream, views, reinterpret_cast<std::int32_t*>(flag.data()));
    copy_to_host(stream, &answer, flag.data(), 4);
    stream.synchronize();
    return answer == 1;
  };
  EXPECT_FALSE(found());
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    for (const std::int64_t at : {std::int64_t{0}, sizes[t] / 2, sizes[t] - 1}) {
      float& element = host[static_cast<std::size_t>(begins[t] + at)];
      element = at % 2 == 0 ? std::numeric_limits<float>::quiet_NaN() : -std::numeric_limits<float>::infinity();
      EXPECT_TRUE(found()) << "element " << at << " of " << sizes[t];
      element = -2.0f;
    }
  }
}

std::set<std::string> launched;

TEST(CudaCoverage, EveryKernelIsLaunchedByARow) {
  CHIASM_NEEDS_CUDA();
  launched.clear();
  launch_observer = [](const char* kernel) {
    const std::string name(kernel);
    const std::size_t begin = name.rfind(':', name.find('<')) + 1;  // without namespaces and template arguments
    launched.insert(name.substr(begin, name.find('<') - begin));
  };
  // Bfloat16 products have kernels of their own, and need compute capability 8.0.
  const bool has_bfloat16 = cuda_devices().devices.at(0).compute_major >= 8;
  for (const CudaMath math : {CudaMath::kFloat32, has_bfloat16 ? CudaMath::kBfloat16 : CudaMath::kFloat32}) {
    CudaStream stream({.math = math});
    for (const OpCase& c : all_op_cases()) {
      for (const bool misaligned : {false, true}) run_on_cuda(c, stream, misaligned);
    }
  }
  CudaStream stream;
  find_planted_nonfinite(stream);
  launch_observer = nullptr;
  const std::set<std::string> known = kernels_in_sources();
  EXPECT_GE(known.size(), 1u);
  for (const std::string& kernel : known) EXPECT_TRUE(launched.contains(kernel)) << kernel << " was never launched";
}

}  // namespace
}  // namespace chiasm::test
