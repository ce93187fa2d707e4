#!/usr/bin/env bash
# Runs one training command inside a batch job and decides what to do when it ends: finish, start again here, requeue
# the job, or stop with a message. It is the last line of a batch script, so that Slurm's notice reaches it:
#
#   exec slurm/supervise.sh RUN -- srun --mpi=pmix --kill-on-bad-exit=1 facemae pretrain --run RUN ...
#
# How it decides: launchers mangle exit codes (docs/ARCHITECTURE.md, "Exit codes"), so RUN/outcome.json is believed when
# it belongs to a start that this script made; otherwise only the codes 0, 2, 65, 66, 67, 76 and 93 are believed, and
# anything else counts as a lost peer (75).
#    0         done: exit with 0
#    76        stopped on notice or at its own time limit, checkpoint committed: scontrol requeue
#    2 65 66 67 93  another start would not help: say why, exit with the code
#    75, rest  a crash: start again here; requeue if notice was given in the meantime
# Notice is USR2 or USR1 (#SBATCH --signal=B:USR2@SECONDS); it is passed on to the ranks. TERM means that Slurm is about to end
# the job (scancel, preemption, requeue): wait for the ranks, then for Slurm; never requeue, which would revive a
# cancelled job. Starts that commit nothing new are counted in RUN/supervisor.txt, also across requeues:
# FACEMAE_IDLE_STARTS (3) in a row end the job with 93. --fresh is removed from the command once a start of this job has
# begun the run anew.
#
# environment: FACEMAE_IDLE_STARTS (3), FACEMAE_PAUSE seconds before a start after a crash (5),
#              FACEMAE_LAST_WAIT seconds to wait for Slurm to end the job after TERM or requeue (3600)
set -uo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }
case ${1:-} in -h | --help) usage; exit 0 ;; esac
if [ $# -lt 3 ] || [ "$2" != -- ]; then
  echo "supervise: usage: supervise.sh RUN -- COMMAND...   (supervise.sh --help explains)" >&2
  exit 2
fi
run=$1
shift 2
command=("$@")
job=${SLURM_JOB_ID:-}
if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}; fi
idle_limit=${FACEMAE_IDLE_STARTS:-3}

tell() { echo "supervise: $(date '+%F %T') $*"; }
number() { # number NAME: that number in RUN/outcome.json
  sed -n 's/.*"'"$1"'" *: *\([0-9][0-9]*\).*/\1/p' "$run/outcome.json" 2>/dev/null | head -1
}
# The newest start that committed something and its newest step, "-1 -1" when there is none. Sorted by start first: after
# a damaged checkpoint was abandoned, lower steps than before are progress.
committed() {
  local name start step newest_start=-1 newest_step=-1
  for name in "$run"/checkpoints/s*.a*/COMMIT; do
    [ -e "$name" ] || continue
    name=${name%/COMMIT} name=${name##*/s}
    start=$((10#${name#*.a})) step=$((10#${name%%.*}))
    if [ "$start" -gt "$newest_start" ] || { [ "$start" = "$newest_start" ] && [ "$step" -gt "$newest_step" ]; }; then
      newest_start=$start newest_step=$step
    fi
  done
  echo "$newest_start $newest_step"
}
reason_text() { sed -n 's/.*"reason" *: *"\(.*\)".*/\1/p' "$run/outcome.json" 2>/dev/null | head -1; }

notice='' ending='' child=''
forward() { [ -z "$child" ] || kill -s "$1" "$child" 2>/dev/null; }
on_notice() {
  notice=yes
  tell "notice received, passed on to the ranks: they commit and stop"
  forward USR2
}
on_term() {
  [ -n "$ending" ] || tell "Slurm ends this job; waiting for the ranks"
  ending=yes
  forward USR2
}
trap on_notice USR1 USR2
trap on_term TERM
trap : CONT # Slurm sends it before every signal

# bash's wait returns early, with more than 128, for each trapped signal: wait again until the child is gone.
wait_for_child() {
  local code known
  while :; do
    wait "$child"
    code=$?
    if [ $code -le 128 ] || ! kill -0 "$child" 2>/dev/null; then break; fi
  done
  # A signal and the child's end may coincide; a second wait gives the child's own code (127: it was returned already).
  wait "$child" 2>/dev/null
  known=$?
  child=
  if [ $known != 127 ]; then code=$known; fi
  return $code
}
wait_for_slurm() { # the job is over; exiting now would turn a requeue into a failure
  local until=$((SECONDS + ${FACEMAE_LAST_WAIT:-3600}))
  while [ $SECONDS -lt $until ]; do
    sleep 5 &
    wait $!
  done
  exit 143
}
requeue() {
  if [ -n "$ending" ]; then wait_for_slurm; fi
  tell "requeueing job $job at step $(committed | cut -d" " -f2)"
  if [ -n "$job" ] && scontrol requeue "$job"; then wait_for_slurm; fi
  tell "could not requeue (is the job submitted with --requeue?). Submit it again: the same command resumes."
  exit 76
}
drop_fresh_once_begun() { # a second start of a --fresh run must resume the run that the first one began
  local newest argument kept=()
  newest=$(number start)
  if [ "${newest:--1}" -le "$before_job" ]; then return; fi
  for argument in "${command[@]}"; do [ "$argument" = --fresh ] || kept+=("$argument"); done
  command=("${kept[@]}")
}
record() { echo "$idle ${job:--} $before_job" >"$run/supervisor.txt"; }

mkdir -p "$run" || exit 2
# supervisor.txt: the number of idle starts, the job, and the newest start before the job's first one.
idle='' its_job='' before_job=''
if [ "${SLURM_RESTART_COUNT:-0}" != 0 ] && [ -e "$run/supervisor.txt" ]; then
  read -r idle its_job before_job <"$run/supervisor.txt"
  its_job=${its_job:-unknown}
fi
[[ $idle =~ ^[0-9]+$ ]] || idle=0
case $its_job in
  "${job:--}") ;;
  unknown) before_job=-1 ;;
  *) before_job=$(number start) ;; # this job has not made a start yet
esac
[[ $before_job =~ ^[0-9]+$ ]] || before_job=-1
record
sync "$run/supervisor.txt" 2>/dev/null
drop_fresh_once_begun

while :; do
  if [ -n "$ending" ]; then wait_for_slurm; fi
  if [ -n "$notice" ]; then requeue; fi
  before_start=$(number start)
  read -r before_commit before_step < <(committed)
  tell "starting at step $before_step: ${command[*]}"
  "${command[@]}" &
  child=$!
  # A signal that arrived between the check above and this line found no child to be passed to.
  if [ -n "$notice$ending" ]; then forward USR2; fi
  wait_for_child
  code=$?
  start=$(number start) said=''
  if [ -n "$start" ] && [ "$start" -gt "${before_start:--1}" ]; then
    code=$(number code) said=$(reason_text)
  else
    case $code in 0 | 2 | 65 | 66 | 67 | 76 | 93) ;; *) said="the command ended with $code"; code=75 ;; esac
  fi
  read -r commit step < <(committed)
  if [ "$commit" -gt "$before_commit" ]; then idle=0; elif [ -z "$notice$ending" ]; then idle=$((idle + 1)); fi
  record
  tell "ended with $code, newest committed step $step${said:+: $said}"

  case $code in
    0) exit 0 ;;
    2 | 65 | 66 | 67 | 93)
      if [ -n "$ending" ]; then wait_for_slurm; fi
      tell "starting again would not help; the job ends here"
      exit "$code" ;;
  esac
  if [ -n "$ending" ]; then wait_for_slurm; fi
  if [ "$idle" -ge "$idle_limit" ]; then
    tell "$idle starts in a row committed nothing; the job ends here. Read the lines above and $run/exits/, or" \
      "save more often (--save-every)"
    exit 93
  fi
  if [ "$code" = 76 ] || [ -n "$notice" ]; then requeue; fi
  drop_fresh_once_begun
  tell "starting again in ${FACEMAE_PAUSE:-5} s"
  sleep "${FACEMAE_PAUSE:-5}" &
  wait $!
done
