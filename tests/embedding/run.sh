#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the consumers beside this script: against what BUILD holds, installed and then moved; or with chiasm as a
# subproject, without CUDA and with the command.
#   run.sh installed BUILD
#   run.sh subproject
# The subproject compiles anew what knows about CUDA, and takes the rest from ccache: its flags are those of a release.
# CMake reads the compiler and its flags from CXX and CXXFLAGS.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
kind=${1:-}
cmake=${CMAKE_COMMAND:-cmake}
build=""

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

configure_build_run() {
  "$cmake" -S "$here" -B "$work/consumer" -G Ninja "$@"
  "$cmake" --build "$work/consumer" --target embedding training
  "$work/consumer/embedding"
  "$work/consumer/training"
}

# Nothing installed may name the folder it was built in, installed to, or configured from. The libraries themselves are left
# out: debug information and __FILE__ may name sources, and nobody opens them by that name.
refuse_absolute_paths() {
  local found
  if found=$(grep -rlF -e "$source" -e "$work" ${build:+-e "$build"} -e /usr/lib/ -e /usr/local/ "$1/lib" "$1/include" \
    --include='*.cmake' --include='*.h' --exclude='Find*.cmake'); then
    echo "these installed files hold absolute paths of the build machine:" >&2
    echo "$found" >&2
    exit 1
  fi
}

case $kind in
  installed)
    build=${2:?"the folder of the build to install"}
    "$cmake" --build "$build" --target chiasm
    CHIASM_INSTALL_FOR_TESTS=1 "$cmake" --install "$build" --prefix "$work/staged" >/dev/null
    mv "$work/staged" "$work/moved"
    refuse_absolute_paths "$work/moved"
    configure_build_run -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/moved"
    "$work/moved/bin/chiasm" --help >/dev/null
    ;;
  subproject)
    configure_build_run -DCMAKE_BUILD_TYPE=Release -DCHIASM_SOURCE="$source" -DCHIASM_BUILD_TOOLS=ON
    "$cmake" --build "$work/consumer" --target chiasm
    "$work/consumer/chiasm/tools/chiasm" --help >/dev/null
    ;;
  *)
    echo "usage: run.sh installed BUILD, or run.sh subproject" >&2
    exit 2
    ;;
esac
