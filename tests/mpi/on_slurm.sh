#!/usr/bin/env bash
# on_slurm.sh COMMAND...: the command as two ranks on two nodes of a real Slurm of its own, started by srun --mpi=pmi2.
# Skips (exit 77) where there can be none; ends in 124 after 100 s.
set -uo pipefail
. "$(dirname "$0")/../slurm/cluster.sh"
cluster_enter "$@"
cluster_up 2
# The nodes are one machine, whose memory UCX would share between them: MPICH 4.0.2 then mostly hangs in MPI_Finalize,
# and sometimes over TCP, too.
export UCX_TLS=tcp,self
timeout 100 srun --mpi=pmi2 -N 2 -n 2 --kill-on-bad-exit=1 "$@"
