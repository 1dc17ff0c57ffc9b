// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime on the host, for tests: what <cuda_runtime.h> is to a CUDA source that is compiled as C++. The parts
// of the interface that chiasm uses have the signatures and the documented behaviour of CUDA 13; see
// tests/cuda_on_host/README.md.
#pragma once

#include "tests/cuda_on_host/device/atomics.h"
#include "tests/cuda_on_host/device/intrinsics.h"
#include "tests/cuda_on_host/device/keywords.h"
#include "tests/cuda_on_host/device/threads.h"
#include "tests/cuda_on_host/device/vector_types.h"
#include "tests/cuda_on_host/runtime/api.h"
#include "tests/cuda_on_host/runtime/control.h"
#include "tests/cuda_on_host/runtime/launch.h"
#include "tests/cuda_on_host/runtime/types.h"
