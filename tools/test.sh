#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds chiasm and runs every test. Ends with ctest's closing lines and the slowest tests.
#   test.sh                every test, in an optimised build whose CUDA device is emulated; the CUDA tests also with
#                          sanitizers; where nvcc is found, also compiles the CUDA build
#   test.sh --sanitizers   every test in the build with assertions and the address and undefined-behaviour sanitizers
set -euo pipefail

usage() {
  sed -n '3,6s/^# //p' "${BASH_SOURCE[0]}"
}

preset=cuda-on-host
for argument in "$@"; do
  case $argument in
    --sanitizers) preset=cpu-debug ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/packages.sh
source tools/packages.sh
install_packages "${CHIASM_BUILD_PACKAGES[@]}" "${CHIASM_TEST_PACKAGES[@]}" "${CHIASM_DATA_PACKAGES[@]}"

# quietly LOG COMMAND...: runs it with its output in LOG, which is shown only when it fails.
quietly() {
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 80 "$log" >&2
    echo "failed: $* (all of its output: $log)" >&2
    return 1
  fi
}

# build PRESET FOLDER [CMAKE OPTION...] [-- TARGET...]
build() {
  local start=$SECONDS preset=$1 folder=$2
  shift 2
  local options=() targets=()
  while (($# > 0)) && [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  if (($# > 0)); then
    targets=(--target "${@:2}")
  fi
  mkdir -p "$folder"
  quietly "$folder/configure.log" cmake --preset "$preset" "${options[@]}"
  quietly "$folder/build.log" cmake --build --preset "$preset" "${targets[@]}"
  echo "built $preset in $((SECONDS - start)) s"
}

nvcc=$(command -v nvcc || command -v /usr/local/cuda/bin/nvcc || true)
case $preset in
  cuda-on-host)
    folder=build-host
    build cuda-on-host build-host
    build cpu-debug build-debug -- kernels_tests
    quietly build-debug/cuda-sanitized.log build-debug/tests/kernels_tests --gtest_filter='*Cuda*'
    echo "with sanitizers: $(sed -n 's/^\[  PASSED  \] //p' build-debug/cuda-sanitized.log)"
    if [[ -n $nvcc ]]; then
      # The library and the command for one architecture: what must compile and link. Tests run where a device is.
      build cuda-release build-cuda -DCHIASM_BUILD_TESTS=OFF -DCMAKE_CUDA_ARCHITECTURES=90a
    fi
    ;;
  cpu-debug)
    folder=build-debug
    build cpu-debug build-debug
    ;;
esac

# ctest's own lines are kept; only the passing ones are left out of what is shown.
status=0
ctest --test-dir "$folder" --output-on-failure --parallel "$(nproc)" --no-tests=error >"$folder/ctest.log" 2>&1 || status=$?
if ((status != 0)); then
  grep -vE ' Passed +[0-9.]+ sec$|^ +Start +[0-9]+:' "$folder/ctest.log" || true
else
  sed -n '/tests passed/,$p' "$folder/ctest.log"
fi
tools/slowest_tests.sh "$folder/ctest.log"
exit "$status"
