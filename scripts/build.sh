#!/usr/bin/env bash
# Configures and builds facemae into build/<preset>/, after installing what is missing.
#
# usage: scripts/build.sh [option...]
#
# options
#   --preset NAME   release (default), dev, asan, tsan or fuzz: see CMakePresets.json
#   --target NAME   what to build (default: facemae, the program); may be repeated
#   --tests         also configures tests and benchmarks, and builds everything unless --target is given
#   --no-setup      does not call scripts/setup.sh first
#   -j N            number of parallel compilers (default: the number of cores, fewer where memory is short)
#   -h, --help      this text
#
# The program is then build/release/facemae. An existing LibTorch is taken from TORCH_DIR or CMAKE_PREFIX_PATH, and MPI
# from MPI_HOME or by the mpicc on PATH.
# Plain CMake does the same:  cmake --preset release && cmake --build --preset release --target facemae
set -euo pipefail
. "$(dirname "$0")/lib.sh"

preset=release tests=no setup=yes parallel=$(jobs) targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --preset) once "$1"; preset=${2:?--preset needs a name}; shift ;;
    --target) targets+=("${2:?--target needs a name}"); shift ;;
    --tests) tests=yes ;;
    --no-setup) setup=no ;;
    -j) once "$1"; parallel=${2:?-j needs a number}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) say "build.sh: unknown option $1; scripts/build.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done

if [ $setup = yes ]; then
  if [ $tests = yes ]; then "$root/scripts/setup.sh" --tests --nccl-headers; else "$root/scripts/setup.sh"; fi
fi
configure=()
if [ -n "${TORCH_DIR:-}" ]; then configure+=("-DTORCH_DIR=$TORCH_DIR"); fi
if [ $tests = yes ]; then
  configure+=(-DFACEMAE_TESTS=ON -DFACEMAE_BENCH=ON)
elif [ ! -e "$root/build/$preset/CMakeCache.txt" ]; then
  configure+=(-DFACEMAE_TESTS=OFF -DFACEMAE_BENCH=OFF) # so that the program needs no GoogleTest
fi
if [ "$preset" = fuzz ]; then
  CXX=$(fuzz_compiler) || fail "no clang++ that has libFuzzer; scripts/setup.sh --tests installs one"
  export CXX
  configure=()
fi
if [ ${#targets[@]} = 0 ]; then
  if [ "$preset" = fuzz ]; then targets=(all); elif [ $tests = yes ]; then targets=(all); else targets=(facemae); fi
fi

cd "$root"
log=build/$preset/configure.log
mkdir -p "build/$preset"
cmake --preset "$preset" "${configure[@]}" >"$log" 2>&1 || {
  cat "$log" >&2
  fail "configuring failed; see above. scripts/setup.sh installs what is missing."
}
grep -E 'MPI:|LibTorch|NCCL|Warning' "$log" || true
case " ${targets[*]} " in *" all "* | *" facemae "*) long="; about ten minutes from nothing on two cores" ;; *) long= ;; esac
say "building ${targets[*]} in build/$preset, $parallel at once$long"
# Builds on after a fault: one broken file should not hide what the others have to say.
cmake --build "build/$preset" --target "${targets[@]}" -j "$parallel" -- -k 0
