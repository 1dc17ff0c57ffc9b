#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds chiasm and runs every test. Ends with ctest's closing lines.
#   test.sh                the optimised build; where nvcc is found, also compiles the CUDA build
#   test.sh --sanitizers   the build with assertions and the address and undefined-behaviour sanitizers instead
set -euo pipefail

usage() {
  sed -n '3,5s/^# //p' "${BASH_SOURCE[0]}"
}

preset=cpu-release
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

# build PRESET FOLDER
build() {
  local start=$SECONDS
  mkdir -p "$2"
  quietly "$2/configure.log" cmake --preset "$1"
  quietly "$2/build.log" cmake --build --preset "$1"
  echo "built $1 in $((SECONDS - start)) s"
}

nvcc=$(command -v nvcc || command -v /usr/local/cuda/bin/nvcc || true)
case $preset in
  cpu-release)
    folder=build
    build cpu-release build
    if [[ -n $nvcc ]]; then
      # The library and the command: what must compile. The tests run on whatever devices are present, below.
      quietly build/configure-cuda.log cmake --preset cuda-release -DCHIASM_BUILD_TESTS=OFF
      quietly build/build-cuda.log cmake --build --preset cuda-release
      echo "compiled the CUDA build with $nvcc"
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
exit "$status"
