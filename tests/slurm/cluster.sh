# A real Slurm of some nodes on one Linux host, for one test: source this file and call cluster_enter first.
# shellcheck shell=bash disable=SC2317
#
#   . cluster.sh
#   cluster_enter "$@"      runs the calling script anew in namespaces of its own; whatever ends it ends every daemon
#   cluster_up [NODES]      munged, slurmctld and the nodes n1, n2 ... (2); sets $cluster, a folder that goes with the test
#                           before: kill_wait=SECONDS from TERM to KILL (3), partitions=further lines of slurm.conf
#   controller_start        starts slurmctld again, after `kill $(cat $cluster/run/slurmctld.pid)`
#   node_crash n2           cuts its power: every process of the node is gone at once
#   node_start n2           switches it on again
#   $cluster/in n2 COMMAND...   with the files, processes, network and name of a node
#   wait_until SECONDS WHAT COMMAND...     polls the command; fails the test, telling what was waited for
#
# Jobs of the partition `urgent` preempt those of `cancel` (at once), `grace` (after 20 s) and `requeue`; those of `main`,
# the default, are left alone. Each node has its own processes, host name, network card and /dev/shm; the switch between them leads
# nowhere else. Needs root and the Debian packages slurmctld slurmd slurm-client munge iproute2; skips (exit 77) without.

skip() {
  echo "SKIP: $*"
  exit 77
}

cluster_enter() {
  if [ "${FACEMAE_CLUSTER_INSIDE:-}" = yes ]; then return; fi
  local tool
  [ "$(id -u)" = 0 ] || skip "a Slurm of its own needs root"
  PATH=$PATH:/usr/sbin:/sbin
  for tool in munged slurmctld slurmd srun sbatch ip unshare; do
    command -v $tool >/dev/null || skip "$tool is not installed: scripts/setup.sh --slurm"
  done
  unshare --mount --propagation private true 2>/dev/null ||
    skip "mounts cannot be made private here, as in a chroot"
  unshare --mount --pid --net --uts --fork --kill-child ip link add probe0 type veth peer name probe1 2>/dev/null ||
    skip "this machine does not let root make network namespaces"
  cluster=$(mktemp -d /tmp/facemae-slurm.XXXXXX) || exit 1 # short, for socket names
  chmod 755 "$cluster"
  export FACEMAE_CLUSTER_INSIDE=yes cluster PATH
  local code
  unshare --mount --pid --net --uts --fork --kill-child --mount-proc --propagation private bash "$0" "$@"
  code=$?
  if [ $code != 0 ] && [ $code != 77 ]; then tail -n 30 "$cluster"/log/slurmctld.log 2>/dev/null; fi
  rm -rf "$cluster"
  exit $code
}

wait_until() {
  local seconds=$1 what=$2 start=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $((SECONDS - start)) -ge "$seconds" ]; then die "waited $seconds s in vain for: $what"; fi
    read -r -t 0.1 <>"$cluster/never"
  done
  return 0
}
die() {
  echo "FAILED: $*"
  squeue 2>/dev/null
  exit 1
}

write_configuration() {
  local node
  printf '127.0.0.1 localhost\n10.9.0.254 ctl\n' >"$cluster/hosts"
  for ((node = 1; node <= nodes; node++)); do echo "10.9.0.$node n$node" >>"$cluster/hosts"; done
  # Slurm 22.05: fences other than "ring" do not wait for everybody, and some launches on several nodes crash.
  echo PMIxCollFence=ring >"$cluster/mpi.conf"
  cat >"$cluster/slurm.conf" <<C
ClusterName=test
SlurmctldHost=ctl(10.9.0.254)
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$cluster/munge/socket,cred_expire=5
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool/%n
TmpFS=$cluster/tmp/%n
SlurmctldPidFile=$cluster/run/slurmctld.pid
SlurmdPidFile=$cluster/run/slurmd-%n.pid
SlurmctldLogFile=$cluster/log/slurmctld.log
SlurmdLogFile=$cluster/log/slurmd-%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
ReturnToService=2
KillOnBadExit=1
KillWait=${kill_wait:-3}
MessageTimeout=5
TCPTimeout=2
SlurmdTimeout=6
BatchStartTimeout=10
MinJobAge=600
NodeName=n[1-$nodes] NodeAddr=10.9.0.[1-$nodes] CPUs=1 RealMemory=1000
PartitionName=DEFAULT Nodes=n[1-$nodes] MaxTime=INFINITE DefaultTime=10 State=UP PriorityTier=10
PartitionName=main Default=YES PreemptMode=OFF
PartitionName=cancel PreemptMode=CANCEL
PartitionName=grace PreemptMode=CANCEL GraceTime=20
PartitionName=requeue PreemptMode=REQUEUE
PartitionName=urgent PriorityTier=100 PreemptMode=OFF
${partitions:-}
C
}

node_start() {
  local node=$1 pid
  rm -rf "$cluster/spool/$node" "$cluster/tmp/$node" "$cluster/run/$node".*
  mkdir -p "$cluster/spool/$node" "$cluster/tmp/$node"
  chmod 1777 "$cluster/tmp/$node"
  mkfifo "$cluster/run/$node.wired"
  # shellcheck disable=SC2016  # expanded inside the node
  unshare --mount --pid --net --uts --fork --kill-child --mount-proc --propagation private bash -c '
    hostname "$1"
    ip link set lo up
    mount -t tmpfs -o mode=1777 shm /dev/shm
    read -r <"$2/run/$1.wired"
    ip addr add "10.9.0.${1#n}/24" dev eth0 && ip link set eth0 up && exec slurmd -D -N "$1"' \
    node "$node" "$cluster" >"$cluster/log/$node.out" 2>&1 </dev/null &
  pid=$!
  disown
  echo $pid >"$cluster/run/$node.unshare" # a file: tests start nodes in subshells
  in_its_own_network() { [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
  wait_until 10 "the namespaces of $node" in_its_own_network
  ip link add "port-$node" type veth peer name eth0 netns "$pid" || die "no network card for $node"
  ip link set "port-$node" master switch up
  echo >"$cluster/run/$node.wired"
}
node_crash() {
  kill -9 "$(cat "$cluster/run/$1.unshare")" # and with it the init of the node's processes
  ip link del "port-$1" 2>/dev/null
}
nodes_idle() { [ "$(sinfo -h -N -p main -o %T | grep -c '^idle')" = "$nodes" ]; }
controller_start() { slurmctld || die "slurmctld"; }

cluster_up() {
  nodes=${1:-2}
  local node
  mkdir -p "$cluster"/{state,spool,tmp,run,log,munge}
  mkfifo "$cluster/never"
  export SLURM_CONF=$cluster/slurm.conf
  export PMIX_MCA_gds=hash OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1
  unset OMPI_MCA_btl_tcp_if_include OMPI_MCA_oob_tcp_if_include # the nodes' cards are not the loopback
  write_configuration
  hostname ctl
  mount --bind "$cluster/hosts" /etc/hosts
  ip link set lo up
  ip link add switch type bridge
  ip addr add 10.9.0.254/24 dev switch
  ip link set switch up
  (umask 077 && head -c 128 /dev/urandom >"$cluster/munge/key")
  munged --key-file="$cluster/munge/key" --socket="$cluster/munge/socket" --pid-file="$cluster/munge/pid" \
    --log-file="$cluster/log/munged.log" --seed-file="$cluster/munge/seed" || die "munged"
  controller_start
  for ((node = 1; node <= nodes; node++)); do node_start "n$node"; done
  write_entrance
  wait_until 30 "all nodes" nodes_idle
  echo "Slurm $(srun --version | cut -d' ' -f2) with $nodes nodes is up after $SECONDS s"
}
write_entrance() {
  cat >"$cluster/in" <<'S'
#!/bin/bash
exec nsenter -t "$(pgrep -P "$(<"$cluster/run/$1.unshare")")" --mount --pid --net --uts "${@:2}"
S
  chmod +x "$cluster/in"
}
job_state() { scontrol -o show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
job_is() { [ "$(job_state "$1")" = "$2" ]; }
