#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the consumer beside this script against an installed chiasm that was moved after installing, then as a
# subproject of the consumer.
#   run.sh [installed|subproject]
# Both compile the library for the CPU, not optimised: these are the builds of somebody else, and only have to work. CMake
# reads the compiler and its flags from CXX and CXXFLAGS.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
kind=${1:-installed}
cmake=${CMAKE_COMMAND:-cmake}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

configure_build_run() {
  "$cmake" -S "$here" -B "$work/consumer" -G Ninja "$@"
  "$cmake" --build "$work/consumer" --target embedding
  "$work/consumer/embedding"
}

# Nothing installed may name the folder it was built in, installed to, or configured from. The libraries themselves are left
# out: debug information and __FILE__ may name sources, and nobody opens them by that name.
refuse_absolute_paths() {
  local found
  if found=$(grep -rlF -e "$source" -e "$work" -e /usr/lib/ -e /usr/local/ "$1/lib" "$1/include" \
    --include='*.cmake' --include='*.h' --exclude='Find*.cmake'); then
    echo "these installed files hold absolute paths of the build machine:" >&2
    echo "$found" >&2
    exit 1
  fi
}

case $kind in
  installed)
    "$cmake" -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCHIASM_BUILD_TESTS=OFF
    "$cmake" --build "$work/build"
    "$cmake" --install "$work/build" --prefix "$work/staged" >/dev/null
    mv "$work/staged" "$work/moved"
    refuse_absolute_paths "$work/moved"
    configure_build_run -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/moved"
    "$work/moved/bin/chiasm" --help >/dev/null
    ;;
  subproject)
    configure_build_run -DCMAKE_BUILD_TYPE=None -DCHIASM_SOURCE="$source"
    ;;
  *)
    echo "usage: run.sh [installed|subproject]" >&2
    exit 2
    ;;
esac
