#!/usr/bin/env bash
# slurm/supervise.sh, decision by decision, with a training command and an scontrol that follow a script.
# Each line of PLAN is one start: "OUTCOME EXIT STEP", where OUTCOME is the code that outcome.json gets (- for no new
# outcome, so that a stale one stays), EXIT what the launcher returns, STEP what has been committed (- for nothing new);
# a fourth word "wait" lets the start last until USR2 reaches it.
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
if [ "$wait" = wait ]; then
  told=
  trap 'told=yes' USR2
  mkfifo "$WORK/fifo.$n"
  exec 3<>"$WORK/fifo.$n"
  : >"$WORK/running"
  for _ in $(seq 100); do [ -z "$told" ] || break; read -r -t 0.1 <&3; done
  [ -n "$told" ] && echo told >>"$WORK/told"
fi
if [ "$step" != - ]; then
  folder=$(printf '%s/checkpoints/s%09d.a%02d' "$RUN" "$step" $((n - 1)))
  mkdir -p "$folder" && : >"$folder/COMMIT"
fi
if [ "$outcome" != - ]; then
  printf '{"start":%d,"code":%d,"kind":"x","step":7,"reason":"say \\"start\\": 99, \\"code\\": 0"}\n' \
    $((FIRST + n)) "$outcome" >"$RUN/outcome.json"
fi
exit "$code"
S
cat >"$work/bin/scontrol" <<'S'
#!/usr/bin/env bash
echo "$*" >>"$WORK/scontrol"
exit "${SCONTROL_EXIT:-0}"
S
chmod +x "$work"/bin/*
export WORK=$work RUN=$work/run FIRST=10 PATH=$work/bin:$PATH SLURM_JOB_ID=42
export FACEMAE_PAUSE=0 FACEMAE_LAST_WAIT=0
unset SLURM_RESTART_COUNT SLURM_ARRAY_JOB_ID

begin() { # begin NAME PLAN_LINE...
  name=$1
  shift
  rm -rf "$work"/{run,calls,scontrol,told,running} "$work"/fifo.*
  printf '%s\n' "$@" >"$work/plan"
  mkdir -p "$RUN"
  : >"$work/scontrol"
}
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
  kill -s "$1" "$(cat "/proc/$supervisor/task/$supervisor/children" | tr -d ' ')"
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
begin "a crash after notice requeues, rather than starts again" "- 140 - wait" "0 0 5"
signalled USR2; finished 143 1 "requeue 42"; check "starts again here" 0 "$(grep -c "starting again" "$work/said")"
begin "done after notice is done" "0 0 5 wait"
signalled USR2; finished 0 1 ""
begin "a cancelled job is not requeued" "76 143 5 wait"
signalled TERM; finished 143 1 ""; check "the ranks were told" told "$(cat "$work/told" 2>/dev/null)"

# What the template submits must use the GPUs that it asks for: computed in float32 and fed by one thread, or on the
# CPU because a driver is too old, a GPU does a few per cent of what it can.
name=template
template=$(dirname "$supervise")/pretrain.sbatch
check "is a script" "" "$(bash -n "$template" 2>&1)"
check "asks for GPUs" 1 "$(grep -c '^#SBATCH --gpus-per-node=' "$template")"
check "lets ranks see the GPUs of their neighbours" 1 "$(grep -c '^export SLURM_GPU_BIND=none' "$template")"
for option in "--device cuda" "--precision bfloat16" "--workers 0"; do
  check "its command has $option" 1 "$(grep -v '^#' "$template" | grep -c -- " $option\( \|\$\)")"
done

name=usage
"$supervise" "$RUN" srun >"$work/said" 2>&1
check "exit code without --" 2 $?
[ $faults = 0 ] && echo "supervise: every decision as promised"
exit $((faults > 0))
