#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2153,SC2030,SC2031,SC2154,SC2034,SC2317,SC2012  # variables of cluster.sh, scenarios that are called by name
# What a site does to jobs, on a real Slurm, with the template, chain and study as users call them: where the run goes on,
# its last weights are those of a calm run; where it must not, it does not. All scenarios run at once, each on nodes of
# its own, with a stand-in for the program (stand_in.sh); FACEMAE_FULL: 20 times, and those that need no verdict also with
# the program itself (FACEMAE_BINARY). FACEMAE_TEST_ROUNDS, FACEMAE_TEST_ONLY=NAME and FACEMAE_TEST_PROGRAM=real are for those
# who look for a fault.
set -uo pipefail
source=${FACEMAE_SOURCE:?}
. "$source/tests/slurm/cluster.sh"
. "$source/tests/slurm/jobs.sh"
cluster_enter "$@"
kill_wait=8
partitions='PartitionName=three Nodes=n[9-11] PreemptMode=OFF
PartitionName=trio Nodes=n[12-14] PreemptMode=OFF
PartitionName=spare Nodes=n[15-17] PreemptMode=OFF
PartitionName=four Nodes=n[21-24] PreemptMode=OFF
PartitionName=dying Nodes=n[26-28] PreemptMode=OFF
PartitionName=linked Nodes=n[29-31] PreemptMode=OFF'
cluster_up 31
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 FACEMAE_PAUSE=1 FACEMAE_REFRESH=2 FACEMAE_DRY=0
steps=100

weights() {
  if [ "$program" = stand-in ]; then cat "$1/weights"; return; fi
  local header
  "$FACEMAE/bin/facemae" export --from "$1" --to safetensors --out "$1/w" >"$1/export.out" 2>&1 || { cat "$1/export.out"; return; }
  header=$(od -A n -t u8 -N 8 "$1/w" | tr -d ' ')
  tail -c +$((header + 9)) "$1/w" | sha256sum
}
calm_weights() { # those of a run of `steps` that nobody disturbs
  if [ "$program" = real ]; then echo "$calm"; return; fi
  local run=$cluster/calm-$BASHPID
  mkdir -p "$run"
  FACEMAE_STEP_SECONDS=0 "$source/tests/slurm/stand_in.sh" pretrain --run "$run" --steps "$steps"
  cat "$run/weights"
}
finished() { # finished RUN JOB: it ends well, with the weights of a calm run
  wait_until 600 "the end of job $2 of $1" over "$2"
  job_is "$2" COMPLETED || die "job $2 of $1 is $(job_state "$2")"
  [ "$(weights "$1")" = "$(calm_weights)" ] || die "$1 ended with other weights"
}
preempt() { sbatch --parsable -o /dev/null -p urgent -w "$1" --wrap 'sleep 1' >/dev/null; }

preempted_at_once() {
  local run=$1 job
  steps=$long
  job=$(submit "$run" -p cancel -w n1)
  begun "$run"
  preempt n1
  finished "$run" "$job"
  decided "$run" requeue preempted
  starts "$run" 2
}
preempted_with_grace() {
  local run=$1 job
  steps=$long
  job=$(submit "$run" -p grace -w n2)
  begun "$run"
  preempt n2
  finished "$run" "$job"
  decided "$run" requeue preempted
  starts "$run" 2
}
preempted_by_requeue() {
  local run=$1 job
  steps=$long
  job=$(submit "$run" -p requeue -w n3)
  begun "$run"
  preempt n3
  finished "$run" "$job"
  starts "$run" 2
}
out_of_time() {
  local run=$1 job
  mkdir -p "$run"
  : >"$run/deaf"
  steps=600 # Slurm looks at limits twice a minute
  job=$(submit "$run" -w n4 --signal=B:USR2@0)
  begun "$run"
  scontrol update JobId="$job" EndTime=now+2
  wait_until 90 "job $job to be requeued" restarted "$job"
  scontrol update JobId="$job" TimeLimit=30 # the short one stays with the job
  finished "$run" "$job"
  decided "$run" requeue limit
  starts "$run" 2
}
restarted() { [ "$(said "$1" Restarts)" -ge 1 ]; }
limit_changes() {
  local run=$1 job
  job=$(submit "$run" -w n25 --signal=B:USR2@0) # a notice would come at once, so short is the limit
  begun "$run"
  scontrol update JobId="$job" EndTime=now+12 # the ranks stop 10 s before
  finished "$run" "$job"
  starts "$run" 2
  decided "$run" requeue none
}
cancelled() {
  local run=$1 job
  steps=600
  job=$(submit "$run" -w n5)
  begun "$run"
  sleep "$((RANDOM % 3)).$((RANDOM % 10))"
  scancel "$job"
  wait_until 60 "the end of $run" job_is "$job" CANCELLED
  sleep 8 # a requeued one would wait for that long
  job_is "$job" CANCELLED || die "the cancelled job came back: $(job_state "$job")"
  starts "$run" 1
}
requeued_by_hand() {
  local run=$1 job
  job=$(submit "$run" -w n6)
  begun "$run"
  scontrol requeue "$job"
  finished "$run" "$job"
  starts "$run" 2
  [ "$(said "$job" Restarts)" = 1 ] || die "$run was requeued twice"
}
stopped_under() { # stopped_under RUN OPTION...
  local run=$1 job
  job=$(submit "$@")
  begun "$run"
  echo "$(date -u +%FT%TZ) me@here" >"$run/stop"
  wait_until 60 "the end of $run" over "$job"
  job_is "$job" FAILED || die "$run is $(job_state "$job")"
  [ "$(said "$job" ExitCode)" = 76:0 ] || die "$run ended with $(said "$job" ExitCode)"
  decided "$run" leave none
  starts "$run" 1
  sleep 1            # Slurm's times are of whole seconds, and of one and the same second the stop counts
  job=$(submit "$@") # submitting again is a wish to go on
  finished "$run" "$job"
  [ ! -e "$run/stop" ] || die "the stop file is left"
}
stopped_srun() { stopped_under "$1" -w n7; }
stopped_mpirun() { FACEMAE_SITE=openmpi-mpirun stopped_under "$1" -w n8; }
notice_at_the_start() { # before the ranks listen
  local run=$1 job
  job=$(submit "$run" -w n19)
  wait_until 60 "the start of $run" grep -q 'starting at' "$run/job.out"
  scancel --batch --signal=USR2 "$job"
  finished "$run" "$job"
}
step_left() { # a step that holds the job's cores, as one of a node that was away
  local run=$1 job
  { cat "$FACEMAE_SITE"; echo 'srun --mpi=none sleep 1000 & sleep 2'; } >"$cluster/left.env"
  job=$(FACEMAE_SITE=$cluster/left.env submit "$run" -w n20)
  finished "$run" "$job"
  grep -q 'ending steps that are left' "$run/job.out" || die "no step was left in $run"
}
controller_away() { # notice comes while nobody can be asked
  local run=$1 job process
  job=$(submit "$run" -w n1)
  begun "$run"
  kill "$(cat "$cluster/run/slurmctld.pid")"
  # Slurm cannot send it now.
  for process in $(processes_of "$job" supervise.sh); do kill -USR2 "$process"; done
  wait_until 60 "the ranks of $run to end" grep -q 'ended with 76' "$run/job.out"
  sleep "${FACEMAE_TEST_AWAY:-$((${FACEMAE_FULL:-0} ? 60 : 10))}"
  controller_start
  finished "$run" "$job"
  starts "$run" 2
}
hang_twice() { # the first verdict starts again here, the second one goes elsewhere
  local run=$1 job
  mkdir -p "$run"
  echo n9 hang 12 >"$run/bad"
  job=$(submit "$run" -p three -N 2 --ntasks-per-node=1)
  finished "$run" "$job"
  starts "$run" 3
  [ "$(said "$job" ExcNodeList)" = n9 ] || die "job $job does not avoid n9"
  [ "$(said "$job" NodeList)" = 'n[10-11]' ] || die "it ran on $(said "$job" NodeList)"
}
# The same by the program's own verdict: a rank on n10 that stops in its twelfth step, whenever it is started there.
hang_for_real() {
  local run=$1 job options="$options --hang-limit 5"
  cat >"$run.stops" <<'S'
#!/bin/bash
if [ "$(hostname)" = n10 ]; then export FACEMAE_FAILPOINT='loop.backward#12=stall'; fi
exec "$@"
S
  chmod +x "$run.stops"
  echo "LAUNCH='srun --mpi=pmix --kill-on-bad-exit=1 $run.stops'" >"$run.env"
  # shellcheck disable=SC2046
  mpirun --bind-to none --oversubscribe -n 2 "$facemae" $(train "$run-calm") >"$run.out" 2>&1 || die "calm run: $(cat "$run.out")"
  calm=$(weights "$run-calm")
  job=$(FACEMAE_SITE=$run.env submit "$run" -p three -N 2 --ntasks-per-node=1)
  finished "$run" "$job"
  [ "$(said "$job" ExcNodeList)" = n10 ] || die "job $job does not avoid n10: $(cat "$run/nodes.jsonl")"
  grep -q '"node":"n10".*"evidence":"hang"' "$run/nodes.jsonl" || die "$run: $(cat "$run/nodes.jsonl")"
}
replicas_differ() {
  local run=$1 job
  mkdir -p "$run"
  echo n12 replica 12 >"$run/bad"
  job=$(submit "$run" -p trio -N 2 --ntasks-per-node=1)
  finished "$run" "$job"
  starts "$run" 2
  [ "$(said "$job" NodeList)" = 'n[13-14]' ] || die "it ran on $(said "$job" NodeList)"
}
spare_taken() {
  local run=$1 job
  mkdir -p "$run"
  echo n15 device 12 >"$run/bad"
  job=$(FACEMAE_NODES=2 submit "$run" -p spare -N 3 --ntasks-per-node=1)
  finished "$run" "$job"
  [ "$(said "$job" Restarts)" = 0 ] || die "$run went through the queue"
  [ "$(sed 's/.* on //' "$run/starts")" = $'n[15-16]\nn[16-17]' ] || die "$run: $(cat "$run/starts")"
}
spare_when_a_node_dies() {
  local run=$1 job
  steps=200 # so many that Slurm notices the death among them
  job=$(FACEMAE_NODES=2 submit "$run" -p dying -N 3 --no-kill --ntasks-per-node=1)
  begun "$run"
  node_crash n27
  wait_until 200 "the end of $run" over "$job"
  node_start n27
  job_is "$job" COMPLETED || die "$run is $(job_state "$job")"
  [ "$(said "$job" Restarts)" = 0 ] || die "$run went through the queue"
  [ "$(sed 's/.* on //' "$run/starts" | tail -n 1)" = 'n[26,28]' ] || die "$run: $(cat "$run/starts")"
}
chain_done_in_its_second() {
  local run=$1 first
  mkdir -p "$run"
  # shellcheck disable=SC2046
  "$source/slurm/chain.sh" 3 -w n18 -o "$run/job.out" -- $(train "$run") >"$run/submitted" || die "chain.sh"
  first=$(sed -n '1s/.* //p' "$run/submitted")
  begun "$run"
  scancel --batch --signal=USR2 "$first"
  finished "$run" "$(sed -n '2s/.* //p' "$run/submitted")"
  job_is "$first" COMPLETED || die "the stopped link is $(job_state "$first")"
  wait_until 30 "no link to be left" job_is "$(sed -n '3s/.* //p' "$run/submitted")" CANCELLED
  [ "$(squeue -h -n "$(said "$first" JobName)" -o %i)" = '' ] || die "links are left"
  starts "$run" 2
}
chain_avoids_a_node() {
  local run=$1 first second
  mkdir -p "$run"
  echo n29 replica 12 >"$run/bad"
  # shellcheck disable=SC2046
  "$source/slurm/chain.sh" 2 -p linked -N 2 --ntasks-per-node=1 -o "$run/job.out" -- $(train "$run") >"$run/submitted" || die "chain.sh"
  first=$(sed -n '1s/.* //p' "$run/submitted") second=$(sed -n '2s/.* //p' "$run/submitted")
  finished "$run" "$second"
  [ "$(said "$first" ExitCode)" = 75:0 ] || die "the first link ended with $(said "$first" ExitCode)"
  [ "$(said "$second" NodeList)" = 'n[30-31]' ] || die "the second link ran on $(said "$second" NodeList)"
  starts "$run" 2
}
study_of_four() {
  local run=$1 job i
  for i in 0 1 2 3; do mkdir -p "$run/$i" && echo "pretrain --run '$run/$i' --steps $steps $options"; done >"$run.txt"
  : >"$run/2/wrong"
  job=$("$source/slurm/study.sbatch" --parsable -p four -o "$run/%a.out" "$run.txt") || die "study.sbatch"
  for i in 0 1 3; do finished "$run/$i" "${job}_$i"; done
  wait_until 60 "the wrong one" over "${job}_2"
  [ "$(said "${job}_2" ExitCode)" = 2:0 ] || die "${job}_2 ended with $(said "${job}_2" ExitCode)"
}

round() { # round NAME SCENARIO...: all at once, each with a folder of its own
  local name pids=() failed=0
  for name in "${@:2}"; do
    (
      SECONDS=0
      "$name" "$cluster/$1-$name" || exit 1
      echo "passed: $program, round $1, $name, $SECONDS s"
    ) >"$cluster/$1-$name.log" 2>&1 &
    pids+=($!)
  done
  for name in "${@:2}"; do
    if wait "${pids[0]}"; then cat "$cluster/$1-$name.log"; else
      failed=1
      echo "FAILED: $program, round $1, $name"
      cat "$cluster/$1-$name.log" "$cluster/$1-$name"/{starts,supervisor.jsonl,job.out,outcome.json} 2>/dev/null
    fi
    pids=("${pids[@]:1}")
  done
  return $failed
}

by_site="preempted_at_once preempted_with_grace preempted_by_requeue out_of_time limit_changes cancelled requeued_by_hand
  chain_done_in_its_second study_of_four notice_at_the_start step_left"
by_verdict="stopped_srun stopped_mpirun hang_twice replicas_differ spare_taken spare_when_a_node_dies chain_avoids_a_node"
rounds=${FACEMAE_TEST_ROUNDS:-${FACEMAE_FULL:+20}}
rounds=${rounds:-1} faults=0
program=stand-in options='' long=200 # on a busy machine, preemption takes a while to come
prefix_of "$source/tests/slurm/stand_in.sh" 'srun --mpi=none --kill-on-bad-exit=1'
for ((i = 1; i <= rounds; i++)); do
  if [ "${FACEMAE_TEST_PROGRAM:-}" = real ] || [ "${FACEMAE_TEST_ONLY:-}" = hang_for_real ]; then break; fi
  # shellcheck disable=SC2086
  round $i ${FACEMAE_TEST_ONLY:-$by_site $by_verdict} || faults=1
  if [ -z "${FACEMAE_TEST_ONLY:-}" ]; then round $i controller_away || faults=1; fi
done

if [ -n "${FACEMAE_FULL:-}" ]; then # the same with the program, where nothing needs a verdict
  facemae=${FACEMAE_BINARY:?}
  "$facemae" synth --out "$cluster/store" --identities 8 --images-per-identity 8 >"$cluster/synth.out" 2>&1 || die "synth: $(cat "$cluster/synth.out")"
  program=real steps=100 long=100
  options="--store $cluster/store --batch 8 --model tiny --patch 16 --embedder-width 8 --threads 1 --workers 1 --save-every 5 --log-every 1 --log-level warn"
  prefix_of "$facemae" 'srun --mpi=pmix --kill-on-bad-exit=1'
  # shellcheck disable=SC2046
  "$facemae" $(train "$cluster/calm-real") >"$cluster/calm.out" 2>&1 || die "calm run: $(cat "$cluster/calm.out")"
  calm=$(weights "$cluster/calm-real")
  for ((i = 1; i <= rounds; i++)); do
    # shellcheck disable=SC2086
    round real-$i ${FACEMAE_TEST_ONLY:-preempted_at_once preempted_with_grace preempted_by_requeue cancelled requeued_by_hand chain_done_in_its_second hang_for_real} || faults=1
  done
fi
[ $faults = 0 ] && echo "all scenarios passed $rounds times, after $SECONDS s"
exit $faults
