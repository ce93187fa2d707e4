#!/usr/bin/env bash
# Runs one training command inside a batch job and decides what to do when it ends: finish, start again here, requeue
# the job, or stop with a message. It is the last line of a batch script, so that Slurm's notice reaches it:
#
#   exec slurm/supervise.sh RUN -- srun --mpi=pmix --kill-on-bad-exit=1 facemae pretrain --run RUN ...
#
# How it decides: launchers mangle exit codes (docs/ARCHITECTURE.md, "Exit codes"), so RUN/outcome.json is believed when
# it belongs to a start that this script made; otherwise only the codes 0, 2, 65, 66, 67, 76 and 93 are believed, and
# anything else counts as a lost peer (75). What Slurm says of the job tells why it ends it. lib/decide.sh has the rule,
# RUN/supervisor.jsonl every decision with what it rested on:
#    0         done: exit with 0
#    76        stopped on notice or in time, checkpoint committed: scontrol requeue; somebody asked for it: exit with 76
#    2 65 66 67 93  another start would not help: say why, exit with the code
#    75, rest  a start was lost: start again here, on spare nodes where one is to be avoided; requeue without it where
#              there is none, or after notice
#    TERM      preempted or out of time: wait for the ranks, requeue; cancelled, or not clear: wait, never requeue
# In a chain (slurm/chain.sh) nothing is requeued: the next link resumes, and is cancelled where another start would not
# help. Notice is USR2 or USR1 (#SBATCH --signal=B:USR2@SECONDS). The ranks hear of it in two ways: from RUN/end_time, which
# they look at once a second under any launcher, and by a signal once they listen, where the launcher passes it on. Starts
# that commit nothing new are counted in RUN/supervisor.txt, also across requeues: FACEMAE_IDLE_STARTS (3) in a row end
# the job with 93. --fresh is removed from the command once a start of this job has begun the run anew.
# RUN/stop ends the job before its first start, unless the job was submitted a second later or more.
#
# environment: FACEMAE_IDLE_STARTS (3), FACEMAE_PAUSE seconds before a start after a lost one (5),
#              FACEMAE_LAST_WAIT seconds to wait for Slurm to end the job after TERM or requeue (3600),
#              FACEMAE_NOTICE the signal that the launcher passes on (USR2), or none where it ends the ranks instead,
#              FACEMAE_NODES how many nodes a launch takes, where the job has spare ones (all),
#              FACEMAE_PREFLIGHT a command whose output names bad nodes, before launches (none),
#              FACEMAE_REFRESH seconds between two looks at the job's end (60),
#              FACEMAE_CONTROLLER_WAIT seconds to wait for Slurm's controller before a start (1800)
set -uo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }
case ${1:-} in -h | --help) usage; exit 0 ;; esac
if [ $# -lt 3 ] || [ "$2" != -- ]; then
  echo "supervise: usage: supervise.sh RUN -- COMMAND...   (supervise.sh --help explains)" >&2
  exit 2
fi
run=$1
shift 2
asked_for=("$@") command=()
job=${SLURM_JOB_ID:-}
if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}; fi
idle_limit=${FACEMAE_IDLE_STARTS:-3}
export FACEMAE_SUPERVISED=yes
lib=$(dirname "$(realpath "$0")")/lib
# shellcheck source=lib/decide.sh
. "$lib/decide.sh"
# shellcheck source=lib/outcome.sh
. "$lib/outcome.sh"
# shellcheck source=lib/slurm.sh
. "$lib/slurm.sh"
# shellcheck source=lib/nodes.sh
. "$lib/nodes.sh"

tell() { echo "supervise: $(date '+%F %T') $*"; }
exec {never}<> <(:) # nothing ever comes here: a pause that signals interrupt
pause() { read -r -t "$1" -u "$never"; }
notice='' ending='' cause=none at_first='' requeued='' action='' because='' avoid=''
# Handlers only set these: what bash forks in a handler during `read` may go on with the script beside it.
trap 'notice=yes' USR1 USR2
trap 'ending=${ending:-$SECONDS}' TERM
trap : CONT # Slurm sends it before every signal
trap 'rm -f "$run/end_time"' EXIT

ask_why() { # ask_why [SECONDS]: sets `cause`; asks for so long (600) until somebody answers
  local until=$((SECONDS + ${1:-600})) restarted=no preempted=no
  cause=none
  if [ -z "$job" ]; then return; fi
  until ask_slurm || [ $SECONDS -ge $until ]; do pause 2; done
  if [ "${fact[Restarts]:-0}" -gt "${SLURM_RESTART_COUNT:-0}" ]; then restarted=yes; fi
  if [[ ${fact[PreemptTime]:-} =~ ^[0-9]+$ ]]; then preempted=yes; fi
  why_it_ends "${fact[JobState]:-}" "${fact[Reason]:-}" $preempted $restarted
  # Later answers may differ, when the job has been requeued for example: the first clear one at its end counts.
  if [ -n "$ending" ] && [ "$cause" = none ]; then cause=unknown; fi
  if [ -n "$ending" ] && [ "$cause" != unknown ]; then why=yes; fi
}
# value NAME COMMAND...: sets it to what the command prints. Slurm's TERM goes to what bash forks for that, too, and a
# decision must not rest on what is missing: where the command fails it is asked again, for 10 s.
value() {
  # shellcheck disable=SC2034  # a reference
  local -n into=$1
  local until=$((SECONDS + 10))
  until into=$("${@:2}"); do
    if [ $SECONDS -ge $until ]; then return 1; fi
  done
}
controller_answers() { [ -z "$job" ] || ask_slurm; }
chain_is() { # sets `chain`, as lib/decide.sh has it
  local waiting=''
  chain=no
  if ! in_chain; then return; fi
  value waiting links
  if [ -n "$waiting" ]; then chain=waits; else chain=last; fi
}
judge() { # judge CODE: decides by what is known now, and writes it down
  local what=alive now new=no none_new=no nodes_now=good chain
  if [ "$1" != alive ]; then kind "$1" what; fi
  committed now
  if [ "$now" != "$at_first" ]; then new=yes; fi
  if [ "$idle" -ge "$idle_limit" ]; then none_new=yes; fi
  if [ "$what" = lost ]; then value nodes_now nodes_are; fi
  chain_is
  value avoid avoided
  # Asked last: the job may be cancelled at any moment.
  if [ "$what" = complete ]; then cause=none; elif [ -z "$why" ]; then ask_why ${ending:+0}; fi
  decide "$what" "$cause" $asked "${notice:-no}" $new "$chain" $none_new "$nodes_now"
  printf '{"time":"%s","job":"%s","action":"%s","because":"%s","code":"%s","cause":"%s","asked":"%s","notice":"%s","committed":"%s","chain":"%s","idle":%d,"nodes":"%s","avoid":"%s","state":"%s","reason":"%s"}\n' \
    "$(date -u +%FT%TZ)" "${job:--}" "$action" "$because" "$1" "$cause" $asked "${notice:-no}" $new "$chain" "$idle" "$nodes_now" \
    "$avoid" "${fact[JobState]:-}" "${fact[Reason]:-}" >>"$run/supervisor.jsonl"
}

requeue_job() { # only a job that waits may be given other nodes, so that comes second
  local at code=143
  committed at
  tell "requeueing job $job at step ${at#* }"
  if [ -z "$job" ]; then return 1; fi
  while [ $code = 143 ]; do # TERM follows at once, and must not end what is asked here
    (
      trap '' TERM
      patiently 90 scontrol requeue "$job" || exit 1
      exclude "$job" "$avoid"
      exit 0
    )
    code=$?
  done
  return $code
}
wait_for_slurm() { # the job is over; exiting now would turn a requeue into a failure
  local until=$((SECONDS + ${FACEMAE_LAST_WAIT:-3600}))
  rm -f "$run/end_time"
  while [ $SECONDS -lt $until ]; do pause 5; done
  exit 143
}

# attend PID SIGNAL LISTEN: until that command has ended; sets `code`. At notice and at the job's end RUN/end_time says now,
# and the command gets SIGNAL, again each 10 s (launchers lose signals), but not before it is LISTEN seconds old or the
# ranks have begun a start: a signal that finds no handler kills them.
attend() {
  local began=$SECONDS told=-10 newest refreshed=$SECONDS heard=$notice$ending
  while kill -0 "$1" 2>/dev/null; do
    pause 0.1
    if [ "$notice$ending" != "$heard" ]; then
      heard=$notice$ending
      tell "$([ -n "$ending" ] && echo "Slurm ends this job" || echo "notice received"); waiting for the ranks to commit and stop"
    fi
    if [ -n "$job" ] && [ -z "$notice$ending" ] && [ $((SECONDS - refreshed)) -ge "${FACEMAE_REFRESH:-60}" ]; then
      refreshed=$SECONDS
      write_end_time &
    fi
    if [ -n "$notice$ending" ] && [ $((SECONDS - told)) -ge 10 ]; then
      printf '%(%s)T\n' -1 >"$run/end_time"
      number start newest
      if [ "${newest:--1}" -gt "${before_start:--1}" ] || [ $((SECONDS - began)) -ge "$3" ]; then
        if [ "$2" != none ]; then kill -s "$2" "$1" 2>/dev/null; fi
        told=$SECONDS
      fi
    fi
    if [ -z "$ending" ] || [ -n "$requeued" ] || [ "$2" = TERM ]; then continue; fi
    if [ -z "$why" ]; then ask_why 0; fi
    if [ $((SECONDS - ending)) -lt "$last_moment" ]; then continue; fi
    last_moment=1000000
    judge alive
    if [ "$action" = requeue ] && requeue_job; then requeued=yes; fi
  done
  wait "$1" 2>/dev/null
  code=$?
}
drop_fresh_once_begun() { # a second start of a --fresh run must resume the run that the first one began
  local newest argument kept=()
  number start newest
  if [ "${newest:--1}" -le "$before_job" ]; then return; fi
  for argument in "${asked_for[@]}"; do [ "$argument" = --fresh ] || kept+=("$argument"); done
  asked_for=("${kept[@]}")
}
record() { echo "$idle ${job:--} $before_job" >"$run/supervisor.txt"; }
stop_time() { # the second at which RUN/stop was written
  local written
  read -r written _ <"$run/stop"
  date -d "${written:-nothing}" +%s 2>/dev/null || stat -c %Y "$run/stop"
}
# stopped FIRST: RUN/stop is there. Before the first start (FIRST is yes) an older one than the job's submission is removed.
stopped() {
  local written
  if [ ! -e "$run/stop" ]; then return 1; fi
  value written stop_time
  if [ "$1" = yes ] && { [ -z "$job" ] || { [ "${fact[Restarts]:-1}" = 0 ] && [ "${fact[SubmitTime]:-0}" -gt "$written" ]; }; }; then
    rm -f "$run/stop"
    return 1
  fi
}

mkdir -p "$run" || exit 2
rm -f "$run/end_time"
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
  *) number start before_job ;; # this job has not made a start yet
esac
[[ $before_job =~ ^[0-9]+$ ]] || before_job=-1
record
sync "$run/supervisor.txt" 2>/dev/null
drop_fresh_once_begun
committed at_first
in_chain
kill_wait=''
if [ -n "$job" ]; then value kill_wait setting KillWait; fi
kill_wait=${kill_wait:-30}
last_moment=$((kill_wait > 10 ? kill_wait - 5 : kill_wait / 2))

prepare() { # what must be in order before a start
  local until=$((SECONDS + ${FACEMAE_CONTROLLER_WAIT:-1800}))
  if [ -z "$job" ]; then return; fi
  until write_end_time || [ -n "$notice$ending" ] || [ $SECONDS -ge $until ]; do pause 5; done
  end_left_steps
  links_avoid "$(avoided)"
}
launch() { # one start; sets `code`, `said` and `asked`
  local start host what now evidence accused
  narrow "${asked_for[@]}"
  tell "starting at step $before_step: ${command[*]}"
  "${command[@]}" &
  attend $! "${FACEMAE_NOTICE:-USR2}" 30
  said=''
  number start start
  if [ -n "$start" ] && [ "$start" -gt "${before_start:--1}" ]; then
    number code code
    text reason said
    text evidence evidence
    hosts accused
    code=${code:-75}
    if was_asked; then asked=yes; fi
    for host in "${accused[@]}"; do accuse "$host" "$evidence" "$said"; done
  else
    kind "$code" what
    if [ "$what" = lost ]; then said="the command ended with $code" code=75; fi
  fi
  committed now
  if [ "${now% *}" -gt "$before_commit" ]; then idle=0; elif [ -z "$notice$ending" ] && controller_answers; then idle=$((idle + 1)); fi
  record
  tell "ended with $code, newest committed step ${now#* }${said:+: $said}"
}

first=yes
while :; do
  number start before_start
  asked=no why='' code=75 said="it was not started"
  committed newest
  before_commit=${newest% *} before_step=${newest#* }
  prepare
  if stopped $first; then
    code=76 asked=yes
    tell "$run/stop is there, so nothing is started; submitting the job again removes it"
  else
    if [ -z "$notice$ending" ]; then preflight; fi
    if [ -z "$notice$ending" ]; then launch; fi
  fi
  first=no
  if [ -n "$requeued" ]; then wait_for_slurm; fi

  judge "$code"
  kind "$code" what
  case $action:$asked:$what in stuck:* | *:yes:* | *:complete | *:final) end_chain ;; esac
  case $action in
    finish)
      if [ "$code" != 0 ]; then tell "starting again would not help; the job ends here"; fi
      exit "$code" ;;
    wait) wait_for_slurm ;;
    requeue)
      if requeue_job || [ -n "$ending" ]; then wait_for_slurm; fi
      tell "could not requeue (is the job submitted with --requeue?). Submit it again: the same command resumes."
      exit 76 ;;
    leave)
      tell "the job ends here: $because"
      links_avoid "$avoid"
      if [ "$asked" = no ] && [ "$code" = 76 ] && [ -n "$(links)" ]; then exit 0; fi
      exit "$code" ;;
    stuck)
      tell "$idle starts in a row committed nothing; the job ends here. Read the lines above and $run/exits/, or" \
        "save more often (--save-every)"
      exit 93 ;;
  esac
  drop_fresh_once_begun
  tell "starting again in ${FACEMAE_PAUSE:-5} s"
  pause "${FACEMAE_PAUSE:-5}"
done
