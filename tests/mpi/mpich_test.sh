#!/usr/bin/env bash
# Debian's MPICH beside the Open MPI of the build: sources compile, the ranked tests of cluster/ pass, the whole program comes
# to the same roots, and the launcher of one does not start the program of the other.
. "$(dirname "$0")/lib.sh"
type mpicc.mpich mpiexec.mpich >/dev/null || skip "no MPICH beside the build's MPI: scripts/setup.sh --checks installs Debian's"
ldd "$facemae" | grep -q 'libmpi\.so\.40' || skip "the build is of MPICH or its kin: its own ranked tests are these"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1
make mpich mpicc.mpich mpiexec.mpich
conforms mpich 1 2
reference 2
has_roots mpich 2
stops_by_files mpich
wrong_pair mpich own "mpiexec of MPICH" "Open MPI [45]"
wrong_pair own mpich "mpirun of Open MPI" "MPICH [34]"
if [ -z "${FACEMAE_FULL:-}" ]; then finish; fi

# More ranks than cores: those of MPICH 4 wait for each other in full time slices.
conforms mpich 3 4
# PMI-2 of Slurm, which is another launcher than MPICH's own; between the nodes is a network.
on_slurm() { # on_slurm WHAT RUN REFERENCE COMMAND...
  bash "$tests/mpi/on_slurm.sh" "$work/mpich/facemae" "${@:4}" --store "$work/faces" --run "$work/$2" --steps 30 --batch 9 --threads 1 \
    --log-level warn >said 2>&1
  case $? in
    0) check "mpich: the root of $1 by srun --mpi=pmi2" same_root "$2" "$3" ;;
    124) check "mpich: the root of $1 by srun --mpi=pmi2, which MPICH 4.0.2 did not end" same_root "$2" "$3" ;;
    77) grep SKIP said ;;
    *) miss "mpich: $1 by srun --mpi=pmi2" && grep -v '^\[' said | tail -n 5 ;;
  esac
}
mae=(pretrain --model tiny --patch 28 --lr 1e-3 --embedder-size 16 --embedder-width 4 --save-every 4 --log-every 1)
on_slurm pretraining slurm-mae pretrain "${mae[@]}"
on_slurm recognition slurm-net recognize recognize --lr 0.05 --save-every 15 --eval-every 0 --log-every 10
exact=(--exact --exact-slots 4)
reference 1 "${exact[@]}"
on_slurm "exact pretraining" slurm-exact pretrain "${mae[@]}" "${exact[@]}"
for n in 1 2 3 4; do has_roots mpich $n "${exact[@]}"; done
finish
