#!/usr/bin/env bash
# on_slurm.sh COMMAND...: the command as two ranks on two nodes of a real Slurm of its own, started by export UCX_TLS=tcp,self # the nodes are one machine, whose memory UCX would share between them, and then not find its end
srun --mpi=pmi2.
# Skips (exit 77) where there can be none.
set -uo pipefail
. "$(dirname "$0")/../slurm/cluster.sh"
cluster_enter "$@"
cluster_up 2
srun --mpi=pmi2 -N 2 -n 2 --kill-on-bad-exit=1 "$@"
