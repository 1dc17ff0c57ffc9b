#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs chiasm's tests and benches on the GPU of this machine and writes one JSON. It stands in a bundle made by
# tools/bundle.sh and needs a driver, cuBLAS and cuDNN, and for the comparison python3 with PyTorch. It goes on after failures.
#   run_gpu_checks.sh [--out FILE] [--only tests|benches] [--quick] [--filter PATTERN] [--smoke]
#     --out FILE        the result, default gpu_checks.json in the current folder
#     --only PART       tests (with compute-sanitizer where it is found) or benches
#     --quick           what fits in ten minutes: the tests of CUDA alone, fewer repetitions, one network
#     --filter PATTERN  of GoogleTest; only tests of that name
#     --smoke           tiny sizes in benches: do they run? Nothing they print is a measurement then
# Exit status: 0 everything passed, 1 something failed, 2 nothing could be run.
set -uo pipefail

usage() {
  sed -n '5,11s/^# //p' "${BASH_SOURCE[0]}"
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=gpu_checks.json only="" quick=false filter="" smoke=false
while (($# > 0)); do
  case $1 in
    --out) out=${2:?"--out needs a file"} && shift ;;
    --only) only=${2:?"--only needs tests or benches"} && shift ;;
    --filter) filter=${2:?"--filter needs a pattern"} && shift ;;
    --quick) quick=true ;;
    --smoke) smoke=true ;;
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
case $only in
  "" | tests | benches) ;;
  *)
    echo "--only is tests or benches, not $only" >&2
    exit 2
    ;;
esac

# shellcheck source=tools/bundle/nvidia_libraries.sh
source "$here/nvidia_libraries.sh"
# shellcheck source=tools/bundle/gtest_results.sh
source "$here/gtest_results.sh"

# about KEY: from bundle.txt.
about() {
  sed -n "s/^$1=//p" "$here/bundle.txt"
}

newest() {
  printf '%s\n' "$@" | sort -V | tail -n 1
}

# What is needed is there, or a sentence says what is not.
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
if [[ $(newest "$(about glibc)" "${glibc:-0}") != "${glibc:-0}" ]]; then
  echo "this machine's C library is ${glibc:-not glibc}; the bundle needs glibc $(about glibc) or newer" >&2
  exit 2
fi
read -ra wanted < <(about nvidia_libraries)
find_nvidia_libraries "${wanted[@]}"
if ((${#nvidia_missing[@]} > 0)); then
  explain_missing
  exit 2
fi
export LD_LIBRARY_PATH=${nvidia_path:+$nvidia_path${LD_LIBRARY_PATH:+:}}${LD_LIBRARY_PATH:-}
[[ -n $LD_LIBRARY_PATH ]] || unset LD_LIBRARY_PATH
export CHIASM_SOURCE_DIR=$here/source CHIASM_COMMAND=$here/bin/chiasm CHIASM_IN_BUNDLE=1
if ! doctor=$("$here/bin/chiasm" doctor --json 2>&1); then
  echo "chiasm does not start here: $doctor" >&2
  exit 2
fi

# of_doctor KEY: the first text of that name in what `chiasm doctor` says about CUDA.
of_doctor() {
  sed -n '/"cuda": *{/,$p' <<<"$doctor" | sed -n "s/.*\"$1\": *\"\(.*\)\".*/\1/p" | head -n 1
}
device=$(of_doctor name)
if [[ -z $device ]]; then
  echo "no CUDA device: $(of_doctor why_none)" >&2
  exit 2
fi
driver=$({ nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null || true; } | head -n 1)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0 failures=()
sanitizer=() benches=() bench_failures=0 sanitizer_failures=0

# Seconds that each part may take. The quick ones add up to less than ten minutes.
if $quick; then
  limit_kernels=90 limit_tests=30 limit_sanitizer=50 limit_bench=25 limit_compare=100
else
  limit_kernels=1200 limit_tests=1200 limit_sanitizer=1800 limit_bench=600 limit_compare=2400
fi

run_all_tests() {
  # Tests copy the command elsewhere and run it there. PyTorch, later, must not see the bundle's C++ library.
  local -x LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}${LD_LIBRARY_PATH:+:}$here/lib
  local -x OMP_NUM_THREADS=2
  local pattern=${filter:-*} shards name
  if [[ -z $filter ]] && $quick; then
    pattern='*Cuda*'
  fi
  shards=$(nproc 2>/dev/null || echo 1)
  shards=$((shards > 8 ? 8 : shards))
  for name in kernels engine models learning_rules analysis tools; do
    if [[ -x $here/tests/${name}_tests ]]; then
      echo "tests of $name" >&2
      run_tests "$here/tests/${name}_tests" "$pattern" "$([[ $name == kernels ]] && echo "$limit_kernels" || echo "$limit_tests")" \
        "$shards" "$work"
    fi
  done
}

# run_sanitizer TOOL: compute-sanitizer over one run of every op row on the device.
run_sanitizer() {
  local program status=0 start=$SECONDS found
  program=$(command -v compute-sanitizer || compgen -G '/usr/local/cuda*/bin/compute-sanitizer' | head -n 1)
  if [[ $(about emulated) == yes ]]; then
    found="not run: the device is emulated"
  elif [[ -z $program ]]; then
    found="not run: compute-sanitizer was not found"
  elif [[ ! -x $here/tests/kernels_tests ]]; then
    found="not run: no kernels_tests"
  else
    echo "compute-sanitizer $1" >&2
    timeout -k 5 "$limit_sanitizer" "$program" --tool "$1" --error-exitcode 66 --log-file "$work/$1.txt" \
      "$here/tests/kernels_tests" --gtest_filter='CudaCoverage.*' >"$work/$1.log" 2>&1 </dev/null || status=$?
    case $status in
      0) found=clean ;;
      66) found=errors ;;
      124) found="not finished in $limit_sanitizer s" ;;
      *) found="the test ended with status $status" ;;
    esac
    if ((status != 0 && status != 124)); then
      sanitizer_failures=$((sanitizer_failures + 1))
      echo "  FAILED $1: $found" >&2
    fi
  fi
  sanitizer+=("\"$1\": {\"result\": $(json_string "$found"), \"seconds\": $((SECONDS - start)), \"log\": $(json_string \
    "$(tail -n 40 "$work/$1.txt" 2>/dev/null)")}")
}

# add_bench PROGRAM STATUS SECONDS STDERR RESULTS: RESULTS is a JSON value.
add_bench() {
  benches+=("{\"program\": $(json_string "$1"), \"status\": $2, \"seconds\": $3, \"stderr\": $(json_string "$4"), \"results\": $5}")
  if (($2 != 0)); then
    bench_failures=$((bench_failures + 1))
    echo "  FAILED $1: status $2" >&2
  fi
}

# run_bench PROGRAM ARGUMENTS...: one that prints JSON lines. Those of a bench that runs out of time are kept.
run_bench() {
  local program=$1 status=0 start=$SECONDS name
  name=$(basename "$program")
  shift
  echo "$name $*" >&2
  timeout -k 5 "$limit_bench" "$program" "$@" >"$work/lines" 2>"$work/errors" </dev/null || status=$?
  ((status != 124)) || status=0 # the results say how far it came
  add_bench "$name $*" "$status" $((SECONDS - start)) "$(tail -n 5 "$work/errors")" "[$(grep '^{.*}$' "$work/lines" | paste -sd,)]"
}

run_all_benches() {
  local options=() program status=0 start size
  ! $quick || options+=(--quick)
  ! $smoke || options+=(--smoke)
  for program in "$here"/bench/cuda_{memory_bound,pointwise,matrix}_bench; do
    [[ ! -x $program ]] || run_bench "$program" "${options[@]}"
  done
  if [[ -x $here/bench/cuda_nodes_bench ]]; then
    if $smoke; then
      run_bench "$here/bench/cuda_nodes_bench" "${options[@]}" --recipe fashion_conv --batch 2 --filter pool
    else
      run_bench "$here/bench/cuda_nodes_bench" "${options[@]}"
      $quick || run_bench "$here/bench/cuda_nodes_bench" --recipe resnet18_v1 --batch 128 --set 'model.image=[224,224,3]'
    fi
  fi
  if [[ ! -x $here/bench/training_step_bench ]]; then
    return
  fi
  if ! python3 -c 'import numpy, torch' 2>/dev/null; then
    add_bench training_step 0 0 "not run: there is no python3 with PyTorch and NumPy" null
    return
  fi
  local compare=(python3 "$here/source/bench/training_step/compare.py" --program "$here/bench/training_step_bench"
    --nodes-program "$here/bench/cuda_nodes_bench" --device cuda:0)
  for size in 64 128; do
    start=$SECONDS status=0
    local more=(--size "$size" --batch 64 --repetitions 20 --output "$work/compare$size.json")
    if $smoke; then
      more=(--size 16 --batch 2 --steps 17 --repetitions 1 --networks rgc_median --math float32 --torch-device cpu
        --output "$work/compare$size.json")
    elif $quick; then
      more+=(--networks rgc_median --math tf32 --torch-modes eager graph)
    fi
    echo "training step at $size px" >&2
    timeout -k 5 "$limit_compare" "${compare[@]}" "${more[@]}" >"$work/table$size" 2>"$work/errors" </dev/null || status=$?
    cat "$work/table$size" >&2
    if ((status == 124)) && [[ -s $work/compare$size.json ]]; then
      status=0 # what was known when the time was over is in the file
    fi
    add_bench "training_step $size px" "$status" $((SECONDS - start)) "$(tail -n 12 "$work/errors")" \
      "$(cat "$work/compare$size.json" 2>/dev/null || echo null)"
    if $quick || $smoke; then
      break
    fi
  done
}

# One network trained by the command, from data to snapshot.
train_command() {
  local status=0 start=$SECONDS data=$here/data/fashion-mnist part
  if [[ ! -d $data ]]; then
    return
  fi
  local files=() # the bundle has the test images alone, which do to see the loss fall
  for part in train test; do
    files+=(--set "data.$part.path=$data/t10k-images-idx3-ubyte.gz" --set "data.$part.labels=$data/t10k-labels-idx1-ubyte.gz")
  done
  echo "chiasm train fashion_conv" >&2
  timeout -k 5 "$limit_tests" "$here/bin/chiasm" train fashion_conv --device cuda:0 --max-steps "$($smoke && echo 2 || echo 200)" \
    "${files[@]}" --out "$work/run" >"$work/train.log" 2>&1 </dev/null || status=$?
  add_bench "chiasm train fashion_conv --device cuda:0" "$status" $((SECONDS - start)) "$(tail -n 5 "$work/train.log")" null
}

# joined ITEMS...: with ", " between them.
joined() {
  local text=
  printf -v text ', %s' "$@"
  (($# == 0)) || printf '%s' "${text:2}"
}

write_result() {
  cat >"$out.partial" <<EOF
{"device": $(json_string "$device"), "driver": $(json_string "${driver:-$(of_doctor driver)}"),
 "driver_cuda": $(json_string "$(of_doctor driver)"), "cuda": $(json_string "$(of_doctor runtime)"),
 "cudnn": $(json_string "$(cudnn_version)"), "commit": $(json_string "$(about commit)"),
 "changed_files": $(about changed_files), "emulated": $([[ $(about emulated) == yes ]] && echo true || echo false),
 "quick": $quick, "smoke": $smoke, "seconds": $SECONDS,
 "tests": {"passed": $passed, "failed": $failed, "skipped": $skipped, "failures": [$(joined "${failures[@]}")]},
 "sanitizer": {$(joined "${sanitizer[@]}")},
 "benches": [$(joined "${benches[@]}")]}
EOF
  mv "$out.partial" "$out"
}

# Written after every part: what is known stays when the time of the machine is over.
if [[ $only != benches ]]; then
  run_all_tests
  write_result
  for tool in memcheck racecheck; do
    run_sanitizer "$tool"
    write_result
  done
fi
if [[ $only != tests ]]; then
  train_command
  write_result
  run_all_benches
fi
write_result
echo "$out: $device, $passed passed, $failed failed, $skipped skipped, ${#benches[@]} benches, $SECONDS s" >&2
((failed == 0 && sanitizer_failures == 0 && bench_failures == 0))
