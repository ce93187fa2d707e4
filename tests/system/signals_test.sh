#!/usr/bin/env bash
# Signals: whatever announces an end leads to a commit and 76, on one process and through one rank to all; what nohup
# ignores stays ignored; readers that go away and limits of file sizes end nothing.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 4 --images-per-identity 5 --log-level warn 2>/dev/null || exit 1

lines_of() { cat "$1/metrics.jsonl" 2>/dev/null | wc -l; }
goes_on() { # goes_on RUN LINES: its metrics have more than so many lines, now or within 30 s
  for _ in $(seq 300); do [ "$(lines_of "$1")" -gt "$2" ] && return; sleep 0.1; done
  false
}
for signal in HUP USR1; do
  before=$(lines_of alone)
  tiny_run 1 alone 100000 --save-every 1000000 &
  job=$!
  goes_on alone "$before"
  kill -s $signal "$(pgrep -P $job)"
  wait $job
  check "$signal to a process: commits and ends in 76" equal "$?" 76
  check "and its status names it" grep -q "stopped (76): notice by SIG$signal" <("$facemae" status alone)
done
before=$(lines_of ranked)
tiny_run 2 ranked 100000 --save-every 1000000 &
job=$!
goes_on ranked "$before"
kill -USR1 "$(launcher $job)"
wait $job
check "USR1 to mpirun: commits and ends in 76" equal "$?" 76
before=$(lines_of ranked)
tiny_run 2 ranked 100000 --save-every 1000000 &
job=$!
goes_on ranked "$before"
kill -HUP "$(its_ranks $job | tail -1)"
wait $job
check "HUP to one rank: all commit, 76" equal "$?" 76

# The same by files, without any signal.
before=$(lines_of ranked)
tiny_run 2 ranked 100000 --save-every 1000000 &
job=$!
goes_on ranked "$before"
check "facemae save waits for a checkpoint" "$facemae" save ranked --wait --json saved.json --log-level warn
check "which is a newer one" [ "$(sed -n 's/.*"committed_step": \([0-9]*\).*/\1/p' saved.json)" -gt "$before" ]
check "and the request is gone" [ ! -e ranked/save ]
check "facemae stop waits for the end" "$facemae" stop ranked --wait --log-level warn
wait $job
check "all ranks commit and end in 76" equal "$?" 76
check "and the outcome says that it was asked for" grep -q '"asked":true.*asked for by `facemae stop`' ranked/outcome.json
check "the file stands until somebody starts the run again" [ -e ranked/stop ]
ends_with 2 "nothing is saved where nothing trains" "no training holds ranked" "$facemae" save ranked
FACEMAE_SUPERVISED=yes tiny_run 1 ranked 100000 --save-every 1000000
check "a supervisor's start stops at once" equal "$?" 76
reached=$(sed 's/.*"reached":\([0-9]*\).*/\1/' ranked/outcome.json)
tiny_run 1 ranked $((reached + 3)) --allow-changes
check "a start by hand goes on" equal "$?" 0
check "and takes the request back" [ ! -e ranked/stop ]
echo $(($(date +%s) + 30)) >ranked/end_time
FACEMAE_SUPERVISED=yes tiny_run 1 ranked 100000 --save-every 1000000 --allow-changes
check "a run stops before the end of its batch job" equal "$?" 76
check "and says so" grep -q 'end of the job' ranked/outcome.json

(trap '' HUP && tiny_run 1 kept 100000 --save-every 1000000) &
job=$!
goes_on kept 0
kill -HUP "$(pgrep -P $job)"
check "a hang-up that nohup ignores is no notice" goes_on kept "$(lines_of kept)"
kill -TERM "$(pgrep -P $job)"
wait $job

words=(pretrain --store faces --run piped --steps 30 --batch 6 --model tiny --patch 28 --embedder-size 16 --embedder-width 4 --threads 1 --log-every 1)
{ "$facemae" "${words[@]}" 2>&1; echo $? >code; } | head -n 1 >first
check "a log that nobody reads ends no training" equal "$(cat code)" 0
{ "$facemae" --help; echo $? >code; } | head -c 1 >first
check "a reader that saw enough is no failure" equal "$(cat code)" 0
{ "$facemae" store info faces --json /dev/stdout >&1; echo $? >code; } | true
check "nor is it one of --json" equal "$(cat code)" 0
(ulimit -f 64 && tiny_run 1 limited 4 --save-every 1)
check "files that may not grow are failed saves, not a death" equal "$(outcome limited)" 93
check "and the reason is told" grep -q 'File too large' limited.log
finish
