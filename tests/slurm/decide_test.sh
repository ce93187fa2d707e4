#!/usr/bin/env bash
# slurm/lib/decide.sh, every combination of the facts that it reads. A row of a table has a pattern per fact and what is
# expected (`.` stands for any value); each combination must be matched by exactly one row. Then faults are planted,
# one by one, and the tables must notice each.
set -uo pipefail
lib=${FACEMAE_SOURCE:?}/slurm/lib/decide.sh

# What ends a job, as measured on Slurm 22.05 from a batch script's TERM trap (JobState, Reason, PreemptTime set,
# Restarts raised), completed to every combination.
causes='
  .          .         .   yes requeued
  RUNNING    .         yes no  preempted
  COMPLETING .         yes no  preempted
  PREEMPTED  .         .   no  preempted
  RUNNING    TimeLimit no  no  limit
  COMPLETING TimeLimit no  no  limit
  TIMEOUT    .         .   no  limit
  RUNNING    None      no  no  none
  COMPLETING None      no  no  cancelled
  CANCELLED  .         .   no  cancelled
  -          .         .   no  unknown
  PENDING    .         .   no  unknown
  NODE_FAIL  .         .   no  unknown
'
# code cause asked notice committed chain idle nodes: action
rules='
  complete .         .   .   .   .     .   .     finish
  !        requeued  .   .   .   .     .   .     wait
  !        cancelled .   .   .   .     .   .     wait
  !        unknown   .   .   .   .     .   .     wait
  final    none      .   .   .   .     .   .     finish
  final    preempted .   .   .   .     .   .     wait
  final    limit     .   .   .   .     .   .     wait
  stopped  none      yes .   .   .     .   .     leave
  stopped  preempted yes .   .   .     .   .     leave
  stopped  limit     yes .   .   .     .   .     leave
  alive    none      .   .   .   .     .   .     wait

  stopped  preempted no  .   yes no    .   .     requeue
  stopped  preempted no  .   no  no    .   .     wait
  stopped  preempted no  .   .   last  .   .     leave
  stopped  preempted no  .   .   waits .   .     leave
  stopped  limit     no  .   yes no    .   .     requeue
  stopped  limit     no  .   no  no    .   .     wait
  stopped  limit     no  .   .   last  .   .     leave
  stopped  limit     no  .   .   waits .   .     leave
  lost     preempted .   .   yes no    .   .     requeue
  lost     preempted .   .   no  no    .   .     wait
  lost     preempted .   .   .   last  .   .     wait
  lost     preempted .   .   .   waits .   .     wait
  lost     limit     .   .   yes no    .   .     requeue
  lost     limit     .   .   no  no    .   .     wait
  lost     limit     .   .   .   last  .   .     wait
  lost     limit     .   .   .   waits .   .     wait
  alive    preempted .   .   yes no    .   .     requeue
  alive    preempted .   .   no  no    .   .     wait
  alive    preempted .   .   .   last  .   .     wait
  alive    preempted .   .   .   waits .   .     wait
  alive    limit     .   .   yes no    .   .     requeue
  alive    limit     .   .   no  no    .   .     wait
  alive    limit     .   .   .   last  .   .     wait
  alive    limit     .   .   .   waits .   .     wait

  stopped  none      no  .   .   .     yes .     stuck
  stopped  none      no  .   .   no    no  .     requeue
  stopped  none      no  .   .   last  no  .     leave
  stopped  none      no  .   .   waits no  .     leave
  lost     none      .   .   .   .     yes .     stuck
  lost     none      .   yes .   no    no  .     requeue
  lost     none      .   yes .   last  no  .     leave
  lost     none      .   yes .   waits no  .     leave
  lost     none      .   no  .   .     no  good  again
  lost     none      .   no  .   .     no  spare again
  lost     none      .   no  .   no    no  bad   requeue
  lost     none      .   no  .   waits no  bad   leave
  lost     none      .   no  .   last  no  bad   again
'

# A row becomes a pattern of [[ = ]]: `!` is any code but complete, `.` any value.
patterns=() wanted=()
read_table() {
  local words
  patterns=() wanted=()
  while read -ra words; do
    if [ ${#words[@]} = 0 ]; then continue; fi
    wanted+=("${words[-1]}")
    unset 'words[-1]'
    words=("${words[@]/#./*}")
    words[0]=${words[0]/#!/[!c]*}
    patterns+=("${words[*]}")
  done <<<"$1"
}
faults=0 rows=0
judge_row() { # judge_row FACTS GOT
  local i matched=0
  rows=$((rows + 1))
  for i in "${!patterns[@]}"; do
    # shellcheck disable=SC2053  # a pattern
    if [[ $1 = ${patterns[i]} ]]; then
      matched=$((matched + 1))
      if [ "$2" != "${wanted[i]}" ]; then faults=$((faults + 1)); fault="$1: wanted ${wanted[i]}, got $2"; fi
    fi
  done
  if [ $matched != 1 ]; then faults=$((faults + 1)); fault="$1: $matched rows of the table"; fi
}
all_causes() {
  local state reason preempted restarted
  read_table "$causes"
  for state in - RUNNING COMPLETING CANCELLED PREEMPTED TIMEOUT PENDING NODE_FAIL; do
    for reason in None TimeLimit; do
      for preempted in yes no; do
        for restarted in yes no; do
          why_it_ends "${state#-}" $reason $preempted $restarted
          judge_row "$state $reason $preempted $restarted" "$cause"
        done
      done
    done
  done
}
all_decisions() {
  local code cause asked notice committed chain idle nodes
  read_table "$rules"
  for code in complete final stopped lost alive; do
    for cause in none preempted limit requeued cancelled unknown; do
      for asked in yes no; do for notice in yes no; do for committed in yes no; do
        for chain in no last waits; do for idle in yes no; do for nodes in good spare bad; do
          action='' because=''
          decide $code $cause $asked $notice $committed $chain $idle $nodes
          if [ $faults != 0 ]; then return; fi
          judge_row "$code $cause $asked $notice $committed $chain $idle $nodes" "$action"
          if [ -z "$because" ]; then faults=$((faults + 1)); fault="$code $cause: no reason is given"; fi
        done; done; done
      done; done; done
    done
  done
}

# shellcheck disable=SC1090,SC1091
. "$lib"
all_causes
all_decisions
if [ $faults != 0 ]; then echo "FAILED: row $rows: $fault"; exit 1; fi
if [ $rows -lt 200 ]; then echo "FAILED: only $rows rows"; exit 1; fi
echo "decide: $rows combinations as expected"

planted=0
noticed() { # noticed TABLE OLD NEW: with OLD changed to NEW in the functions, the table must have faults
  local changed
  changed=$(sed "s/$2/$3/" "$lib")
  if [ "$changed" = "$(cat "$lib")" ]; then echo "FAILED: nothing to change: $2"; exit 1; fi
  if (eval "$changed"; faults=0; "$1"; [ $faults = 0 ]); then echo "FAILED: nobody notices $2 -> $3"; exit 1; fi
  planted=$((planted + 1))
}
# Each row of what was measured, turned into each of the others.
for old in requeued preempted limit none cancelled unknown; do
  for new in requeued preempted limit none cancelled unknown; do
    if [ $old != $new ]; then noticed all_causes "cause=$old ;;" "cause=$new ;;"; fi
  done
done
for lost in '\*:yes:\*:RUNNING | ' '| \*:yes:\*:COMPLETING ' '| \*:PREEMPTED' '\*:TimeLimit:RUNNING | ' '| \*:TimeLimit:COMPLETING ' \
  '| \*:TIMEOUT' '\*:COMPLETING | ' '| \*:CANCELLED'; do
  noticed all_causes "$lost" ''
done
for cause in requeued cancelled unknown; do noticed all_decisions "$cause) action=wait" "$cause) action=requeue"; done
# shellcheck disable=SC2016  # sed's text
noticed all_decisions '"$committed" = yes' '"$committed" != never'
echo "decide: $planted planted faults noticed"

# Signals that arrive while bash asks: what is decided has no holes. What RUN says is read without a fork ...
run=$(mktemp -d)
echo '{"start": 3, "code": 75, "asked": false, "reason": "lost \"n2\"", "hosts": ["n2", "n3.site"], "evidence": "hang"}' \
  >"$run/outcome.json"
mkdir -p "$run/checkpoints"/{s00000070.a0002,s00000040.a0003,s00000090.a0004}
touch "$run/checkpoints"/{s00000070.a0002,s00000040.a0003}/COMMIT
# shellcheck disable=SC2016  # of the inner bash
asked='
  trap ending=yes TERM
  trap : CONT
  . "$1/outcome.sh"
  run=$2
  echo listening
  for ((i = 0; i < 1000; i++)); do
    number start start; text reason reason; hosts hosts; kind 76 kind; committed at; number none none
    if [ "$start|$reason|${hosts[*]}|$kind|$at|$none" != "3|lost \\\"n2\\\"|n2 n3.site|stopped|3 40|" ] || was_asked; then
      echo "hole: $start|$reason|${hosts[*]}|$kind|$at|$none"
    fi
  done
  echo "ended, told: ${ending:-no}"'
: >"$run/told"
set -m
bash -c "$asked" bash "${lib%/*}" "$run" >"$run/told" 2>&1 &
set +m
while ! grep -q listening "$run/told"; do sleep 0.01; done
while kill -CONT -- -$! && kill -TERM -- -$! && sleep 0.004; do :; done 2>/dev/null
wait $! 2>/dev/null
told=$(cat "$run/told")
[ "$told" = "listening"$'\n'"ended, told: yes" ] || { echo "FAILED: a decision has holes under signals: $told"; exit 1; }

# ... and what Slurm is asked is asked again where a signal ended the question, but not for ever.
value=$(sed -n '/^value() {/,/^}/p' "${lib%/lib/*}/supervise.sh")
[ -n "$value" ] || { echo "FAILED: supervise.sh has no function value"; exit 1; }
eval "$value"
struck() { # struck TIMES: a TERM ends it so often before it answers
  local before
  before=$(wc -l <"$run/struck")
  echo "$before" >>"$run/struck"
  if [ "$before" -lt "$1" ]; then kill -TERM $BASHPID; fi
  echo waits
}
for times in 0 1 7; do
  : >"$run/struck"
  value answer struck $times || { echo "FAILED: $times signals were too many"; exit 1; }
  [ "$answer" = waits ] || { echo "FAILED: after $times signals the answer is '$answer'"; exit 1; }
  [ "$(wc -l <"$run/struck")" = $((times + 1)) ] || { echo "FAILED: $times signals, asked otherwise than $((times + 1)) times"; exit 1; }
done
SECONDS=0
if value answer false; then echo "FAILED: a question that always fails has an answer"; exit 1; fi
[ $SECONDS -ge 9 ] || { echo "FAILED: given up after $SECONDS s"; exit 1; }
rm -r "$run"
echo "decide: no holes under signals"
