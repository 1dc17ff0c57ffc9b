#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The 20 tests that took longest, from what ctest printed.
#   slowest_tests.sh CTEST_LOG
set -euo pipefail

if (($# != 1)) || [[ ! -e $1 ]]; then
  sed -n '4s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
printf '%9s  %s\n' seconds test
sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: (.*[^ .]) \.*[ *]*[A-Z][A-Za-z]+[ A-Za-z()]* +([0-9.]+) sec.*/\2\t\1/p' "$1" |
  sort -t $'\t' -k1,1nr -k2 | awk -F '\t' 'NR <= 20 { printf "%9.1f  %s\n", $1, $2 }'
