#!/usr/bin/env bash
# The kit for a lent GPU, on a machine without one: it packs, starts, says of each GPU part why it did not run, and runs
# the others.
. "$(dirname "$0")/lib.sh"
skip() { echo "SKIP: $*"; exit 77; }
command -v patchelf >/dev/null || skip "no patchelf here"
readelf -d "$facemae" | grep -q 'NEEDED.*libnccl' || skip "this tree was built without NCCL"
! readelf -d "$facemae" | grep -qE 'NEEDED.*lib[at]san' || skip "nobody lends a GPU to a sanitizer"
site=$(readelf -d "$facemae" | sed -n 's/.*RUNPATH.*\[\(.*\)\]/\1/p' | tr : '\n' | sed -n 's|/torch/lib$||p' | head -1)
[ -n "$site" ] || skip "LibTorch is not of a wheel, which a Python would find"

ends_with 0 "the kit packs" 'unpacked [0-9]+ MiB' "$SOURCE/scripts/gpu_kit.sh" --no-build --build "$BUILD" --gzip --out "$work/kit.tar.xz"
tar -xf kit.tar.xz
kit=$work/facemae-gpu-kit
run() { env -i PATH=/usr/bin:/bin HOME="$work" PYTHONPATH="$site" "$kit/run.sh" "$@"; }

# Each library comes with the kit, with LibTorch, or is of glibc's family.
from_elsewhere() {
  local file torch
  torch=$site/torch/lib:$(printf '%s:' "$site"/nvidia/*/lib)
  for file in "$kit"/bin/* "$kit"/tests/* "$kit"/mpi/plugins/* "$kit"/pmix/plugins/*; do
    [ ! -f "$file" ] || LD_LIBRARY_PATH=$torch ldd "$file"
  done | grep '=>' | grep -vE "=> ($kit|$(realpath "$site")|$site)/|^\s*(libc|libm|libdl|libpthread|librt|libresolv|libutil|libstdc\+\+|libgcc_s)\.so"
}
check "nothing but glibc's family comes from the machine" equal "$(from_elsewhere)" ''

ends_with 0 "it lists its parts" 'test nccl_conformance' run --list
if [ -e /dev/nvidiactl ]; then echo "the rest is of a machine without a GPU"; finish; fi
ends_with 77 "without a GPU the parts that need none run, and it says so" 'FaceMAE base, patch 8: facemae +skipped .*no NVIDIA driver' \
  run --only '^programs|^test|facemae$|tiny on a CPU$' --out "$work/figures.json"
cp said table
check "programs start" grep -qE '^programs start +ran' table
check "the program saves and resumes under the kit's MPI" grep -qE '^save and resume, FaceMAE tiny on a CPU +ran .*resumed to step 75' table
check "and ends in the same bits twice" grep -qE '^the same bits twice, FaceMAE tiny on a CPU +ran .*roots alike 2' table
check "each GPU test is told" equal "$(grep -cE '^test .*skipped' table)" "$(find "$kit/tests" -type f | wc -l)"
check "the figures are JSON, too" python3 -c '
import json
figures = json.load(open("figures.json"))
ran = {part["part"] for part in figures["parts"] if part["outcome"] == "ran"}
assert ran == {"programs start", "iresnet-tiny on a CPU: facemae", "save and resume, FaceMAE tiny on a CPU",
               "the same bits twice, FaceMAE tiny on a CPU"}, ran'
ends_with 77 "the kit's own loader and C library do as well" 'programs start +ran' env FACEMAE_KIT_LOADER="$kit/glibc/ld-linux-x86-64.so.2" \
  PYTHONPATH="$site" "$kit/run.sh" --only '^programs|^test nccl'

ends_with 1 "a part that fails is told, and the others go on" 'test nccl_conformance +skipped' bash -c "
  mv '$kit/bin/facemae' '$kit/bin/hidden'; PYTHONPATH='$site' '$kit/run.sh' --only '^programs|^test nccl'; code=\$?
  mv '$kit/bin/hidden' '$kit/bin/facemae'; exit \$code"
ends_with 1 "a part that takes too long is told" 'not done in|no time was left' run --only '^save and resume, FaceMAE tiny' --minutes 0.15
check "and nothing that it started goes on" equal "$(pgrep -f "$kit/bin/")" ''
ends_with 1 "no part goes on when time is over" 'no time was left' run --only '^programs' --minutes 0
sed -i 's/^torch .*/torch 9.9/' "$kit/NEEDS"
ends_with 2 "another torch is refused with the remedy" 'pip install torch==9.9' run --list
PYTHONPATH= ends_with 2 "and a Python without torch" 'has no torch' env -i PATH=/usr/bin:/bin PYTHON=python3 "$kit/run.sh" --list
finish
