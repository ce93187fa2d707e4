#!/usr/bin/env bash
# Runs one fuzz target from its seeds; the tests fuzz/NAME (a few seconds) and fuzz/NAME/million call it.
#
# usage: run.sh PROGRAM RUNS SEED LARGEST
#
#   RUNS     inputs to try
#   SEED     of libFuzzer's random numbers: the same one repeats a run; 0 draws one
#   LARGEST  longest input in bytes
#
# A fault is kept in FOLDER/found beside the program and the command that shows it again is printed.
set -euo pipefail
[ $# = 4 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }
program=$1 runs=$2 seed=$3 largest=$4
work=$(dirname "$program")/$(basename "$program").$runs
rm -rf "$work"
mkdir -p "$work/corpus" "$work/found"
"$program" --seeds "$work/corpus"
# A small quarantine keeps the memory limit meaningful.
export ASAN_OPTIONS=quarantine_size_mb=16:detect_stack_use_after_return=0:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
code=0
"$program" -runs="$runs" -seed="$seed" -max_len="$largest" -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=64 \
  -print_final_stats=1 -artifact_prefix="$work/found/" "$work/corpus" >"$work/log" 2>&1 || code=$?
if [ $code != 0 ]; then
  grep -v '^#[0-9]' "$work/log" | tail -60
  for input in "$work"/found/*; do
    [ -e "$input" ] || continue
    echo "to see it again:  $program -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=64 $input"
  done
  exit 1
fi
awk '/^#[0-9]+.*cov:/ { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
  /number_of_executed_units/ { tried = $2 } /average_exec_per_sec/ { rate = $2 } /peak_rss_mb/ { memory = $2 }
  END { printf "%d inputs, %d a second, %d edges reached, %d MB at most\n", tried, rate, edges, memory
        exit tried < '"$runs"' }' "$work/log"
