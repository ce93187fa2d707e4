# What the tests of other MPIs share: programs linked with a make of MPI beside that of the build. Sourced by bash; needs what
# tests/system/lib.sh needs, and BUILD (the build folder).
# shellcheck shell=bash
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$tests/system/lib.sh"
declare -A launchers=([own]="${MPIEXEC:-mpirun}")
mkdir own && ln -s "$facemae" own/facemae

# shows FILE WHAT COMMAND...: check, and the end of FILE where it fails
shows() {
  local before=$failures
  check "${@:2}"
  [ "$failures" = "$before" ] || tail -n 8 "$1"
}
# make NAME MPICC MPIEXEC: links cluster_ranked and facemae with that MPI; afterwards NAME stands for it, as `own` does for
# the MPI of the build.
make() {
  launchers[$1]=$3
  bash "$tests/mpi/relink.sh" "$BUILD" "$2" "$1" cluster_ranked facemae >"$1.log" 2>&1
  shows "$1.log" "$1: what includes mpi.h compiles, and the program links" test $? = 0 -a -x "$1/facemae"
  [ -x "$1/facemae" ] || finish
}
# under NAME COMMAND...: with the program and the launcher of NAME, and `on_ranks` of that one
under() (
  export MPIEXEC=${launchers[$1]}
  facemae=$work/$1/facemae
  . "$tests/../scripts/ranks.sh"
  "${@:2}"
)
# conforms NAME N...: the ranked tests of cluster/ on N ranks
conforms() {
  local n
  for n in "${@:2}"; do
    under "$1" on_ranks "$n" "$work/$1/tests/ranked/cluster/cluster_ranked" >said 2>&1
    shows said "$1: the ranked tests of cluster on $n ranks" equal "$?" 0
  done
}
recognized() { # recognized N RUN OPTION...
  ranks "$1" recognize --store faces --run "$2" --steps 30 --batch 9 --lr 0.05 --save-every 15 --eval-every 0 --log-every 10 --threads 1 \
    --log-level warn "${@:3}" >>"$2.log" 2>&1
}
same_root() { [ -e "$1/checkpoints/HISTORY" ] && equal "$(root "$1")" "$(root "$2")"; }
# has_roots NAME N OPTION...: pretraining and recognition of 30 steps on N ranks have the roots of the runs pretrain and recognize
has_roots() {
  local run=$1-$2
  under "$1" tiny_run "$2" "$run-mae" 30 --batch 9 "${@:3}"
  shows "$run-mae.log" "$1: the root of pretraining on $2 ranks" same_root "$run-mae" pretrain
  under "$1" recognized "$2" "$run-net" "${@:3}"
  shows "$run-net.log" "$1: the root of recognition on $2 ranks" same_root "$run-net" recognize
  rm -rf "$run-mae" "$run-net"
}
# reference N OPTION...: makes the runs pretrain and recognize, with the MPI of the build
reference() {
  rm -rf pretrain recognize
  tiny_run "$1" pretrain 30 --batch 9 "${@:2}" && recognized "$1" recognize "${@:2}"
  shows recognize.log "own: roots of $1 ranks" equal "$(root pretrain | wc -c) $(root recognize | wc -c)" "33 33"
}
# stops_by_files NAME: Hydra ends its ranks at a signal, so what is asked of a run comes to them by files: a stop, and notice
# of the end of a batch job.
stops_by_files() {
  local what code job
  for what in stop notice; do
    (
      if [ $what = notice ]; then
        ranks() { FACEMAE_NOTICE=none exec "$tests/../slurm/supervise.sh" $what -- "${mpirun[@]}" -n "$1" "$facemae" "${@:2}"; }
      fi
      under "$1" tiny_run 2 $what 100000 --batch 8
    ) &
    job=$!
    for _ in $(seq 300); do compgen -G "$what/checkpoints/*/COMMIT" >/dev/null && break; sleep 0.1; done
    if [ $what = stop ]; then "$facemae" stop $what >/dev/null 2>&1; else kill -USR2 "$(pgrep -P $job)"; fi
    wait $job
    code=$?
    shows $what.log "$1: $what reaches the ranks by a file (the launcher ends with $code)" equal "$(outcome $what)" 76
    rm -rf $what
  done
}
# pair LAUNCHER PROGRAM: two ranks of one make started by the launcher of another, of which `said` tells
pair() {
  rm -rf store
  (export MPIEXEC=${launchers[$1]} &&
    timeout 60 "$tests/../scripts/ranks.sh" 2 "$work/$2/facemae" synth --out store --identities 2 --images-per-identity 2) >said 2>&1
}
started_pair() { pair "$@" && [ -e store/manifest.json ] && grep -q 'for 2 ranks' said; }
# wrong_pair LAUNCHER PROGRAM LAUNCHER'S LIBRARY'S: refused in 10 s, and both are named
wrong_pair() {
  local begun=$SECONDS code
  pair "$1" "$2"
  code=$?
  check "the launcher of $1 does not start the program of $2" test $code != 0 -a ! -e store/manifest.json
  check "which ends within 10 s ($((SECONDS - begun)))" test $((SECONDS - begun)) -le 10
  shows said "naming both" grep -qaE "facemae: .*(($3).*($4)|($4).*($3))" said
}
skip() { echo "SKIP: $*" && exit 77; }
