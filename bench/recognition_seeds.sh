#!/usr/bin/env bash
# Recognition as a whole beside plain PyTorch: iresnet-tiny with CosFace is trained by both on the same photographs with the
# same settings, each from weights, order and flips of its own seed, and verified by `facemae evaluate` on other people.
# Prints the accuracy of each seed, means, ranges, and images per second of processor time, one thread each.
#
# usage: bench/recognition_seeds.sh TRAIN IMAGES PAIRS [SEED...]
#   TRAIN   folder of aligned faces, TRAIN/<identity>/<image>.jpg
#   IMAGES  folder that the names in PAIRS begin at
#   PAIRS   lines of `a b same`, folds in order
#   SEED    default 0 1 2
#
# Environment: STEPS (default 1500), OUT (default build/bench/recognition_seeds; what is there is not trained again).
# Needs build/release (scripts/build.sh --tests) and scripts/setup.sh --bench.
set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"
[ $# -ge 3 ] || { usage; exit 2; }
train=$(realpath "$1") images=$(realpath "$2") pairs=$(realpath "$3")
shift 3
[ $# -gt 0 ] || set -- 0 1 2
cd "$root"
facemae=$root/build/release/facemae python=$root/.venv-bench/bin/python
steps=${STEPS:-1500} out=${OUT:-build/bench/recognition_seeds}
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# glibc gives PyTorch's freed memory back and fetches it anew in every step; the program keeps its own (core/host.h). Here both keep it.
kept=(env MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=2147483647)
mkdir -p "$out"
cd "$out"
[ -e store/manifest.h5 ] || "$facemae" pack --from folder --in "$train" --out store --log-level warn
[ -e images/labels.txt ] || "$root/build/release/bench/bench_export_images" store images

accuracy() { # accuracy WEIGHTS JSON [--network NAME]: in percent
  "$facemae" evaluate --from "$1" "${@:3}" --images "$images" --pairs "$pairs" --json "$2" --log-level warn >/dev/null
  "$python" -c 'import json, sys; print("%.2f" % (100 * json.load(open(sys.argv[1]))["sets"][0]["accuracy"]))' "$2"
}
TIMEFORMAT='%U %S'
for seed; do
  if [ ! -e "ours-$seed.cost" ]; then
    rm -rf "ours-$seed"
    { time "$facemae" recognize --store store --run "ours-$seed" --network iresnet-tiny --margin cosface --margin-m 0.2 --steps "$steps" \
      --batch 64 --lr 0.05 --warmup 0.05 --seed "$seed" --save-every "$steps" --threads 1 --log-every 50 >"ours-$seed.log" 2>&1; } 2>"ours-$seed.time"
    awk -v n=$((steps * 64)) '{ printf "%.1f\n", n / ($1 + $2) }' "ours-$seed.time" >"ours-$seed.cost"
  fi
  if [ ! -e "torch-$seed.cost" ]; then
    "${kept[@]}" "$python" "$root/bench/torch_recognition.py" images --steps "$steps" --lr 0.05 --flip --seed "$seed" --out "torch-$seed.pt" >"torch-$seed.log"
    sed -n 's/^images.s //p' "torch-$seed.log" >"torch-$seed.cost"
  fi
  echo "$seed $(accuracy "ours-$seed" "ours-$seed.json") $(accuracy "torch-$seed.pt" "torch-$seed.json" --network iresnet-tiny)" \
    "$(cat "ours-$seed.cost") $(cat "torch-$seed.cost")"
done | awk '
  function add(name, x) { sum[name] += x; if (!(name in low) || x < low[name]) low[name] = x; if (x > high[name]) high[name] = x }
  { printf "seed %s: %.2f %%, PyTorch %.2f %%; %.0f and %.0f images/s\n", $1, $2, $3, $4, $5
    add("ours", $2); add("PyTorch", $3); add("ratio of images/s", $4 / $5); rows++ }
  END { for (name in sum) printf "%s: mean %.2f (%.2f to %.2f of %d seeds)\n", name, sum[name] / rows, low[name], high[name], rows }'
