#!/usr/bin/env bash
# slurm/supervise.sh, decision by decision, with a training command and an scontrol that follow a script.
# Each line of PLAN is one start: "OUTCOME EXIT STEP", where OUTCOME is the code that outcome.json gets (- for no new
# outcome, so that a stale one stays), EXIT what the launcher returns, STEP what has been committed (- for nothing new);
# a fourth word "wait" lets the start last until USR2 reaches it, "read" until RUN/end_time has come.
set -uo pipefail
supervise=${FACEMAE_SOURCE:?}/slurm/supervise.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0 name=
check() { # check WHAT WANTED GOT
  [ "$2" = "$3" ] && return
  printf 'FAILED: %s: %s: wanted "%s", got "%s"\n' "$name" "$1" "$2" "$3"
  sed 's/^/    /' "$work/said"
  faults=$((faults + 1))
}

mkdir "$work/bin"
cat >"$work/bin/srun" <<'S'
#!/usr/bin/env bash
# A launcher: the n-th call acts the n-th line of the plan.
echo "$*" >>"$WORK/calls"
n=$(wc -l <"$WORK/calls")
read -r outcome code step wait < <(sed -n "${n}p" "$WORK/plan")
outcome() {
  printf '{"start":%d,"code":%d,"kind":"x","step":7%s,"reason":"say \\"start\\": 99, \\"code\\": 0"}\n' \
    $((FIRST + n)) "$1" "$MORE" >"$RUN/outcome.json"
}
if [ -n "$wait" ]; then
  told=
  trap 'told=yes' USR2
  outcome 75
  mkfifo "$WORK/fifo.$n"
  exec 3<>"$WORK/fifo.$n"
  mv "$WORK/dying" "$WORK/state" 2>/dev/null
  : >"$WORK/running"
  for _ in $(seq 100); do
    [ -z "$told" ] || break
    if [ "$wait" = read ] && read -r end <"$RUN/end_time" && [ "$end" -le "$(date +%s)" ]; then
      echo read >>"$WORK/told"
      break
    fi
    read -r -t 0.1 <&3
  done 2>/dev/null
  [ -n "$told" ] && echo told >>"$WORK/told"
fi
if [ "$step" != - ]; then
  folder=$(printf '%s/checkpoints/s%09d.a%02d' "$RUN" "$step" $((n - 1)))
  mkdir -p "$folder" && : >"$folder/COMMIT"
fi
if [ "$outcome" != - ]; then outcome "$outcome"; fi
exit "$code"
S
cat >"$work/bin/scontrol" <<'S'
#!/usr/bin/env bash
# The job is in the state that $WORK/state tells; what changes something is written down.
case $* in
  *"show job"*) echo "JobId=42 JobName=x $(cat "$WORK/state")" ;;
  *"show config"*) echo "KillWait = 4 sec" ;;
  *"show hostnames"*) tr , '\n' <<<"${*: -1}" ;;
  *"show partition"*) echo "PartitionName=main TotalNodes=20" ;;
  *) echo "$*" >>"$WORK/scontrol"; exit "${SCONTROL_EXIT:-0}" ;;
esac
S
cat >"$work/bin/squeue" <<'S'
#!/usr/bin/env bash
case $* in *PENDING*) cat "$WORK/links" 2>/dev/null ;; esac
S
cat >"$work/bin/scancel" <<'S'
#!/usr/bin/env bash
echo "scancel $*" >>"$WORK/scontrol"
S
printf '#!/bin/sh\nexit 0\n' >"$work/bin/sinfo"
chmod +x "$work"/bin/*
export WORK=$work RUN=$work/run FIRST=10 MORE='' PATH=$work/bin:$PATH SLURM_JOB_ID=42
export FACEMAE_PAUSE=0 FACEMAE_LAST_WAIT=0
unset SLURM_RESTART_COUNT SLURM_ARRAY_JOB_ID

begin() { # begin NAME PLAN_LINE...
  name=$1
  shift
  rm -rf "$work"/{run,calls,scontrol,told,running,links,dying} "$work"/fifo.*
  printf '%s\n' "$@" >"$work/plan"
  mkdir -p "$RUN"
  : >"$work/scontrol"
  state RUNNING
}
# state JOBSTATE [REASON [PREEMPTTIME [RESTARTS]]]: what Slurm says of the job from now on; dying: once its start is under way
job_says() { echo "JobState=$1 Reason=${2:-None} SubmitTime=1000 PreemptTime=${3:-None} Restarts=${4:-0} EndTime=1795988865 NumNodes=1 Partition=main ExcNodeList=${EXCLUDED:-(null)}"; }
state() { job_says "$@" >"$work/state"; }
dying() { job_says "$@" >"$work/dying"; }
supervised() { "$supervise" "$RUN" -- srun train --fresh >"$work/said" 2>&1; }
finished() { # finished EXIT STARTS SCONTROL
  check "exit code" "$1" "$exit_code"
  check "starts" "$2" "$(wc -l <"$work/calls")"
  check "scontrol" "$3" "$(cat "$work/scontrol")"
}
expect() { # expect EXIT STARTS SCONTROL: runs the plan to its end
  supervised
  exit_code=$?
  finished "$@"
}
signalled() { # signalled SIGNAL: runs the plan, signals once the first start is under way
  supervised &
  local supervisor=$!
  for _ in $(seq 200); do [ -e "$work/running" ] && break; read -r -t 0.05 <> <(:); done
  # The function runs in a subshell; the batch script is its child.
  kill -s "$1" "$(tr -d ' ' <"/proc/$supervisor/task/$supervisor/children")"
  wait $supervisor
  exit_code=$?
}

begin "done, whatever the launcher makes of it" "0 143 5"; expect 0 1 ""
begin "done, without an outcome" "- 0 -"; expect 0 1 ""
begin "a stop requeues the job" "76 143 5"; expect 143 1 "requeue 42"
begin "a task of an array requeues itself" "76 143 5"
SLURM_ARRAY_JOB_ID=40 SLURM_ARRAY_TASK_ID=3 expect 143 1 "requeue 40_3"
begin "a requeue that fails says so" "76 143 5"; SCONTROL_EXIT=1 expect 76 1 "requeue 42"
begin "a wrong command line is final" "- 2 -"; expect 2 1 ""
begin "bad data are final" "65 143 -"; expect 65 1 ""
begin "a run that cannot go on is final" "93 143 5"; expect 93 1 ""
begin "a crash starts again" "75 143 5" "0 0 9"; expect 0 2 ""
begin "a code nobody knows is a crash" "- 205 -" "- 1 -" "0 0 9"; expect 0 3 ""
begin "a crash that leaves an old outcome is not believed" "- 143 5" "0 0 9"
echo '{"start":10,"code":0,"kind":"done","step":3,"reason":""}' >"$RUN/outcome.json"
expect 0 2 ""
begin "starts that commit nothing come to an end" "75 1 -" "75 1 -" "75 1 -" "0 0 5"; expect 93 3 ""
begin "starts that advance may go on" "75 1 1" "75 1 2" "75 1 3" "75 1 4" "0 0 5"; expect 0 5 ""
begin "commits of the very first start, number 0, are progress" "75 1 5" "0 0 9"; FACEMAE_IDLE_STARTS=1 expect 0 2 ""
begin "after a checkpoint was given up, lower steps are progress" "75 1 1" "75 1 2" "75 1 3" "75 1 4" "0 0 5"
mkdir -p "$RUN/checkpoints/s000000090.a00"
: >"$RUN/checkpoints/s000000090.a00/COMMIT"
expect 0 5 ""
begin "idle starts are counted over requeues" "75 1 -" "0 0 5"
echo 2 >"$RUN/supervisor.txt"
SLURM_RESTART_COUNT=1 expect 93 1 ""
begin "a new job starts counting anew" "75 1 -" "0 0 5"
echo 2 >"$RUN/supervisor.txt"
expect 0 2 ""

begin "only the first start is fresh" "75 1 5" "0 0 9"; expect 0 2 ""
check "arguments of both starts" $'train --fresh\ntrain' "$(cat "$work/calls")"
begin "a start that ended before it began anew is fresh again" "- 1 -" "75 1 5" "0 0 9"; expect 0 3 ""
check "arguments of all starts" $'train --fresh\ntrain --fresh\ntrain' "$(cat "$work/calls")"
begin "a requeued job that began the run anew is not fresh" "0 0 9"
echo "0 42 10" >"$RUN/supervisor.txt"
echo '{"start":11,"code":75,"kind":"x","step":3,"reason":""}' >"$RUN/outcome.json"
SLURM_RESTART_COUNT=1 expect 0 1 ""
check "arguments" train "$(cat "$work/calls")"
begin "nor is one whose record is torn" "0 0 9"
: >"$RUN/supervisor.txt"
echo '{"start":11,"code":75,"kind":"x","step":3,"reason":""}' >"$RUN/outcome.json"
SLURM_RESTART_COUNT=1 expect 0 1 ""
check "arguments" train "$(cat "$work/calls")"
begin "a job requeued before its first start is fresh" "0 0 9"
echo "0 41 7" >"$RUN/supervisor.txt" # of another job
echo '{"start":11,"code":75,"kind":"x","step":3,"reason":""}' >"$RUN/outcome.json"
FIRST=11 SLURM_RESTART_COUNT=1 expect 0 1 ""
check "arguments" "train --fresh" "$(cat "$work/calls")"

begin "notice reaches the ranks, and the job is requeued" "76 143 5 wait"
signalled USR2; finished 143 1 "requeue 42"; check "the ranks were told" told "$(cat "$work/told" 2>/dev/null)"
begin "and stands in RUN/end_time, where a launcher passes no signal on" "76 143 5 read"
FACEMAE_NOTICE=none signalled USR2; finished 143 1 "requeue 42"
check "the ranks were told by the file alone" read "$(cat "$work/told" 2>/dev/null)"
check "which is gone afterwards" no "$([ -e "$RUN/end_time" ] && echo yes || echo no)"
begin "a crash after notice requeues, rather than starts again" "- 140 - wait" "0 0 5"
signalled USR2; finished 143 1 "requeue 42"; check "starts again here" 0 "$(grep -c "starting again" "$work/said")"
begin "done after notice is done" "0 0 5 wait"
signalled USR2; finished 0 1 ""
begin "a cancelled job is not requeued" "76 143 5 wait"; dying COMPLETING
signalled TERM; finished 143 1 ""; check "the ranks were told" told "$(cat "$work/told" 2>/dev/null)"

begin "nor is one whose ranks stopped before the batch script knew" "76 143 5"; state COMPLETING; expect 143 1 ""
begin "nor is one of which Slurm says nothing" "76 143 5 wait"; echo >"$work/dying"; signalled TERM; finished 143 1 ""
begin "nor is one that goes on, for all that Slurm says" "76 143 5 wait"; signalled TERM; finished 143 1 ""
begin "nor is one that somebody else has requeued" "76 143 5 wait"; dying COMPLETING None None 1
signalled TERM; finished 143 1 ""
begin "a preempted job requeues itself" "76 143 5 wait"; dying COMPLETING None 1795988865
signalled TERM; finished 143 1 "requeue 42"
begin "also within its grace time" "76 143 5"; state RUNNING None 1795988865; expect 143 1 "requeue 42"
begin "also when the ranks were killed, if something was committed" "- 143 5 wait"; dying COMPLETING None 1795988865
signalled TERM; finished 143 1 "requeue 42"
begin "and not when nothing was" "- 143 - wait"; dying COMPLETING None 1795988865; signalled TERM; finished 143 1 ""
begin "a job out of time requeues itself" "- 143 5 wait"; dying COMPLETING TimeLimit
signalled TERM; finished 143 1 "requeue 42"
check "the decision is written down" 1 "$(grep -c '"action":"requeue","because":"the job is out of time, .*"cause":"limit".*"state":"COMPLETING"' "$RUN/supervisor.jsonl")"

begin "a stop that was asked for ends the job" "76 143 5"; MORE=',"asked":true' expect 76 1 ""
begin "a stop before the first start counts" "0 0 5"; echo "1970-01-01T00:20:00Z me@here" >"$RUN/stop"
: >"$work/calls"; expect 76 0 ""
begin "unless the job was submitted after it" "0 0 5"; echo "1970-01-01T00:16:00Z me@here" >"$RUN/stop"; expect 0 1 ""
begin "but not if it is requeued" "0 0 5"; echo "1970-01-01T00:16:00Z me@here" >"$RUN/stop"
: >"$work/calls"; state RUNNING None None 1; SLURM_RESTART_COUNT=1 expect 76 0 ""

# shellcheck disable=SC1091
link=$(. "$(dirname "$supervise")/lib/slurm.sh"; run=$RUN name_of_run)
in_a_chain() { SLURM_JOB_NAME=$link expect "$@"; }
ends_chain="scancel --state=PENDING --name=$link --user=$(id -un)"
begin "the end of the training ends its chain" "0 0 5"; in_a_chain 0 1 "$ends_chain"
begin "so does a wrong command line" "- 2 -"; in_a_chain 2 1 "$ends_chain"
begin "and a stop that was asked for" "76 143 5"; echo 43 >"$work/links"
MORE=',"asked":true' in_a_chain 76 1 "$ends_chain"
begin "a stopped link is well if another one waits" "76 143 5"; echo 43 >"$work/links"; in_a_chain 0 1 ""
begin "and not if none does" "76 143 5"; in_a_chain 76 1 ""
begin "a job of another name ends no chain" "0 0 5"; SLURM_JOB_NAME=${link}0 expect 0 1 ""

accused() { # accused SECONDS_AGO NODE HARD: as an earlier start has left it
  printf '{"time":%d,"node":"%s","evidence":"x","hard":%s,"job":"1","text":""}\n' $(($(date +%s) - $1)) "$2" "$3" >>"$RUN/nodes.jsonl"
}
export SLURM_JOB_NODELIST=n1,n2,n3 SLURM_JOB_NUM_NODES=3 SLURM_NTASKS_PER_NODE=2 day=86400
blames_n2() { MORE=',"hosts":["n2.site.org","n9"],"evidence":"'$1'"' expect "${@:2}"; }
without_n2=$'requeue 42\nupdate JobId=42 ExcNodeList=n2'
begin "hard evidence excludes a node at once" "75 143 5" "0 0 9"; blames_n2 replica 143 1 "$without_n2"
check "only nodes of the job are accused" n2 "$(sed 's/.*"node":"\([^"]*\)".*/\1/' "$RUN/nodes.jsonl")"
begin "soft evidence does not" "75 143 5" "0 0 9"; blames_n2 hang 0 2 ""
begin "but a second time it does" "75 143 5" "0 0 9"; accused $((6 * day)) n2 false; blames_n2 hang 143 1 "$without_n2"
begin "within a week" "75 143 5" "0 0 9"; accused $((8 * day)) n2 false; blames_n2 hang 0 2 ""
begin "after 14 days all is forgotten" "75 143 5" "0 0 9"; accused $((15 * day)) n2 true; expect 0 2 ""
begin "one node of twenty is excluded, or two, and no more" "75 143 5"; accused 30 n1 true; accused 20 n3 true
blames_n2 device 143 1 $'requeue 42\nupdate JobId=42 ExcNodeList=n2,n3'
begin "what its user excludes stays excluded" "75 143 5"; EXCLUDED=n7,n8 state RUNNING
blames_n2 device 143 1 $'requeue 42\nupdate JobId=42 ExcNodeList=n2,n7,n8'
begin "and what was forgotten does not" "75 143 5"; EXCLUDED=n2,n3,n7 state RUNNING; echo "42 n2,n3" >"$RUN/excluded.txt"
blames_n2 device 143 1 $'requeue 42\nupdate JobId=42 ExcNodeList=n2,n7'
begin "in a chain the links that wait avoid it" "75 143 5"; echo 43 >"$work/links"
SLURM_JOB_NAME=$link blames_n2 device 75 1 "update JobId=43 ExcNodeList=n2"
begin "with spare nodes, the good ones are taken" "75 143 5" "0 0 9"; FACEMAE_NODES=2 blames_n2 replica 0 2 ""
check "nodes of both starts" $'--nodes=2 --ntasks=4 --nodelist=n1,n2 train --fresh\n--nodes=2 --ntasks=4 --nodelist=n1,n3 train' "$(cat "$work/calls")"
begin "also those that are only suspected are left out" "0 0 9"; accused 30 n1 false; FACEMAE_NODES=2 expect 0 1 ""
check "nodes" "--nodes=2 --ntasks=4 --nodelist=n2,n3 train --fresh" "$(cat "$work/calls")"
printf '#!/bin/sh\necho n1; echo n7; echo an error; exit 75\n' >"$work/bin/doctor"
chmod +x "$work/bin/doctor"
begin "whom the pre-flight names is suspected" "0 0 9"; FACEMAE_PREFLIGHT=doctor FACEMAE_NODES=2 expect 0 1 ""
check "nodes" "--nodes=2 --ntasks=4 --nodelist=n2,n3 train --fresh" "$(cat "$work/calls")"
begin "notice during the pre-flight requeues, and starts nothing" "0 0 9"; : >"$work/calls"
# shellcheck disable=SC2016  # the stand-in's own
printf '#!/bin/sh\n: >"$WORK/running"\nsleep 20\n' >"$work/bin/doctor"
FACEMAE_PREFLIGHT=doctor signalled USR2; finished 143 0 "requeue 42"
printf '#!/bin/sh\necho n1; exit 75\n' >"$work/bin/doctor"
begin "and alone it ends nothing" "0 0 9"; accused 30 n1 false; FACEMAE_PREFLIGHT=doctor expect 0 1 ""
unset SLURM_JOB_NODELIST

name=usage
"$supervise" "$RUN" srun >"$work/said" 2>&1
check "exit code without --" 2 $?
[ $faults = 0 ] && echo "supervise: every decision as promised"
exit $((faults > 0))
