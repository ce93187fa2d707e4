#!/usr/bin/env bash
# A shard that becomes unreadable in the middle of a run is quarantined on all ranks, and the run ends well; copies on
# the node's disk are read instead of the store. FAILING_DISK is failing_disk.cpp as a library.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 40 --images-per-identity 8 --shard-mib 1 --log-level warn 2>/dev/null || exit 1
trouble=(--read-patience 0.3 --max-quarantined 0.9 --order blocks --order-lanes 6 --order-block 4)

# in_trouble N PATH RUN STEPS OPTION...: reads of files under PATH fail once `broken` exists.
in_trouble() {
  local n=$1 path=$2
  shift 2
  LD_PRELOAD=$FAILING_DISK FAILING_PATH=$path FAILING_WHEN=$work/broken told_run "$n" "$@"
}
# told_run: tiny_run with these options and a log that tells events.
told_run() {
  local n=$1 run=$2 steps=$3 words
  shift 3
  with_defaults --log-level info "${trouble[@]}" -- "$@"
  tiny_run "$n" "$run" "$steps" "${words[@]}"
}
# until WHAT COMMAND...: waits for the command to succeed.
until_true() {
  local what=$1
  shift
  for _ in $(seq 1200); do "$@" && return; sleep 0.1; done
  miss "waited two minutes for: $what"
}
past() { [ "$(wc -l <"$1/metrics.jsonl" 2>/dev/null || echo 0)" -gt "$2" ]; }
close_losses() { awk '
  NR == FNR { want[$1] = $2; next }
  { d = $2 - want[$1]; if (d < 0) d = -d; if (d > 1e-4 * want[$1] || !($1 in want)) bad = 1; seen++ }
  END { exit bad || seen != 40 }' <(losses "$1") <(losses "$2"); }

# Reads of one shard begin to fail; the run is stopped once the ranks have agreed.
in_trouble 2 faces/shard-00001 stopped 40 &
job=$!
until_true "the first steps" past stopped 2
touch broken
until_true "the quarantine" grep -q "plan version 2" stopped.log
kill -USR2 "$(launcher "$job")"
wait "$job"
code=$?
check "a shard fails in the middle of a run: it goes on, and a notice ends it in 76" equal "$code" 76
check "the quarantine is told" grep -qE "shard 1 \(shard-00001.h5, [0-9]+ images\) is quarantined from step" stopped.log
check "images that stand in are counted" grep -q '"data_substituted"' stopped/metrics.jsonl
cp -r stopped killed
cp -r stopped moved

# From here on the shard is gone for good. Only a run that knows of it goes on without it.
mv faces/shard-00001.h5 aside.h5
told_run 2 another 4
check "a run that does not know of it is refused with 65" equal "$?" 65
check "and told which shard" grep -q "missing: shard-00001.h5" another.log
told_run 2 stopped 40
check "the stopped run goes on without the shard to its end" equal "$?" 0
check "and says without which" grep -q "continuing without shard 1" stopped.log
told_run 2 killed 40 &
job=$!
lines=$(wc -l <killed/metrics.jsonl)
until_true "a few more steps" past killed $((lines + 3))
kill -KILL $(launcher "$job") $(its_ranks "$job") 2>/dev/null
wait "$job" 2>/dev/null
told_run 2 killed 40
check "killed and started again: it ends" equal "$?" 0
check "with the same bits" equal "$(weights killed)" "$(weights stopped)"
told_run 1 moved 40
check "on one rank: it ends" equal "$?" 0
check "on one rank: losses within 1e-4" close_losses stopped moved
told_run 1 moved 60 --max-quarantined 0.1 --allow-changes
check "more quarantined than --max-quarantined bears: 65" equal "$?" 65

# Copies on the node's disk.
mv aside.h5 faces/shard-00001.h5
rm broken
told_run 2 shared 12
told_run 2 copied 12 --local-dir local
check "with room on --local-dir the store is copied" grep -q "data mode: replica" copied.log
check "the data mode changes nothing" equal "$(weights copied)" "$(weights shared)"
told_run 2 copied 40 --allow-changes --local-dir local &
job=$!
until_true "the copies" grep -q "shards are read from" copied.log
wait "$job"
for shard in faces/shard-*.h5; do check "the copy of $(basename "$shard") is equal" cmp "$shard" local/facemae-*/"$(basename "$shard")"; done
in_trouble 2 faces/shard- alone 40 --local-dir local &
job=$!
until_true "copies in use" grep -q "shards are read from" alone.log
touch broken
wait "$job"
check "the store fails altogether: the copies carry the run to its end" equal "$?" 0
check "and no shard is quarantined" bash -c '! grep -q quarantined alone.log'
finish
