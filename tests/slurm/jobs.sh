# Jobs of a cluster (cluster.sh) by the templates, as users submit them. Source this after cluster.sh.
# shellcheck shell=bash disable=SC2154,SC2012  # `source`, `cluster`, `steps` and `options` are the test's

# An installed program, by which the templates are called; a site file for what needs no MPI.
prefix_of() { # prefix_of PROGRAM LAUNCH: sets FACEMAE and FACEMAE_SITE
  local name
  name=$(basename "$1")
  export FACEMAE=$cluster/prefix-$name FACEMAE_SITE=$cluster/$name.env
  mkdir -p "$FACEMAE/bin" "$FACEMAE/share/facemae"
  ln -sf "$1" "$FACEMAE/bin/facemae"
  ln -sfn "$source/slurm" "$FACEMAE/share/facemae/slurm"
  echo "LAUNCH='$2'" >"$FACEMAE_SITE"
}
train() { echo "pretrain --run $1 --steps $steps $options"; }
submit() { # submit RUN OPTION...: prints the number of the job
  mkdir -p "$1"
  # shellcheck disable=SC2046  # several words
  sbatch --parsable -o "$1/job.out" "${@:2}" "$source/slurm/facemae.sbatch" $(train "$1")
}
steps_done() { ls "$1/checkpoints" 2>/dev/null | sed -n 's/^s0*\([0-9][0-9]*\)\.a.*/\1/p' | sort -n | tail -n 1; }
reached() { [ "$(steps_done "$1")" -ge "$2" ] 2>/dev/null; }
over() { [[ $(job_state "$1") =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|PREEMPTED|NODE_FAIL)$ ]]; }
said() { scontrol -o show job "$1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"; }
decided() { grep -q "\"action\":\"$2\".*\"cause\":\"$3\"" "$1/supervisor.jsonl" || die "$1: no decision $2 for $3"; }
starts() { [ "$(ls "$1/checkpoints/fence" | wc -l)" = "$2" ] || die "$1: not $2 starts"; }
begun() { wait_until 300 "$1 to commit" reached "$1" 5; }
# processes_of JOB WORD: the processes of that job with WORD in their command line
processes_of() {
  local process
  for process in $(pgrep -f "$2"); do
    if grep -qz "^SLURM_JOB_ID=$1$" "/proc/$process/environ" 2>/dev/null; then echo "$process"; fi
  done
}
