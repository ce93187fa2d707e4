#!/usr/bin/env bash
# Links programs of a build folder with another MPI: what includes mpi.h, by the build's own records, is compiled anew, and
# all else is taken as it was built.
#
# usage: relink.sh BUILD MPICC FOLDER TARGET...
#
#   BUILD    a build folder of Ninja in which the targets are built
#   MPICC    the compiler wrapper of the other MPI; `mpicc -show` says where its headers and libraries are
#   FOLDER   gets the programs, in the folders that they have in BUILD
set -euo pipefail
build=$(realpath "$1") mpicc=$2 out=$(realpath -m "$3")
shift 3
mkdir -p "$out"
includes=() links=() folders=
for word in $("$mpicc" -show | tr -d '"'); do
  case $word in
    -I*) includes+=(-isystem "${word#-I}") ;;
    -L*) links+=("$word") && folders+=${word#-L}: ;;
    -l*) links+=("$word") ;;
  esac
done
[ ${#links[@]} -gt 0 ] || { echo "relink.sh: $mpicc -show names no library" >&2; exit 1; }
cd "$build"
mapfile -t libraries < <(sed -n 's/^MPI_[A-Za-z_]*_LIBRARY:[A-Z]*=//p' CMakeCache.txt) # of the build's own MPI
[ ${#libraries[@]} -gt 0 ] || { echo "relink.sh: $build does not say which MPI it has" >&2; exit 1; }
mapfile -t objects < <(ninja -t deps | awk '/^[^ ]/ { sub(/:$/, "", $1); object = $1 } /\/mpi\.h$/ { print object }')

for target in "$@"; do
  mapfile -t commands < <(ninja -t commands "$target")
  [ ${#commands[@]} -gt 0 ] || exit 1
  moved=() # what is in the other folder instead of this one
  for object in "${objects[@]}"; do
    for command in "${commands[@]}"; do
      case $command in
        *" -o $object "*)
          mkdir -p "$out/$(dirname "$object")"
          command=${command/ -I/ ${includes[*]} -I}
          if [ ! -e "$out/$object" ]; then bash -c "${command// $object/ $out/$object}"; fi
          moved+=("$object") ;;
        *"/ar qc "*" $object"*)
          archive=${command#*/ar qc } && archive=${archive%% *}
          mkdir -p "$out/$(dirname "$archive")"
          cp "$archive" "$out/$archive"
          ar r "$out/$archive" "$out/$object"
          moved+=("$archive") ;;
      esac
    done
  done
  link=${commands[-1]}
  for name in "${moved[@]}"; do link=${link// $name/ $out/$name}; done
  for library in "${libraries[@]}"; do link=${link// $library/ ${links[*]}}; done
  link=${link/-Wl,-rpath,/-Wl,-rpath,$folders}
  program=${link#* -o } && program=${program%% *}
  mkdir -p "$out/$(dirname "$program")"
  bash -c "${link/ -o $program / -o $out/$program }"
done
