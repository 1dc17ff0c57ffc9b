#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a folder, and an archive of it, that runs chiasm's tests and benches on a GPU machine without compilers or packages:
# programs, their shared libraries except those of NVIDIA and of the C library, recipes, and the sources that tests read.
#   bundle.sh [--build DIR] [--out DIR] [--archive FILE | --no-archive] [--no-data]
#     --build DIR     an existing build to take as it is; default: configures and builds the preset cuda-release
#     --out DIR       the folder to make, default BUILD/chiasm-gpu; what is there is replaced
#     --archive FILE  .tar.xz, .tar.zst or .tar.gz, default OUT.tar.xz; at most 50 MB
#     --no-data       leaves Fashion-MNIST's test images out
# On the GPU machine: tar xf chiasm-gpu.tar.xz && chiasm-gpu/run_gpu_checks.sh
set -euo pipefail
shopt -s nullglob

usage() {
  sed -n '5,9s/^# //p' "${BASH_SOURCE[0]}"
}

readonly kMostArchiveBytes=$((50 * 1000 * 1000))
readonly kFashion=/usr/share/datasets/fashion-mnist
# Left to the other machine: the C library, which must be at least as new as ours, and NVIDIA's libraries.
readonly kOfTheMachine='^(ld-linux.*|libc|libm|libpthread|libdl|librt|libresolv|libutil|libanl|libnsl|libnss_.*|libmvec)\.so'
readonly kOfNvidia='^lib(cuda|cublas|cublasLt|cudnn.*|cudart|nvrtc.*|nvJitLink|nccl|nvidia-.*)\.so'

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build="" out="" archive="" make_archive=true with_data=true
while (($# > 0)); do
  case $1 in
    --build) build=$(cd "${2:?"--build needs a folder"}" && pwd) && shift ;;
    --out) out=${2:?"--out needs a folder"} && shift ;;
    --archive) archive=${2:?"--archive needs a file"} && shift ;;
    --no-archive) make_archive=false ;;
    --no-data) with_data=false ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done

fail() {
  echo "bundle.sh: $*" >&2
  exit 1
}

# shellcheck source=tools/packages.sh
source "$root/tools/packages.sh"
install_packages "${CHIASM_BUNDLE_PACKAGES[@]}"

if [[ -z $build ]]; then
  install_packages "${CHIASM_BUILD_PACKAGES[@]}" "${CHIASM_TEST_PACKAGES[@]}" libbenchmark-dev
  build=$root/build-cuda
  cmake -S "$root" --preset cuda-release -DCHIASM_BUILD_TESTS=ON -DCHIASM_BUILD_BENCH=ON >&2
  cmake --build "$build" >&2
fi
[[ -x $build/tools/chiasm ]] || fail "$build holds no chiasm command; build it first"
out=${out:-$build/chiasm-gpu}
archive=${archive:-$out.tar.xz}
if [[ -e $out && ! -e $out/bundle.txt && -n $(ls -A "$out") ]]; then
  fail "$out is there and is not a bundle"
fi
rm -rf "$out"
mkdir -p "$out"/{bin,tests,bench,lib,share/chiasm,source}
out=$(cd "$out" && pwd)

# Programs. The tests of the source tree and of embedding need a source tree with a compiler.
cp "$build/tools/chiasm" "$out/bin/"
for name in kernels engine models learning_rules analysis tools; do
  if [[ -x $build/tests/${name}_tests ]]; then
    cp "$build/tests/${name}_tests" "$out/tests/"
  fi
done
for program in "$build"/bench/cuda_*_bench "$build/bench/training_step_bench"; do
  if [[ -x $program ]]; then
    cp "$program" "$out/bench/"
  fi
done

# needed FILE: sonames that an object names.
needed() {
  readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# Shared libraries: what ldd finds for a program is what its libraries need as well.
for program in "$out"/{bin,tests,bench}/*; do
  while read -r soname path; do
    if [[ ! $soname =~ $kOfTheMachine && ! $soname =~ $kOfNvidia && ! -e $out/lib/$soname ]]; then
      [[ -n $path ]] || fail "$program needs $soname, which is not on this machine"
      cp -L "$path" "$out/lib/$soname"
    fi
  done < <(ldd "$program" | sed -n 's/^\t\([^ ]*\) => not found.*/\1/p; s/^\t\([^ ]*\) => \(\/[^ ]*\).*/\1 \2/p')
done

# Stripped first: patchelf moves sections, and strip would undo that.
find "$out"/{bin,tests,bench,lib} -type f -exec chmod u+w {} + -exec strip --strip-unneeded {} +
# Libraries too: what a program is told about where to look does not hold for the libraries of its libraries.
find "$out"/{bin,tests,bench} -type f -exec patchelf --set-rpath "\$ORIGIN/../lib" {} \;
find "$out/lib" -type f -exec patchelf --set-rpath "\$ORIGIN" {} \;

# What is left to the other machine, and how new its C library must be.
nvidia=() glibc=2.0
while read -r object; do
  while read -r soname; do
    if [[ $soname =~ $kOfNvidia ]]; then
      nvidia+=("$soname")
    elif [[ ! $soname =~ $kOfTheMachine && ! -e $out/lib/$soname ]]; then
      fail "$object needs $soname, which is not in the bundle"
    fi
  done < <(needed "$object")
  glibc=$({ echo "$glibc" && objdump -T "$object" | grep -oP 'GLIBC_\K[0-9.]+'; } | sort -V | tail -n 1)
done < <(find "$out"/{bin,tests,bench,lib} -type f)
mapfile -t nvidia < <(printf '%s\n' "${nvidia[@]}" | sort -u | sed '/^$/d')

# Sources: tests read recipes, golden values, data files and kernels. Data too large to travel stays.
git_lists() {
  git -C "$root" ls-files --cached --others --exclude-standard 2>/dev/null
}
if [[ -n $(git_lists | head -n 1) ]]; then
  git_lists | grep -v '^bench/results/' | (cd "$root" && tar cf - --ignore-failed-read -T - 2>/dev/null) | tar xf - -C "$out/source"
else
  tar cf - -C "$root" --exclude='./build*' --exclude='./bench/results' --exclude=./.git . | tar xf - -C "$out/source"
fi
cp -r "$root/models/recipes" "$out/share/chiasm/recipes"
cp -r "$root/learning_rules/presets" "$out/share/chiasm/recipes/presets"
cp "$root/tools/bundle/run_gpu_checks.sh" "$root/tools/bundle/gtest_results.sh" "$root/tools/bundle/nvidia_libraries.sh" "$out/"
# The test images alone: those for training would be half of the archive.
if $with_data && [[ -e $kFashion/t10k-images-idx3-ubyte.gz ]]; then
  mkdir -p "$out/data/fashion-mnist"
  cp -L "$kFashion"/t10k-*.gz "$out/data/fashion-mnist/"
fi

option() {
  sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}
commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
changed=$(git -C "$root" status --porcelain 2>/dev/null | wc -l)
emulated=$([[ $(option CHIASM_CUDA_ON_HOST) == ON ]] && echo yes || echo no)
# Read by run_gpu_checks.sh: one "key=value" in each line.
cat >"$out/bundle.txt" <<EOF
commit=$commit
changed_files=$changed
emulated=$emulated
build_type=$(option CMAKE_BUILD_TYPE)
glibc=$glibc
nvidia_libraries=${nvidia[*]}
EOF

echo "$out: $(du -sm "$out" | cut -f1) MB, needs glibc $glibc or newer and ${nvidia[*]:-no NVIDIA library}"
if $make_archive; then
  folder=$(dirname "$out") name=$(basename "$out")
  case $archive in
    # Large windows: the programs hold the same objects many times.
    *.tar.xz) tar cf - -C "$folder" "$name" | xz --lzma2=preset=6,dict=128MiB >"$archive" ;;
    *.tar.zst) tar cf - -C "$folder" "$name" | zstd -q -19 --long=27 -f -o "$archive" ;;
    *.tar.gz) tar czf "$archive" -C "$folder" "$name" ;;
    *) fail "$archive: the archive's name must end in .tar.xz, .tar.zst or .tar.gz" ;;
  esac
  bytes=$(stat -c %s "$archive")
  echo "$archive: $((bytes / 1000)) kB"
  ((bytes <= kMostArchiveBytes)) || fail "$archive has $bytes bytes, more than $kMostArchiveBytes; try --no-data"
fi
