// SPDX-License-Identifier: Apache-2.0
// The emulated cuBLASLt and cuDNN complain about what the libraries would refuse, or would do wrong in silence.
#include <gmock/gmock.h>

#include <functional>

#include "kernels/cuda/memory.h"
#include "tests/cuda_on_host/include/cublasLt.h"
#include "tests/cuda_on_host/include/cudnn.h"
#include "tests/cuda_on_host/vendor/library_record.h"
#include "tests/support/cuda.h"

namespace chiasm::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A convolution of one channel, 4 x 4 pixels, with a 3 x 3 kernel, as descriptors. A test changes one thing.
struct Graph {
  std::vector<std::int64_t> x_strides{16, 1, 4, 1};
  cudnnDataType_t weight_type = CUDNN_DATA_FLOAT;
  std::int64_t y_columns = 4, x_alignment = 16, x_id = 1;
  bool sets_type = true;
  std::vector<std::int64_t> ids{1, 2, 3};

  std::vector<cudnnBackendDescriptor_t> made;

  ~Graph() {
    for (cudnnBackendDescriptor_t descriptor : made) cudnnBackendDestroyDescriptor(descriptor);
  }
  cudnnBackendDescriptor_t make(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t descriptor = nullptr;
    EXPECT_EQ(cudnnBackendCreateDescriptor(type, &descriptor), CUDNN_STATUS_SUCCESS);
    made.push_back(descriptor);
    return descriptor;
  }
  template <class T>
  static void set(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  const std::vector<T>& values) {
    cudnnBackendSetAttribute(to, name, type, static_cast<std::int64_t>(values.size()), values.data());
  }
  cudnnBackendDescriptor_t tensor(std::int64_t id, const std::vector<std::int64_t>& dims,
                                  const std::vector<std::int64_t>& strides, cudnnDataType_t type,
                                  std::int64_t alignment) {
    cudnnBackendDescriptor_t t = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set<std::int64_t>(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {id});
    if (sets_type) set<cudnnDataType_t>(t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {type});
    set(t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, dims);
    set(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides);
    set<std::int64_t>(t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {alignment});
    cudnnBackendFinalize(t);
    return t;
  }

  // The operation, or what finalising it returned.
  cudnnStatus_t operation(cudnnBackendDescriptor_t& result) {
    cudnnBackendDescriptor_t x = tensor(x_id, {1, 1, 4, 4}, x_strides, CUDNN_DATA_FLOAT, x_alignment);
    cudnnBackendDescriptor_t w = tensor(2, {1, 1, 3, 3}, {9, 1, 3, 1}, weight_type, 16);
    cudnnBackendDescriptor_t y = tensor(3, {1, 1, 4, y_columns}, {4 * y_columns, 1, y_columns, 1}, CUDNN_DATA_FLOAT, 4);
    cudnnBackendDescriptor_t c = make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    set<cudnnDataType_t>(c, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT});
    set<cudnnConvolutionMode_t>(c, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
                                {CUDNN_CROSS_CORRELATION});
    set<std::int64_t>(c, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, {2});
    for (const auto name : {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS,
                            CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES}) {
      set<std::int64_t>(c, name, CUDNN_TYPE_INT64, {1, 1});
    }
    EXPECT_EQ(cudnnBackendFinalize(c), CUDNN_STATUS_SUCCESS);
    result = make(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    set<void*>(result, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_TYPE_BACKEND_DESCRIPTOR, {x});
    set<void*>(result, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_TYPE_BACKEND_DESCRIPTOR, {w});
    set<void*>(result, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_TYPE_BACKEND_DESCRIPTOR, {y});
    set<void*>(result, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, {c});
    set<float>(result, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, {1.0f});
    set<float>(result, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, {0.0f});
    return cudnnBackendFinalize(result);
  }

  // A plan of the third engine that mode B names: float32, with 1024 bytes of workspace.
  cudnnBackendDescriptor_t plan(cudnnHandle_t handle) {
    cudnnBackendDescriptor_t op = nullptr;
    EXPECT_EQ(operation(op), CUDNN_STATUS_SUCCESS);
    cudnnBackendDescriptor_t graph = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set<cudnnHandle_t>(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle});
    set<void*>(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, {op});
    EXPECT_EQ(cudnnBackendFinalize(graph), CUDNN_STATUS_SUCCESS);
    cudnnBackendDescriptor_t heuristic = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    set<void*>(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, {graph});
    set<cudnnBackendHeurMode_t>(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {CUDNN_HEUR_MODE_B});
    EXPECT_EQ(cudnnBackendFinalize(heuristic), CUDNN_STATUS_SUCCESS);
    std::vector<void*> configs;
    for (int i = 0; i < 3; ++i) configs.push_back(make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
    std::int64_t count = 0;
    EXPECT_EQ(cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 3,
                                       &count, configs.data()),
              CUDNN_STATUS_SUCCESS);
    cudnnBackendDescriptor_t plan = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    set<cudnnHandle_t>(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle});
    set<void*>(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, {configs[2]});
    EXPECT_EQ(cudnnBackendFinalize(plan), CUDNN_STATUS_SUCCESS);
    return plan;
  }
  cudnnBackendDescriptor_t pack(const std::vector<void*>& addresses, void* workspace) {
    cudnnBackendDescriptor_t p = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    set(p, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids);
    set(p, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, addresses);
    set<void*>(p, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace});
    EXPECT_EQ(cudnnBackendFinalize(p), CUDNN_STATUS_SUCCESS);
    return p;
  }
};

class LibraryMisuse : public testing::Test {
 protected:
  void SetUp() override { cuda_on_host::clear_library_record(); }
  void TearDown() override { cuda_on_host::clear_library_record(); }

  // What was complained about since the last call: one sentence.
  static std::string complaint() {
    const std::vector<std::string> all = cuda_on_host::library_misuse();
    cuda_on_host::clear_library_record();
    return all.empty() ? "nothing" : all.front();
  }
};

std::string after_operation(Graph graph) {
  cudnnBackendDescriptor_t op = nullptr;
  EXPECT_NE(graph.operation(op), CUDNN_STATUS_SUCCESS);
  const std::vector<std::string> all = cuda_on_host::library_misuse();
  cuda_on_host::clear_library_record();
  return all.empty() ? "nothing" : all.front();
}

TEST_F(LibraryMisuse, DescriptorsOfConvolutions) {
  EXPECT_THAT(after_operation({.x_strides = {16, 1, 3, 1}}), HasSubstr("share memory"));
  EXPECT_THAT(after_operation({.x_strides = {16, 4, 1}}), HasSubstr("four strides"));
  EXPECT_THAT(after_operation({.weight_type = CUDNN_DATA_BFLOAT16}), HasSubstr("different types"));
  EXPECT_THAT(after_operation({.y_columns = 5}), HasSubstr("no convolution"));
  EXPECT_THAT(after_operation({.x_alignment = 12}), HasSubstr("power of two"));
  EXPECT_THAT(after_operation({.x_id = 2}), HasSubstr("one id"));
  EXPECT_THAT(after_operation({.sets_type = false}), HasSubstr("type is not set"));
}

TEST_F(LibraryMisuse, RunningConvolutions) {
  CudaStream stream;
  const DeviceMemory memory(stream, 64 * 4 * 4 + 4096);
  std::byte* base = memory.data();
  const std::vector<void*> good{base, base + 256, base + 512};
  void* workspace = base + 1024;
  Graph graph;
  cudnnBackendDescriptor_t plan = graph.plan(stream.cudnn());
  const auto run = [&](const std::vector<void*>& addresses, void* scratch) {
    const cudnnStatus_t status = cudnnBackendExecute(stream.cudnn(), plan, graph.pack(addresses, scratch));
    EXPECT_EQ(status == CUDNN_STATUS_SUCCESS, cuda_on_host::library_misuse().empty());
    return complaint();
  };
  EXPECT_EQ(run(good, workspace), "nothing");
  EXPECT_THAT(run({base + 4, good[1], good[2]}, workspace), HasSubstr("not a multiple of the 16 bytes"));
  std::vector<float> host(64);
  EXPECT_THAT(run({host.data(), good[1], good[2]}, workspace), HasSubstr("device memory"));
  EXPECT_THAT(run({good[0], good[1], base + memory.bytes() - 16}, workspace),
              HasSubstr("y is not device memory of 64"));
  EXPECT_THAT(run(good, base + memory.bytes() - 512), HasSubstr("workspace is not device memory of 1024"));
  EXPECT_THAT(run(good, nullptr), HasSubstr("workspace is not device memory"));
  graph.ids = {1, 2, 4};
  EXPECT_THAT(run(good, workspace), HasSubstr("id 3"));
  graph.ids = {1, 2, 3, 4};
  EXPECT_THAT(run({good[0], good[1], good[2], base}, workspace), HasSubstr("does not have"));
  graph.ids = {1, 2, 3};
  cudnnBackendDestroyDescriptor(graph.made[0]);  // x, of which the plan was made
  EXPECT_THAT(run(good, workspace), HasSubstr("was destroyed"));
  cudnnBackendDestroyDescriptor(graph.made[0]);
  EXPECT_THAT(complaint(), HasSubstr("does not live"));
  graph.made.erase(graph.made.begin());
  stream.synchronize();
}

TEST_F(LibraryMisuse, HandlesAndStreamsThatDoNotLive) {
  CudaStream stream;
  const DeviceMemory memory(stream, 8192);
  std::byte* base = memory.data();
  Graph graph;
  cudnnHandle_t handle = nullptr;
  ASSERT_EQ(cudnnCreate(&handle), CUDNN_STATUS_SUCCESS);
  cudnnBackendDescriptor_t plan = graph.plan(handle);
  cudnnBackendDescriptor_t pack = graph.pack({base, base + 256, base + 512}, base + 1024);
  {
    const CudaStream gone;
    EXPECT_EQ(cudnnSetStream(handle, gone.native()), CUDNN_STATUS_SUCCESS);
  }
  EXPECT_NE(cudnnBackendExecute(handle, plan, pack), CUDNN_STATUS_SUCCESS);
  EXPECT_THAT(complaint(), HasSubstr("stream"));
  EXPECT_EQ(cudnnDestroy(handle), CUDNN_STATUS_SUCCESS);
  EXPECT_NE(cudnnBackendExecute(handle, plan, pack), CUDNN_STATUS_SUCCESS);
  EXPECT_THAT(complaint(), HasSubstr("handle that does not live"));
  EXPECT_NE(cudnnDestroy(handle), CUDNN_STATUS_SUCCESS);
  EXPECT_THAT(complaint(), HasSubstr("destroyed that does not live"));
  std::int64_t wrong = 1;
  cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_INT64, 1, &wrong);
  EXPECT_THAT(complaint(), HasSubstr("after finalising"));
}

// A product [2, 3] = [2, 4] [4, 3] by columns. A test changes one thing.
struct Product {
  cudaDataType_t b_type = CUDA_R_32F;
  std::int64_t a_leading = 2;
  std::uint64_t b_rows = 4;
  std::uint64_t plan_columns = 3;  // columns of the product that the algorithm is chosen for
  std::ptrdiff_t a_offset = 0;
  std::int64_t workspace_taken = 0;  // from the workspace that was asked for
  bool destroys_layout = false;
  bool on_host = false;

  std::string complaint() const {
    cuda_on_host::clear_library_record();
    CudaStream stream;
    const DeviceMemory memory(stream, 65536);
    std::byte* base = memory.data();
    cublasLtMatmulDesc_t op = nullptr;
    cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr, planned_b = nullptr, planned_c = nullptr;
    cublasLtMatmulPreference_t preference = nullptr;
    cublasLtMatmulDescCreate(&op, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    cublasLtMatrixLayoutCreate(&a, CUDA_R_32F, 2, 4, a_leading);
    cublasLtMatrixLayoutCreate(&b, b_type, b_rows, 3, static_cast<std::int64_t>(b_rows));
    cublasLtMatrixLayoutCreate(&c, CUDA_R_32F, 2, 3, 2);
    cublasLtMatrixLayoutCreate(&planned_b, b_type, b_rows, plan_columns, static_cast<std::int64_t>(b_rows));
    cublasLtMatrixLayoutCreate(&planned_c, CUDA_R_32F, 2, plan_columns, 2);
    cublasLtMatmulPreferenceCreate(&preference);
    const std::uint64_t most = 4096;
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof(most));
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    cublasLtMatmulAlgoGetHeuristic(stream.cublas_lt(), op, a, planned_b, planned_c, planned_c, preference, 1, &best,
                                   &found);
    if (destroys_layout) cublasLtMatrixLayoutDestroy(b);
    const float one = 1.0f, zero = 0.0f;
    float host[8] = {};
    const void* from = on_host ? static_cast<const void*>(host) : base + a_offset;
    cublasLtMatmul(stream.cublas_lt(), op, &one, from, a, base + 256, b, &zero, base + 512, c, base + 512, c,
                   &best.algo, base + 1024, best.workspaceSize - static_cast<std::size_t>(workspace_taken),
                   stream.native());
    stream.synchronize();
    const std::vector<std::string> all = cuda_on_host::library_misuse();
    cublasLtMatmulPreferenceDestroy(preference);
    for (cublasLtMatrixLayout_t layout : {a, b, c, planned_b, planned_c}) cublasLtMatrixLayoutDestroy(layout);
    cublasLtMatmulDescDestroy(op);
    return all.empty() ? "nothing" : all.front();
  }
};

TEST_F(LibraryMisuse, Products) {
  EXPECT_EQ(Product{}.complaint(), "nothing");
  EXPECT_THAT(Product{.b_type = CUDA_R_16BF}.complaint(), HasSubstr("element types"));
  EXPECT_THAT(Product{.a_leading = 1}.complaint(), HasSubstr("columns 1 apart that hold 2"));
  EXPECT_THAT(Product{.b_rows = 5}.complaint(), HasSubstr("no product"));
  EXPECT_THAT(Product{.plan_columns = 2}.complaint(), HasSubstr("chosen for another product"));
  EXPECT_THAT(Product{.a_offset = 4}.complaint(), HasSubstr("multiple of 16"));
  EXPECT_THAT(Product{.workspace_taken = 1}.complaint(), HasSubstr("workspace of 1023 bytes"));
  EXPECT_THAT(Product{.destroys_layout = true}.complaint(), HasSubstr("does not live"));
  EXPECT_THAT(Product{.on_host = true}.complaint(), HasSubstr("device memory"));
}

}  // namespace
}  // namespace chiasm::test
