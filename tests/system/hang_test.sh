#!/usr/bin/env bash
# Ranks that stop, stall or wait for data: the right one is named, the job ends as for a lost peer, nothing of it stays.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1

# gone PID...: within half a minute none of them lives (one that nobody has waited for yet is dead, too).
gone() {
  local alive pid
  for _ in $(seq 300); do
    alive=
    for pid in "$@"; do
      [ -e "/proc/$pid/stat" ] && [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$pid/stat" 2>/dev/null)" != Z ] && alive="$alive $pid"
    done
    [ -z "$alive" ] && return 0
    sleep 0.1
  done
  ps -o pid,stat,args -p "${alive# }" # what remains
  false
}
committed() { # committed RUN: waits for its first commit
  for _ in $(seq 600); do
    ls "$1"/checkpoints/s*/COMMIT >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  false
}
lost() { test "$1" = 75 -o "$1" -gt 128; }

# stopped RUN RANK: SIGSTOP to that rank of three while they train.
stopped() {
  local run=$1 rank=$2 job code began ranks victim
  tiny_run 3 "$run" 100000 --save-every 5 --hang-limit 3 &
  job=$!
  committed "$run"
  ranks=$(its_ranks "$job")
  victim=$(sed -n "$((rank + 1))p" <<<"$ranks")
  kill -STOP "$victim"
  began=$SECONDS
  wait "$job"
  code=$?
  check "$run: the launcher's status is that of a lost peer ($code)" lost $code
  check "$run: within half a minute ($((SECONDS - began)) s)" test $((SECONDS - began)) -lt 30
  check "$run: the outcome is that of a lost peer" equal "$(outcome "$run")" 75
  check "$run: and names the rank" grep -q "rank $rank left no report" "$run/outcome.json"
  check "$run: so does the report" grep -q "\"reason\": \"rank $rank left no report" "$run"/hang/*/report.json
  check "$run: which lists what the others waited for" grep -q '"state": "started"' "$run"/hang/*/rank1.json
  check "$run: the log says it" grep -q "the job hangs: rank $rank left no report" "$run.log"
  kill -CONT "$victim" 2>/dev/null
  check "$run: nothing of the job is left, the continued rank neither" gone $ranks
  check "$run: the outcome stays" equal "$(outcome "$run")" 75
}
stopped last 2
stopped first 0 # rank 1 has to tell

# A rank that lives but does not enter the collective.
FACEMAE_FAILPOINT='loop.backward@1#6=stall' tiny_run 3 stalled 100000 --hang-limit 3
check "stalled: the launcher's status is that of a lost peer" lost $?
check "stalled: the failpoint fired" grep -q "failpoint loop.backward" stalled.log
check "stalled: rank 1 is named with its place" grep -qE 'rank 1 \(host .*has not entered it: step \(step 6\)' stalled/outcome.json
check "stalled: the others wait for it" grep -q 'ranks 0 and 2 wait in operation' stalled/outcome.json
check "stalled: it has reported itself" grep -q '"phase": "step"' stalled/hang/00000000/rank1.json

# Waiting for data is borne beyond --hang-limit, up to --peer-deadline.
begun=$SECONDS
FACEMAE_FAILPOINT='loop.data@1#6=stall' tiny_run 3 starved 100000 --hang-limit 2 --peer-deadline 15
check "starved: the launcher's status is that of a lost peer" lost $?
check "starved: not before --peer-deadline ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -ge 15
check "starved: it was borne first" grep -q "within limits: .*rank 1 .*waiting for data" starved.log
check "starved: rank 1 is named" grep -q "rank 1 (host .*waiting for data (step 6)" starved/outcome.json

# Without a look for hangs, a wait that is too long says who it waits for.
FACEMAE_FAILPOINT='loop.vote@2#6=stop' tiny_run 3 waited 100000 --hang-limit 0 --peer-deadline 5
check "waited: the launcher's status is that of a lost peer" lost $?
check "waited: rank 2 is named" grep -q "rank 2 left no report" waited/outcome.json

# Neither is a step that computes for long between two collectives, before any has been measured.
FACEMAE_FAILPOINT='loop.step#2=pause' tiny_run 2 slow 3 --hang-limit 1
check "slow: the run ends well" equal "$?" 0
check "slow: the failpoint fired on both ranks" equal "$(grep -c 'failpoint loop.step' slow.log)" 2

# A pause is no hang.
tiny_run 3 paused 60 --hang-limit 20 &
job=$!
committed paused
ranks=$(its_ranks "$job")
kill -STOP "$(tail -1 <<<"$ranks")"
sleep 3
kill -CONT "$(tail -1 <<<"$ranks")"
wait "$job"
check "paused: the run ends well" equal "$?" 0
check "paused: without a verdict" test ! -e paused/hang/00000000/report.json

# The launcher is gone, too, when the stopped rank goes on. The kernel itself lets that rank go on, by HUP and CONT, since
# nobody is left who could: then the ranks may still meet and commit (76).
tiny_run 3 orphaned 100000 --save-every 5 --hang-limit 3 &
job=$!
committed orphaned
ranks=$(its_ranks "$job")
kill -STOP "$(tail -1 <<<"$ranks")"
kill -KILL "$(launcher "$job")"
wait "$job"
sleep 1
kill -CONT "$(tail -1 <<<"$ranks")" 2>/dev/null
check "orphaned: nothing of the job is left" gone $ranks
check "orphaned: the outcome is that of a lost peer, or of a notice" grep -qxE '75|76' <<<"$(outcome orphaned)"

# MPI's own calls at both ends know no deadline; ours holds.
FACEMAE_FAILPOINT='world.join@1=stop' tiny_run 3 joining 10 --peer-deadline 5
check "joining: ends as a lost peer" lost $?
check "joining: and says why" grep -q "not all ranks joined within" joining.log
FACEMAE_FAILPOINT='world.finalize@1=stop' tiny_run 3 leaving 4 --peer-deadline 8
check "leaving: ends as a lost peer" lost $?
check "leaving: what was done is done" equal "$(outcome leaving)" 0
finish
