#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034,SC2012,SC2016,SC2119
# A run that Slurm interrupts ends with the weights of a run that nobody disturbed, bit for bit: notice, commit,
# requeue, resume, done; then a node dies in the middle; and a cancelled job stays cancelled.
set -uo pipefail
facemae=${FACEMAE_BINARY:?} source=${FACEMAE_SOURCE:?}
. "$source/tests/slurm/cluster.sh"
cluster_enter "$@"
[ -x "$facemae" ] || die "$facemae is not built"
cluster_up

steps=${FACEMAE_TEST_STEPS:-100}
store=$cluster/store
"$facemae" synth --out "$store" --identities 8 --images-per-identity 8 >"$cluster/synth.out" 2>&1 ||
  { cat "$cluster/synth.out"; die "synth"; }
options="--steps $steps --batch 8 --model tiny --patch 16 --embedder-width 8 --threads 1 --workers 1 --save-every 5 --log-every 1"
train() { # train RUN: the training command of one run, as words
  echo "srun --mpi=pmix --kill-on-bad-exit=1 -N 2 -n 2 $facemae pretrain --store $store --run $1 $options"
}
submit() { # submit RUN: prints the number of the job
  mkdir -p "$1"
  { echo '#!/bin/bash'; echo "export FACEMAE_PAUSE=1; exec $source/slurm/supervise.sh $1 -- $(train "$1")"; } >"$1/job.sh"
  sbatch --parsable -N 2 -n 2 --requeue --open-mode=append --signal=B:USR2@60 --time=10 -o "$1/job.out" "$1/job.sh"
}
submit_template() { # submit_template RUN: by slurm/facemae.sbatch, of an installed program
  local prefix=$cluster/prefix
  mkdir -p "$1" "$prefix/bin" "$prefix/share/facemae"
  ln -sf "$facemae" "$prefix/bin/facemae"
  ln -sfn "$source/slurm" "$prefix/share/facemae/slurm"
  # shellcheck disable=SC2086  # several words
  FACEMAE=$prefix sbatch --parsable -N 2 --ntasks-per-node=1 --time=10 -o "$1/job.out" \
    "$source/slurm/facemae.sbatch" pretrain --store "$store" --run "$1" $options
}
committed() { # committed RUN STEP: has a step >= STEP been committed?
  local folder
  for folder in "$1"/checkpoints/s*/; do
    folder=${folder##*/checkpoints/s} folder=${folder%%.*}
    if [[ $folder =~ ^[0-9]+$ ]] && [ $((10#$folder)) -ge "$2" ] && compgen -G "$1/checkpoints/s$folder.*/COMMIT" >/dev/null; then
      return 0
    fi
  done
  return 1
}
weights() { # weights RUN: a hash of the tensors that the run ended with, without the header, which may name the run
  local header
  "$facemae" export --from "$1" --to safetensors --out "$1/weights.safetensors" >"$1/export.out" 2>&1 ||
    { cat "$1/export.out" >&2; die "export of $1"; }
  header=$(od -A n -t u8 -N 8 "$1/weights.safetensors" | tr -d ' ')
  [ "$(stat -c %s "$1/weights.safetensors")" -gt $((header + 8)) ] || die "the weights of $1 hold no tensors"
  tail -c +$((header + 9)) "$1/weights.safetensors" | sha256sum
}
show() { echo "--- $1"; tail -n 40 "$1/job.out"; }
finish() { # finish RUN JOB: waits for the job's good end
  over() { [[ $(job_state "$1") =~ COMPLETED|FAILED|CANCELLED|TIMEOUT ]]; }
  wait_until 300 "job $2 to end" over "$2"
  job_is "$2" COMPLETED || { show "$1"; die "job $2 of $1 is $(job_state "$2")"; }
}
trap 'code=$?; if [ $code != 0 ]; then for run in "$cluster"/run-*; do show "$run"; done; fi' EXIT

quiet=$cluster/run-undisturbed
finish "$quiet" "$(submit "$quiet")"
wanted=$(weights "$quiet")
echo "undisturbed: done after $SECONDS s"

noticed=$cluster/run-noticed
job=$(submit_template "$noticed")
wait_until 120 "a commit of $noticed" committed "$noticed" 5
scancel --batch --signal=USR2 "$job" # what --signal=B:USR2 sends, without Slurm's clock of 30 s
finish "$noticed" "$job"
grep -q "requeueing job $job" "$noticed/job.out" || { show "$noticed"; die "the job was not requeued by its supervisor"; }
[ "$(scontrol -o show job "$job" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p')" = 1 ] || die "job $job did not restart once"
[ "$(ls "$noticed/checkpoints/fence" | wc -l)" = 2 ] || die "$noticed was not started twice"
[ "$(weights "$noticed")" = "$wanted" ] || die "notice, requeue and resume changed the weights"
echo "notice, commit, requeue, resume: the same weights after $SECONDS s"

cancelled=$cluster/run-cancelled
job=$(submit "$cancelled")
wait_until 120 "a commit of $cancelled" committed "$cancelled" 5
scancel "$job"
wait_until 120 "the end of the cancelled job" job_is "$job" CANCELLED
wait_until 60 "idle nodes" nodes_idle
job_is "$job" CANCELLED || die "the cancelled job came back: $(job_state "$job")"
if grep -q requeueing "$cancelled/job.out"; then show "$cancelled"; die "a cancelled job was requeued"; fi
echo "cancel: not requeued, after $SECONDS s"

crashed=$cluster/run-crashed
job=$(submit "$crashed")
wait_until 120 "a commit of $crashed" committed "$crashed" 5
node_crash n2
wait_until 120 "Slurm to take the job back" job_is "$job" PENDING
node_start n2
finish "$crashed" "$job"
[ "$(ls "$crashed/checkpoints/fence" | wc -l)" -ge 2 ] || die "$crashed was not started twice"
[ "$(weights "$crashed")" = "$wanted" ] || die "a node's death changed the weights"
echo "node lost, requeued by Slurm, resumed: the same weights after $SECONDS s"
trap - EXIT
