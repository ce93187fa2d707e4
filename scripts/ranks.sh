#!/usr/bin/env bash
# Starts a command on several ranks of this machine, whatever the make of MPI: mpirun of Open MPI 4 and 5, mpiexec of MPICH
# and Intel MPI. For tests and benches: more ranks than cores, as root, over the loopback, ranks not bound to cores.
#
# usage: scripts/ranks.sh N COMMAND...     or sourced by bash, for on_ranks N COMMAND... and the words of $mpirun
#
# MPIEXEC names the launcher (default mpirun); it must be of the MPI that the command was built with.
# shellcheck disable=SC2034  # mpirun is for those who source this
case $("${MPIEXEC:-mpirun}" --version 2>&1) in
  *"(Open MPI) "[5-9]*)
    mpirun=("${MPIEXEC:-mpirun}" --bind-to none --map-by :OVERSUBSCRIBE)
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_tcp_if_include=lo ;;
  *Intel*MPI*)
    mpirun=("${MPIEXEC:-mpirun}")
    export I_MPI_PIN=0 I_MPI_FABRICS=shm I_MPI_THREAD_YIELD=2 ;;
  *HYDRA*)
    mpirun=("${MPIEXEC:-mpirun}" -bind-to none)
    export MPIR_CVAR_CH4_PROGRESS_THROTTLE=1 ;; # MPICH 5 waits without taking the cores of others; MPICH 4 cannot
  *)
    mpirun=("${MPIEXEC:-mpirun}" --bind-to none --oversubscribe)
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
    export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo ;;
esac
on_ranks() { "${mpirun[@]}" -n "$@"; }
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  case ${1:-} in
    -h | --help) . "$(dirname "$0")/lib.sh" && usage && exit 0 ;;
    '' | *[!0-9]*) echo "ranks.sh: the first word is the number of ranks, not ${1:-nothing}; scripts/ranks.sh --help" >&2; exit 2 ;;
  esac
  exec "${mpirun[@]}" -n "$@"
fi
