#!/usr/bin/env bash
# `facemae doctor --measure` on three nodes of a real Slurm, of which one has a slow network; on one node, a core of which is
# busy; and its figures of disks and checkpoints against those of dd and of a training. Nothing that it writes stays.
set -uo pipefail
facemae=${FACEMAE_BINARY:?} source=${FACEMAE_SOURCE:?}
. "$source/tests/slurm/cluster.sh"
cluster_enter "$@"
[ -x "$facemae" ] || die "$facemae is not built"
command -v tc >/dev/null || skip "tc is not installed (iproute2)"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
cluster_up 3

run=$cluster/run-measured store=$cluster/store failures=0 seconds=${FACEMAE_MEASURE_SECONDS:-40}
mkdir "$run"
"$facemae" synth --out "$store" --identities 20 --images-per-identity 20 >"$cluster/synth.out" 2>&1 ||
  { cat "$cluster/synth.out"; die "synth"; }
check() { # check WHAT COMMAND...
  if "${@:2}"; then echo "passed: $1"; else
    echo "FAILED: $1"
    failures=$((failures + 1))
  fi
}
measure() { # measure NAME COMMAND...: the figures as a table id|of|value|unit|text, in $cluster/NAME; took: seconds
  local name=$1 began=$EPOCHREALTIME
  shift
  timeout -k 5 300 "$@" --measure --seconds "$seconds" --json "$cluster/$name.json" >"$cluster/$name.out" 2>&1
  took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
  python3 - "$cluster/$name.json" >"$cluster/$name" <<'P' || cat "$cluster/$name.out"
import json, sys
for m in json.load(open(sys.argv[1]))["measured"]:
    print(m["id"], m["of"], m["value"], m["unit"], m.get("text", ""), sep="|")
P
  cat "$cluster/$name"
}
value() { awk -F'|' -v id="$2" -v of="$3" '$1 == id && $2 ~ of { print $3; exit }' "$cluster/$1"; } # value NAME ID OF
within() { awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN { exit !(a > 0 && b > 0 && a >= b * (1 - p) && a <= b * (1 + p)) }'; }
in_time() { awk -v t="$took" -v s="$seconds" 'BEGIN { exit !(t <= 1.1 * s + 5) }'; } # 5 s: to start, and the checks themselves
nothing_left() { [ -z "$(find "$run" -name 'measure.*' -o -name '.scratch*' -o -name '.shared*' -o -name '.doctor*')" ]; }
files_open() { grep -q "measuring the disk" "$cluster/interrupted.out"; }

checked() { # checked SECONDS OPTION...: the doctor alone ends within
  local limit=$1 began=$EPOCHREALTIME
  shift
  timeout -k 5 90 srun --mpi=pmix -w n1,n2 -N 2 -n 2 "$facemae" doctor --run "$run" --store "$store" "$@" >"$cluster/checked.out" 2>&1
  took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
  awk -v t="$took" -v s="$limit" 'BEGIN { exit !(t <= s) }'
}
check "--quick on two nodes takes 5 s at most" checked 5 --quick
echo "it took $took s"
check "and all checks 20 s" checked 20
echo "they took $took s"

# A card of 200 Mbit/s, out of the node and into it.
throttle() { tc qdisc add dev "$1" root tbf rate 200mbit burst 64kb latency 100ms; }
throttle port-n3
"$cluster/in" n3 tc qdisc add dev eth0 root tbf rate 200mbit burst 64kb latency 100ms
measure network srun --mpi=pmix -N 3 -n 3 "$facemae" doctor
check "it ends in time ($took s)" in_time
check "n3 is the slow one" grep -q '^net.pairs|n3|' "$cluster/network"
check "and nothing else is" [ "$(grep -c '^net.pairs.*slow:' "$cluster/network")" = 1 ]
check "its 25 MB/s are found" within "$(value network net.pairs n3)" 0.025 0.2
# What a sum makes of that is the MPI's: 15 MB/s with Open MPI's way for three nodes.
check "sums between nodes are of that size, too" within "$(value network net.allreduce.between '1.0 MiB')" 0.0175 0.5

# The disk of a shared machine is now fast, now slow: one of three tries counts, each with both sides anew.
in_one_of_three() { "$1" || "$1" || "$1"; }
dd_rates() { # of files as large as those measured, in MB/s
  for _ in 1 2 3; do
    dd if=/dev/zero of="$cluster/dd.bin" bs=4M count=64 conv=fsync 2>&1 |
      awk '/copied/ { for (i = 1; i < NF; i++) if ($i == "bytes") bytes = $(i - 1); print bytes / $(NF - 3) / 1e6 }'
    rm "$cluster/dd.bin"
  done | sort -g
}
disk_is_as_dd_finds_it() {
  measure disk srun --mpi=pmix -w n1 -N 1 -n 1 "$facemae" doctor --run "$run" --store "$store"
  local rate
  rate=$(dd_rates | sed -n 2p)
  echo "dd with fsync: $rate MB/s"
  within "$(value disk fs.write .)" "$rate" 0.25
}
check "fs.write is what dd reaches" in_one_of_three disk_is_as_dd_finds_it
check "it ends in time ($took s)" in_time
check "nothing that it writes stays behind" nothing_left

save_is_as_training_says() { # much to save and little to compute, for a save goes on once a step; and time for several
  rm -rf "$run"
  srun --mpi=pmix -w n1 -N 1 -n 1 "$facemae" pretrain --store "$store" --run "$run" --steps 40 --batch 2 --model base \
    --patch 28 --relation none --threads 1 --save-every 8 >"$cluster/train.out" 2>&1
  local saves logged seconds=90
  saves=$(sed -n 's/.* committed .*, \([0-9.]*\) s, root.*/\1/p' "$cluster/train.out" | sort -g)
  logged=$(echo "$saves" | awk '{ s[NR] = $1 } END { print (s[int((NR + 1) / 2)] + s[int((NR + 2) / 2)]) / 2 }')
  measure save srun --mpi=pmix -w n1 -N 1 -n 1 "$facemae" doctor --run "$run"
  echo "saves that training logged: ${saves//$'\n'/ } s"
  within "$(value save save .)" "$logged" 0.25
}
check "a save takes what training says" in_one_of_three save_is_as_training_says
check "nothing that it writes stays behind" nothing_left

# A core that another process uses, too.
taskset -c 1 bash -c 'while :; do :; done' &
busy=$!
measure cores "$cluster/in" n1 mpirun --bind-to core -n 2 "$facemae" doctor
kill $busy
check "the rank on the busy core is named" grep -q '^cpu.gemm.*slow: rank 1 on n1' "$cluster/cores"

# Interrupted, it removes what it has begun, too.
for signal in TERM INT; do
  "$facemae" doctor --measure --seconds 60 --run "$run" >"$cluster/interrupted.out" 2>&1 &
  pid=$!
  wait_until 60 "a file of the measurement" files_open
  kill -$signal $pid
  wait $pid
  check "nothing stays behind after SIG$signal" nothing_left
done
[ $failures = 0 ] || { echo "$failures failure(s)"; exit 1; }
echo "done after $SECONDS s"
