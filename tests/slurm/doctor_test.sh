#!/usr/bin/env bash
# `facemae doctor` where something is really wrong: on two nodes of a real Slurm, and under mpirun on one of them. Each
# fault gives its own line, with its host and its cure, and no other; healthy set-ups give no line.
set -uo pipefail
facemae=${FACEMAE_BINARY:?} source=${FACEMAE_SOURCE:?} faulty=${FACEMAE_FAULTY_HOST:?}
. "$source/tests/slurm/cluster.sh"
cluster_enter "$@"
[ -x "$facemae" ] || die "$facemae is not built"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
cluster_up 2
# Slurm is not to end a node that is cut off before the doctor has found it.
sed -i 's/^SlurmdTimeout=.*/SlurmdTimeout=120/' "$cluster/slurm.conf" && scontrol reconfigure

run=$cluster/run-checked store=$cluster/store failures=0
mkdir "$run"
"$facemae" synth --out "$store" --identities 4 --images-per-identity 4 >"$cluster/synth.out" 2>&1 ||
  { cat "$cluster/synth.out"; die "synth"; }

in_node() { "$cluster/in" "$@"; }
for node in n1 n2; do in_node $node mount -t sysfs sys /sys; done # with the node's own network cards
# on NODE COMMAND... -- PROGRAM...: a task that does something first, and only on that node (or `all`)
cat >"$cluster/on" <<'S'
#!/bin/bash
node=$1 before=()
shift
while [ "$1" != -- ]; do before+=("$1") && shift; done
shift
if [ "$node" = all ] || [ "$(hostname)" = "$node" ]; then exec "${before[@]}" "$@"; fi
exec "$@"
S
chmod +x "$cluster/on"
on_nodes=(srun --mpi=pmix -N 2 -n 2)
on_one_node=("$cluster/in" n1 mpirun --bind-to none --oversubscribe -n 2)
doctor=("$facemae" doctor --quick --run "$run" --store "$store")

said=$cluster/said
listen() { # listen COMMAND...: its lines, its code and how long it took
  local began=$EPOCHREALTIME
  timeout -k 5 90 "$@" >"$said" 2>"$said.err"
  code=$?
  took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}
miss() {
  echo "FAILED: $1 (exit $code after $took s); it said:"
  sed 's/^/    /' "$said"
  tail -n 5 "$said.err" | sed 's/^/    stderr: /'
  failures=$((failures + 1))
}
findings() { grep -E '^(problem|warning) ' "$said"; }
# healthy WHAT COMMAND...: not a line
healthy() {
  local what=$1
  shift
  listen "$@"
  if [ $code = 0 ] && [ -z "$(findings)" ]; then echo "passed: $what: nothing to say after $took s"; else miss "$what"; fi
}
# finds CODE LEVEL ID HOST REMEDY WHAT COMMAND...: one line of that kind with that host, REMEDY (grep -E) in what is to be done
finds() {
  local wanted=$1 level=$2 id=$3 host=$4 remedy=$5 what=$6
  shift 6
  listen "$@"
  if [ "$code" = "$wanted" ] && [ "$(findings | wc -l)" = 1 ] && findings | grep -qE "^$level +$id +.*$host" &&
    grep -E '^ +do: ' "$said" | grep -qE -- "$remedy"; then
    echo "passed: $what: $(findings) ($took s)"
  else
    miss "$what"
  fi
}

healthy "srun --mpi=pmix" "${on_nodes[@]}" "${doctor[@]}"
healthy "mpirun --bind-to none" "${on_one_node[@]}" "${doctor[@]}"
healthy "one process" "$cluster/in" n1 "${doctor[@]}"

mkdir "$cluster/disk-n2"
in_node n2 mount --bind "$cluster/disk-n2" "$run"
finds 2 problem fs.seen n2 "file system that all nodes" "RUN on each node's own disk" "${on_nodes[@]}" "${doctor[@]}"
in_node n2 umount "$run"

in_node n2 mount -t tmpfs none "$store"
finds 75 problem store.readable n2 "mount|n2" "STORE missing on one node" "${on_nodes[@]}" "${doctor[@]}"
in_node n2 umount "$store"

in_node n2 mount --bind "$run" "$run"
in_node n2 mount -o remount,bind,ro "$run"
finds 75 problem fs.sync n2 "RUN on a file system that you may write into" "RUN read-only on one node" "${on_nodes[@]}" "${doctor[@]}"
in_node n2 umount "$run"

finds 0 warning fs.locks "locks in .* are not seen on other nodes" "flock|lock" "locks that hold on one node only" \
  "${on_nodes[@]}" "$cluster/on" all env LD_PRELOAD="$faulty" FAULTY_LOCKS=/dev/shm -- "${doctor[@]}"
finds 0 warning fs.sync "n2" "faster storage" "fsync that takes long on one node" \
  "${on_nodes[@]}" "$cluster/on" n2 env LD_PRELOAD="$faulty" FAULTY_FSYNC_MS=1100 -- "${doctor[@]}"
finds 0 warning fs.clock "n2" "chrony|NTP|clock" "a clock that is ahead" \
  "${on_nodes[@]}" "$cluster/on" n2 env LD_PRELOAD="$faulty" FAULTY_CLOCK_S=30 -- "${doctor[@]}"

in_node n1 mount -t tmpfs -o mode=1777,size=8m shm /dev/shm
finds 2 problem mem.shm "" "shm-size" "/dev/shm of 8 MiB" "${on_one_node[@]}" "${doctor[@]}"
in_node n1 umount /dev/shm

in_node n2 dd if=/dev/zero of=/dev/shm/vader_segment.n2.0.dead.0 bs=1M count=4 status=none
in_node n2 touch -d "-10 minutes" /dev/shm/vader_segment.n2.0.dead.0
finds 0 warning mem.leftovers n2 "rm .*vader_segment" "what a killed program left in /dev/shm" "${on_nodes[@]}" "${doctor[@]}"
in_node n2 rm /dev/shm/vader_segment.n2.0.dead.0

finds 2 problem cpu.mask "" "bind-to none" "mpirun's binding to one core" "$cluster/in" n1 mpirun --bind-to core -n 1 "${doctor[@]}"
finds 2 problem cpu.mask "all nodes" "cpus-per-task" "srun without --cpus-per-task" \
  env SLURM_CPUS_PER_TASK=2 srun --mpi=pmix -N 2 -n 2 "$cluster/on" all taskset -c 0 -- "${doctor[@]}"

for node in n1 n2; do
  in_node $node ip link add docker0 type bridge
  in_node $node ip addr add 172.17.0.1/16 dev docker0
  in_node $node ip link set docker0 up
done
finds 2 problem net.bridges "all nodes: docker0" "btl_tcp_if_exclude=lo,docker0" "docker0 with one address on both nodes" "${on_nodes[@]}" "${doctor[@]}"
for node in n1 n2; do in_node $node ip link del docker0; done

for node in n1 n2; do
  in_node $node ip link add eth1 type veth peer name nowhere
  in_node $node ip addr add "10.99.0.${node#n}/24" dev eth1
  in_node $node ip link set eth1 up
  in_node $node ip link set nowhere up
done
finds 2 problem net.way "all nodes: eth1" "btl_tcp_if_include=10.9.0.0/24" "a second network that leads nowhere" "${on_nodes[@]}" "${doctor[@]}"
for node in n1 n2; do in_node $node ip link del eth1; done

sed 's/^10.9.0.2 n2/127.0.1.1 n2/' "$cluster/hosts" >"$cluster/hosts.n2"
# Only for the task: Slurm's own PMIx does not start with such a name.
finds 0 warning net.names n2 "hosts" "the own name is 127.0.1.1" "${on_nodes[@]}" "$cluster/on" n2 unshare --mount \
  bash -c "mount --bind $cluster/hosts.n2 /etc/hosts && exec \"\$@\"" bash -- "${doctor[@]}"

finds 0 warning mpi.namespaces "" "sharens|UCX_TLS" "a user namespace for each process" \
  "${on_one_node[@]}" unshare --user --map-root-user "${doctor[@]}"

# A run says how long its saves took.
"$facemae" pretrain --store "$store" --run "$cluster/run-slow" --steps 1 --batch 4 --patch 28 --relation none --threads 1 \
  >"$cluster/slow.out" 2>&1 || { cat "$cluster/slow.out"; die "a run of one step"; }
sed -i -E 's/"save_seconds":[0-9.e-]+/"save_seconds":90/' "$cluster/run-slow/exits/00000000/outcome.json"
finds 0 warning slurm.config "" "--signal=B:USR2" "saves that take longer than KillWait" \
  srun --mpi=pmix -N 2 -n 2 "$facemae" doctor --quick --run "$cluster/run-slow" --store "$store"

finds 2 problem mpi.world "" "--mpi=pmix" "the wrong --mpi" srun --mpi=none -N 2 -n 2 "${doctor[@]}"

# A rank that is stopped and a node that is cut off are named within a minute; what is left is killed then.
names_in_time() { # names_in_time NODE WHAT: reads what the doctor says in the background
  local began=$SECONDS
  until grep -qE "^problem +mpi.answers +$1: " "$said" || [ $((SECONDS - began)) -ge 60 ]; do read -r -t 0.2 <>"$cluster/never"; done
  took=$((SECONDS - began)) code="not waited for"
  kill -9 "$doctors" 2>/dev/null
  if [ "$(findings | wc -l)" = 1 ] && [ $took -lt 60 ]; then echo "passed: $2: $(findings) ($took s)"; else miss "$2"; fi
}
FACEMAE_FAILPOINT=world.join@1=stop "${on_nodes[@]}" "${doctor[@]}" >"$said" 2>"$said.err" &
doctors=$!
names_in_time n2 "a rank that is stopped before it joins"
scancel --user=root
wait_until 30 "idle nodes" nodes_idle

"${on_nodes[@]}" "$cluster/on" all bash -c "touch $run/\$(hostname).here; sleep 1; exec \"\$@\"" bash -- "${doctor[@]}" >"$said" 2>"$said.err" &
doctors=$!
wait_until 20 "the tasks" [ -e "$run/n1.here" -a -e "$run/n2.here" ]
ip link set port-n2 down
in_node n2 mount -t tmpfs none "$run" # its disks are behind the network, too
names_in_time n2 "a node that is cut off"
in_node n2 umount "$run"
ip link set port-n2 up

[ $failures = 0 ] || { echo "$failures failure(s)"; exit 1; }
echo "done after $SECONDS s"
