#!/bin/sh
# Starts a program of this bundle where the bundle lies now: facemae, and mpirun of a bundle that carries Open MPI. It
# finds LibTorch and MPI, and says what is missing or too old before the system's loader would fail on it.
#
#   facemae --link-torch DIR   takes LibTorch of DIR from now on: the folder with lib/; of a Python package, what
#                              python3 -c 'import torch; print(torch.__path__[0])'  prints
#   TORCH_DIR=DIR facemae ...  takes it for once
#
# It runs in any POSIX shell and becomes the program, which keeps process id, signals and exit code.
refuse() {
  printf '%s: %s\n' "$name" "$*" >&2
  exit 2
}
# older A B: is version A before B?
older() {
  [ "${1%%.*}" -lt "${2%%.*}" ] || { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${1##*.}" -lt "${2##*.}" ]; }
}

name=${0##*/} self=$0
while [ -h "$self" ]; do # somebody may have linked it into a folder of PATH
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=${self%/*}/$link ;; esac
done
here=$(cd "${self%/*}/.." && pwd -P) || exit 2
[ "$name" != orted ] || here=${here%/mpi}
while read -r key value; do # of the file NEEDS
  case $key in
    glibc) need_glibc=$value ;;
    libstdc++) need_libstdcxx=$value ;;
    torch) need_torch=$value ;;
    mpi) need_mpi=$value ;;
    cuda) need_cuda=$value ;;
  esac
done <"$here/NEEDS"

# --- the C library, which nothing can replace, and C++'s, whose own copy is used where the system's is older -------------
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>/dev/null | sed -n '1s/.* /glibc /p')
glibc=${glibc#glibc }
case $glibc in
  [0-9]*.[0-9]*) ! older "$glibc" "$need_glibc" || refuse "this system's C library is glibc $glibc, and this bundle runs from" \
    "$need_glibc on: take a newer system or a container, or build facemae here (docs/SITES.md)" ;;
  *) refuse "this system has no glibc, and this bundle runs from glibc $need_glibc on: take another system or a container" ;;
esac
libstdcxx=0
for file in /usr/lib64/libstdc++.so.6.0.* /usr/lib/*-linux-gnu/libstdc++.so.6.0.*; do
  number=${file##*.so.6.0.}
  case $number in *[!0-9]*) ;; *) [ "$number" -le "$libstdcxx" ] || libstdcxx=$number ;; esac
done
search=
[ "$libstdcxx" -ge "${need_libstdcxx##*.}" ] || search=$here/lib/gcc

# findable LIBRARY: is it where the loader will look? What lies beside an mpirun of PATH is added.
findable() {
  old=$IFS IFS=:
  for folder in $search $LD_LIBRARY_PATH /lib64 /usr/lib64 /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu; do
    [ ! -e "$folder/$1" ] || { IFS=$old; return 0; }
  done
  IFS=$old
  PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q "^[[:space:]]*$1 " && return 0
  case $1 in libmpi*) ;; *) return 1 ;; esac
  mpirun=$(command -v mpirun) || return 1
  for folder in "${mpirun%/*}/../lib" "${mpirun%/*}/../lib64"; do
    [ ! -e "$folder/$1" ] || { search=$search:$folder; return 0; }
  done
  return 1
}

# --- MPI: the bundle's own, or the site's --------------------------------------------------------------------------------
if [ -d "$here/mpi" ]; then
  # shellcheck disable=SC1091
  . "$here/mpi/variables.sh"
  case $name in
    mpirun)
      # Without ssh and Slurm there is one host, and Open MPI would stop at the lack of both.
      command -v ssh >/dev/null || command -v srun >/dev/null || export OMPI_MCA_plm="${OMPI_MCA_plm:-isolated}"
      exec "$here/mpi/libexec/mpirun" --prefix "$here/mpi" "$@" ;;
    orted) exec "$here/mpi/libexec/orted" "$@" ;;
  esac
fi

# --- LibTorch ------------------------------------------------------------------------------------------------------------
if [ "$1" = --link-torch ]; then
  [ $# -eq 2 ] || refuse "--link-torch takes one folder, the one with lib/libtorch_cpu.so: --link-torch" \
    "\"\$(python3 -c 'import torch; print(torch.__path__[0])')\""
  case $2 in /*) torch=$2 ;; *) torch=$PWD/$2 ;; esac
else
  torch=${TORCH_DIR:-$here/torch}
  case $torch in /*) ;; *) torch=$PWD/$torch ;; esac
  [ -n "$TORCH_DIR" ] || [ -h "$torch" ] || refuse "this bundle carries no LibTorch. Once: pip install torch==$need_torch.*; then" \
    "$here/bin/facemae --link-torch \"\$(python3 -c 'import torch; print(torch.__path__[0])')\". Or set TORCH_DIR to that folder"
fi
[ -e "$torch/lib/libtorch_cpu.so" ] || refuse "$torch has no lib/libtorch_cpu.so; give --link-torch or TORCH_DIR the folder" \
  "of LibTorch, or of the Python package torch"
version=
for file in "$torch/version.py" "$torch/build-version"; do # of the Python package; of LibTorch's archive
  [ ! -e "$file" ] || version=$(sed -n "s/^\(__version__ = '\)\{0,1\}\([0-9][0-9]*\.[0-9][0-9]*\).*/\2/p" "$file")
done
[ "${version:-$need_torch}" = "$need_torch" ] || refuse "$torch is LibTorch $version, and this bundle is built for $need_torch," \
  "whose C++ interface differs: pip install torch==$need_torch.*"
search=$search:$torch/lib
for folder in "$torch"/../nvidia/*/lib; do search=$search:$folder; done
for library in $need_cuda; do
  findable "$library" || refuse "$library is neither beside $torch nor on this system; this bundle has the back end for GPUs" \
    "and needs it on CPUs, too: take the torch of PyPI with all that it depends on, or make a bundle of a build for CPUs"
done
if [ "$1" = --link-torch ]; then
  ln -sfn "$torch" "$here/torch" || refuse "cannot write $here/torch: set TORCH_DIR instead"
  exit 0
fi

[ -d "$here/mpi" ] || findable "$need_mpi" || refuse "$need_mpi is not found, the MPI library that facemae was built with: load the" \
  "site's module of it (module avail), or take the bundle that carries its own (scripts/bundle.sh --with-mpi)"
search=${search#:}
export LD_LIBRARY_PATH="$search${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/libexec/facemae" "$@"
