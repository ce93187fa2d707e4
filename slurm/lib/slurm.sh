# What the supervisor asks of Slurm and tells it. Needs `job` (its number, or ARRAY_TASK; empty outside of Slurm) and
# `run`. Texts are read by their keys alone. Sourced by slurm/supervise.sh and slurm/chain.sh.
# shellcheck shell=bash disable=SC2154  # `run` and `job` are the supervisor's

declare -A fact=()
# ask_slurm: fills `fact` with what scontrol says of the job: fact[JobState], fact[EndTime] (seconds since 1970) ...
# Fails where nobody answers.
ask_slurm() {
  local line words=() word
  fact=()
  line=$(LC_ALL=C SLURM_TIME_FORMAT=%s timeout 10 scontrol -o show job "$job" 2>/dev/null) || return 1
  read -ra words <<<"$line"
  for word in "${words[@]}"; do # the first of a key counts: Command= ends the line, with words of the user's own
    if [[ $word = *=* ]] && [ -z "${fact[${word%%=*}]:-}" ]; then fact[${word%%=*}]=${word#*=}; fi
  done
  [ -n "${fact[JobState]:-}" ]
}
# setting NAME: a number out of `scontrol show config`
setting() { LC_ALL=C timeout 10 scontrol show config 2>/dev/null | sed -n "s/^$1 *= *\([0-9]*\).*/\1/p"; }

# patiently SECONDS COMMAND...: again and again while the controller is away, for that long at most. Slurm's commands give
# up by themselves; `timeout` would let a TERM through that the caller ignores.
patiently() {
  local until=$((SECONDS + $1)) said
  shift
  until said=$(LC_ALL=C "$@" 2>&1); do
    case $said in *[Cc]ontact* | *[Cc]onnect* | *"imed out"* | *ocket*) ;; *) echo "$said" >&2; return 1 ;; esac
    if [ $SECONDS -ge "$until" ]; then echo "$said" >&2; return 1; fi
    sleep 2 &
    wait $!
  done
}

# write_end_time: RUN/end_time, the second at which the job ends; the ranks stop before it. No file: it never ends.
write_end_time() {
  local name=$run/.end_time.$BASHPID
  if ! ask_slurm; then return 1; fi
  if [[ ${fact[EndTime]:-} =~ ^[0-9]+$ ]]; then
    echo "${fact[EndTime]}" >"$name" && mv "$name" "$run/end_time"
  else
    rm -f "$run/end_time"
  fi
}

# name_of_run: the name of all jobs of a chain over `run`, so that two runs never wait for each other
name_of_run() { echo "fm-$(basename "$run" | tr -c 'A-Za-z0-9_.\n-' _)-$(realpath -m "$run" | cksum | cut -d' ' -f1)"; }
in_chain() { # the name is asked for once, at the start: a signal later may end what bash forks for it
  chain_name=${chain_name:-$(name_of_run)}
  [ "${SLURM_JOB_NAME:-}" = "$chain_name" ]
}
# links: the numbers of the pending jobs of this chain
links() { LC_ALL=C timeout 30 squeue -h -u "$(id -un)" -n "${chain_name:-$(name_of_run)}" -t PENDING -o %i 2>/dev/null; }
end_chain() {
  if ! in_chain; then return 0; fi
  tell "cancelling what waits of the chain $SLURM_JOB_NAME"
  patiently 90 scancel --state=PENDING --name="$SLURM_JOB_NAME" --user="$(id -un)"
}

# end_left_steps: a step that Slurm still lists, of a node that was away for example, would hold its cores for ever. Those of other
# tasks of an array are not ours.
end_left_steps() {
  local step left=() tries=0
  while mapfile -t left < <(LC_ALL=C timeout 10 squeue -h -s -j "$job" -o %i 2>/dev/null | grep -E "^$job\.[0-9]+$") &&
    [ ${#left[@]} != 0 ] && [ $tries -lt 15 ]; do
    if [ $((tries++)) = 0 ]; then tell "ending steps that are left: ${left[*]}"; fi
    for step in "${left[@]}"; do timeout 10 scancel "$step" 2>/dev/null; done
    sleep 1 &
    wait $!
  done
}
