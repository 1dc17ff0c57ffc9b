# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Running a GoogleTest program to its end, whatever its tests do, and what they said. To be sourced. Counts are kept in
# `passed`, `failed`, `skipped`, and failures, as JSON objects, in `failures`.

# json_string TEXT: TEXT as a JSON string, of its ASCII characters.
json_string() {
  if [[ -z $1 ]]; then
    printf '""'
    return
  fi
  printf '%s' "$1" | LC_ALL=C tr '\n\t' '\001 ' | LC_ALL=C tr -d '\000\002-\037\177-\377' |
    LC_ALL=C sed 's/\\/\\\\/g; s/"/\\"/g; s/\x01/\\n/g; s/^/"/; s/$/"/'
}

# listed_tests PROGRAM FILTER: names, one a line.
listed_tests() {
  "$1" --gtest_list_tests --gtest_filter="$2" 2>/dev/null |
    awk '{ sub(/ *#.*/, "") } /^[^ ].*\.$/ { suite = $0 } /^  / { sub(/^ +/, ""); print suite $0 }'
}

# results_of LOG: "ok NAME", "failed NAME", "skipped NAME" or, for what began last and never ended, "running NAME".
results_of() {
  awk '
    /^\[ RUN      \] / { running = $4 }
    /^\[       OK \] .*\([0-9]+ ms\)$/ { print "ok", $4; running = "" }
    /^\[  FAILED  \] .*\([0-9]+ ms\)$/ { name = $4; sub(/,$/, "", name); print "failed", name; running = "" }
    /^\[  SKIPPED \] .*\([0-9]+ ms\)$/ { print "skipped", $4; running = "" }
    END { if (running != "") print "running", running }' "$1"
}

# said_by LOG NAME: what the test printed, cut to what one can read.
said_by() {
  awk -v name="$2" '
    $0 == "[ RUN      ] " name { on = 1; next }
    on && /^\[  (FAILED |SKIPPED)/ { exit }
    on && n++ < 25 { print substr($0, 1, 300) }' "$1"
}

add_failure() { # PROGRAM TEST MESSAGE
  failed=$((failed + 1))
  failures+=("{\"program\": $(json_string "$1"), \"test\": $(json_string "$2"), \"message\": $(json_string "$3")}")
  echo "  FAILED $1 $2" >&2
}

# count_results PROGRAM LOG STATUS LIMIT
count_results() {
  local what name why
  while read -r what name; do
    case $what in
      ok) passed=$((passed + 1)) ;;
      skipped) skipped=$((skipped + 1)) ;;
      failed) add_failure "$1" "$name" "$(said_by "$2" "$name")" ;;
      running)
        why="ended the program with status $3"
        ((${3} != 124)) || why="was still running when the $4 s of this program were over"
        add_failure "$1" "$name" "$why"$'\n'"$(said_by "$2" "$name")"
        ;;
    esac
  done < <(results_of "$2")
}

# run_tests PROGRAM FILTER LIMIT SHARDS LOGS: runs every test once, SHARDS at a time, within LIMIT seconds. A test that ends
# its process fails, and those after it run in a new one.
run_tests() {
  local program=$1 filter=$2 limit=$3 shards=$4 logs=$5
  local name rounds left status i
  name=$(basename "$program")
  local end=$((SECONDS + limit)) pids=()
  listed_tests "$program" "$filter" >"$logs/$name.listed"
  if [[ ! -s $logs/$name.listed ]]; then
    return 0
  fi
  if (($(wc -l <"$logs/$name.listed") < shards)); then
    shards=1
  fi
  for ((i = 0; i < shards; ++i)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$i timeout -k 5 "$limit" "$program" --gtest_color=no \
      --gtest_filter="$filter" >"$logs/$name.$i.log" 2>&1 </dev/null &
    pids+=($!)
  done
  for ((i = 0; i < shards; ++i)); do
    status=0
    wait "${pids[i]}" || status=$?
    count_results "$name" "$logs/$name.$i.log" "$status" "$limit"
    results_of "$logs/$name.$i.log" | cut -d' ' -f2 >>"$logs/$name.done"
  done
  for ((rounds = 0; rounds < 50; ++rounds)); do
    sort -u "$logs/$name.done" >"$logs/$name.done.sorted"
    sort "$logs/$name.listed" | comm -23 - "$logs/$name.done.sorted" >"$logs/$name.left"
    left=$((end - SECONDS))
    if [[ ! -s $logs/$name.left ]] || ((left <= 0)); then
      break
    fi
    echo "--gtest_filter=$(paste -sd: "$logs/$name.left")" >"$logs/$name.flags"
    status=0
    timeout -k 5 "$left" "$program" --gtest_color=no --gtest_flagfile="$logs/$name.flags" >"$logs/$name.again$rounds.log" 2>&1 </dev/null ||
      status=$?
    count_results "$name" "$logs/$name.again$rounds.log" "$status" "$limit"
    results_of "$logs/$name.again$rounds.log" | cut -d' ' -f2 >"$logs/$name.more"
    if [[ ! -s $logs/$name.more ]]; then
      break
    fi
    cat "$logs/$name.more" >>"$logs/$name.done"
  done
  while read -r left; do
    add_failure "$name" "$left" "was not run: the program ended, or its $limit s were over"
  done <"$logs/$name.left"
}
