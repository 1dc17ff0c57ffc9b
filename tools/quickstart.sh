#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds the chiasm command, and trains a ConvRNN with reciprocal gated cells on Fashion-MNIST.
#   quickstart.sh [ARGUMENTS]   ARGUMENTS go to `chiasm train`, e.g. --max-steps 100 or --out FOLDER
# Interrupted (Ctrl-C), it keeps a snapshot; started again, it goes on from there.
set -euo pipefail

here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/packages.sh
source tools/packages.sh
install_packages "${CHIASM_BUILD_PACKAGES[@]}" "${CHIASM_DATA_PACKAGES[@]}"

# The run folder: runs/quickstart here, or what --out says, seen from where the caller stands.
out=$PWD/runs/quickstart
arguments=()
while (($# > 0)); do
  case $1 in
    --out)
      out=${2:?"--out needs a folder"}
      shift
      ;;
    --out=*) out=${1#--out=} ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
if [[ $out != /* ]]; then
  out=$here/$out
fi
if [[ -e $out/recipe.json && " ${arguments[*]} " != *" --resume "* ]]; then
  echo "Going on with the run in $out"
  arguments+=(--resume)
fi

log=build/quickstart.log
mkdir -p build
echo "Building chiasm (a few minutes the first time)"
# The tests are left out, and so are the libraries they need, unless this build folder already has them.
tests=(-DCHIASM_BUILD_TESTS=OFF)
if grep -qs '^CHIASM_BUILD_TESTS:BOOL=ON' build/CMakeCache.txt; then
  tests=()
fi
if ! { cmake --preset cpu-release "${tests[@]}" && cmake --build --preset cpu-release --target chiasm; } >"$log" 2>&1; then
  tail -n 80 "$log" >&2
  echo "the build failed (all of its output: $log)" >&2
  exit 1
fi

build/tools/chiasm train models/recipes/fashion_rgc.json --out "$out" "${arguments[@]}"
if [[ -e $out/report.html ]]; then
  echo "Open $out/report.html in a browser"
fi
