#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the files of a build folder cost when they were made last: each target, and the 20 slowest sources. Read from Ninja's
# own log. Seconds are those that a job took, beside the jobs that ran at the same time.
#   build_times.sh [FOLDER]   FOLDER: where Ninja built; build-host of this tree when it is left out
set -euo pipefail

if (($# > 1)) || [[ ${1:-} == -* ]]; then
  sed -n '3,5s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
log=${1:-$(dirname "${BASH_SOURCE[0]}")/../build-host}/.ninja_log
if [[ ! -e $log ]]; then
  echo "build_times.sh: there is no $log; nothing was built there with Ninja" >&2
  exit 2
fi

# Lines: start, end (ms), time of the file, file, hash of the command. A file made again has another line: the last counts.
# A command that makes several files has one line for each.
made=$(awk -F '\t' '
  /^#/ { next }
  NF >= 5 { took[$4] = $2 - $1; command[$4] = $1 " " $2 " " $5 }
  END { for (file in took) if (!seen[command[file]]++) printf "%.3f\t%s\n", took[file] / 1000, file }' "$log")

awk -F '\t' -v folder="${log%/.ninja_log}" '
  { target = "links and the rest" }
  match($2, /CMakeFiles\/[^\/]*\.dir\//) { target = substr($2, RSTART + 11, RLENGTH - 16) }
  { seconds[target] += $1; files[target]++; all += $1 }
  END {
    printf "%s: %.1f s\n\n%9s %6s %6s  %s\n", folder, all, "seconds", "files", "each", "target"
    order = "sort -k1,1nr"
    for (target in seconds) {
      printf "%9.1f %6d %6.2f  %s\n", seconds[target], files[target], seconds[target] / files[target], target | order
    }
    close(order)
  }' <<<"$made"

printf '\n%9s  %s\n' seconds source
# Folder/CMakeFiles/TARGET.dir/SOURCE.o: a target writes its sources from the folder of its CMakeLists.txt on.
grep -E '\.dir/.*\.o$' <<<"$made" | sort -t $'\t' -k1,1nr -k2 |
  sed -E 's|CMakeFiles/[^/]*\.dir/||; s|\.o$||' | awk -F '\t' 'NR <= 20 { printf "%9.1f  %s\n", $1, $2 }'
