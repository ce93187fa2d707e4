#!/usr/bin/env bash
# An installed program runs, and the batch template lies beside it.
. "$(dirname "$0")/lib.sh"
ends_with 0 "cmake --install works" '' cmake --install "$BUILD" --prefix "$work/installed"
ends_with 0 "the installed program finds its libraries" 'LibTorch [0-9]' "$work/installed/bin/facemae" --version
# Where this machine's loader finds libraries (ld.so.conf, LD_LIBRARY_PATH) is no proof: each must lie in a folder that
# the program names, or in one of the distribution's own.
found_by_itself() {
  local library folder missing=0
  mapfile -t folders < <(readelf -d "$1" | sed -n 's/.*\(RUNPATH\|RPATH\).*\[\(.*\)\]/\2/p' | tr : '\n')
  for library in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    for folder in "${folders[@]}" /lib /usr/lib /lib64 /usr/lib64 "/lib/$(g++ -print-multiarch)" "/usr/lib/$(g++ -print-multiarch)"; do
      [ ! -e "$folder/$library" ] || continue 2
    done
    echo "  $library is in none of: ${folders[*]}"
    missing=1
  done
  return $missing
}
check "each of its libraries lies where it says itself" found_by_itself "$work/installed/bin/facemae"
ends_with 0 "and works" '' "$work/installed/bin/facemae" synth --out faces --identities 2 --images-per-identity 2
check "with the batch template and its supervisor" test -x "$work/installed/share/facemae/slurm/supervise.sh" -a \
  -e "$work/installed/share/facemae/slurm/pretrain.sbatch"
check "and the recipes" test -e "$work/installed/share/facemae/recipes/ms1mv3_r50"
check "which looks for both where they are" grep -q 'share/facemae/slurm/supervise.sh program=$FACEMAE/bin/facemae' \
  "$work/installed/share/facemae/slurm/pretrain.sbatch"

# The study's template, as one task of an array outside of Slurm: what it starts is this program with its options.
templates=$work/installed/share/facemae/slurm
sed 's/^  --budget cluster .*/  --budget minutes --arms real,facemae --task auto --dry-run --out "$OUT"/' "$templates/study.sbatch" >mine.sbatch
check "one line of the study's template is its user's" test "$(diff "$templates/study.sbatch" mine.sbatch | grep -c '^>')" = 1
"$facemae" synth --out all --identities 12 --images-per-identity 4 --log-level warn
mkdir task-faces
"$facemae" store split all --identities 0.34 --seed 1 --out task-faces/held-out rest --log-level warn
"$facemae" store split rest --identities 0.5 --seed 2 --out task-faces/train task-faces/unseen --log-level warn
"$facemae" pairs --store task-faces/held-out --out task-faces/pairs.txt --pairs 20 --folds 2 --log-level warn
ends_with 0 "the study's template starts the installed program" 'facemae audit --real stores/unseen' env \
  SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 SLURM_SUBMIT_DIR="$work" FACEMAE="$work/installed" \
  FACES="$work/task-faces" OUT="$work/study" bash mine.sbatch
check "and it wrote its protocol" test -s "$work/study/protocol.json"
finish
