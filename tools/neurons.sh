#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares a network with recorded neurons: SqueezeNet, or a network that chiasm trained, with macaque V4 or with the
# inferior temporal cortex of monkeys and people.
#   neurons.sh v4 DATA MODEL [OPTIONS]   50 neurons, 640 images (github.com/cowleygroup/V4_compact_models)
#   neurons.sh it DATA MODEL [OPTIONS]   dissimilarities of 92 images (github.com/rsagroup/rsatoolbox)
# DATA is a folder that holds the files, at any depth; MODEL is a recipe or the folder of a run; OPTIONS go to
# `chiasm extract`, such as --weights FILE and --layers 'conv1,fire?'. Features, scores and report.html go to
# runs/neurons-v4 or runs/neurons-it (CHIASM_OUT).
set -euo pipefail

usage() {
  sed -n '3,9s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
(($# >= 3)) || usage
which=$1 data=$2 model=$3
shift 3

chiasm=${CHIASM:-$(dirname "${BASH_SOURCE[0]}")/../build/tools/chiasm}
out=${CHIASM_OUT:-runs/neurons-$which}

# find_file NAME...: the first of these below DATA.
find_file() {
  local name found
  for name in "$@"; do
    found=$(find "$data" -name "$name" -print -quit)
    if [[ -n $found ]]; then
      printf '%s\n' "$found"
      return 0
    fi
  done
  echo "neurons.sh: $data holds none of: $*" >&2
  return 2
}

case $which in
  v4)
    images=$(find_file 'images_210325.zip')
    responses=$(find_file 'responses_raw_210325.npy')
    mkdir -p "$out"
    "$chiasm" extract "$model" --images "$images" --reduce pool:7 "$@" --out "$out/features.h5"
    "$chiasm" reliability --responses "$responses" --out "$out"
    "$chiasm" map --features "$out/features.h5" --responses "$responses" --method pls --components 25 --standardise \
      --train-fraction 0.8 --splits 5 --bootstraps 20 --out "$out"
    ;;
  it)
    # Images, and the dissimilarities of monkey (1) and human IT (2).
    objects=$(find_file 'Kriegeskorte_Neuron2008_supplementalData.mat')
    mkdir -p "$out"
    "$chiasm" extract "$model" --images "$objects" --images-key stimuli_92objs.image "$@" --out "$out/features.h5"
    "$chiasm" rsa --features "$out/features.h5" --rdm "$objects" --rdm-key 'RDMs_mIT_hIT_fig1(*).RDM' --apart \
      --comparison spearman --out "$out"
    ;;
  *) usage ;;
esac
echo "report: $out/report.html"
