#!/usr/bin/env bash
# Ratios of facemae to named references, from interleaved pairs in one run: the median of the pairs' ratios, with the
# smallest and the largest. Machines are noisy: quote ratios, not rates.
#
# usage: bench/run.sh [option...]
#   --pairs N      pairs of each comparison (default 7)
#   --only NAME    steps, head, loader, pack, ranks, exact or saves
#   -h, --help     this text
#
# Needs build/release (scripts/build.sh --tests) and, for the PyTorch references, scripts/setup.sh --bench.
set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"
pairs='' only=''
twice() { [ -z "$2" ] || { say "run.sh: $1 is given twice" >&2; exit 2; }; }
while [ $# -gt 0 ]; do
  case $1 in
    --pairs) twice "$1" "$pairs"; pairs=${2:?--pairs needs a number}; shift ;;
    --only) twice "$1" "$only"; only=${2:?--only needs a name}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) say "run.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
pairs=${pairs:-7}
cd "$root"
python=.venv-bench/bin/python
built=build/release/bench
data=build/bench
export OMP_NUM_THREADS=1
. scripts/ranks.sh

# compare NAME OURS REFERENCE [UNIT]: both are commands that print one number, greater is better.
compare() {
  local name=$1 ours=$2 reference=$3 unit=${4:-images/s} a b
  for _ in $(seq "$pairs"); do
    a=$(eval "$ours") && b=$(eval "$reference") && [ -n "$a" ] && [ -n "$b" ] || fail "$name: nothing was measured"
    echo "$a $b"
  done | awk '{ print $1 / $2, $1, $2 }' | sort -g | awk -v name="$name" -v unit="$unit" '
    { ratio[NR] = $1; ours[NR] = $2; theirs[NR] = $3 }
    END { if (NR == 0) exit 1
      m = int((NR + 1) / 2)
      printf "%-44s %.2f  (%.2f to %.2f of %d pairs; in the median pair %.1f and %.1f %s)\n", name, ratio[m], ratio[1], ratio[NR], NR, ours[m], theirs[m], unit }'
}
wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

mkdir -p "$data"
[ -e "$data/faces/manifest.h5" ] || build/release/facemae synth --out "$data/faces" --identities 100 --images-per-identity 20 --log-level warn
if wanted steps; then
  [ -x "$python" ] || fail "run scripts/setup.sh --bench first: it makes .venv-bench with PyTorch"
  # glibc gives PyTorch's freed memory back, and every step fetches it anew; the program keeps its own (core/host.h).
  kept="MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=2147483647"
  # Recognition in the memory format that is faster for both.
  for model in "facemae 64 12" "facemae 64 12 relation=none" "facemae 64 12 relation=none precision=bfloat16" "iresnet-tiny 64 8 layout=channels-last" "mobilefacenet 16 3 layout=channels-last" \
    "iresnet18 8 3 layout=channels-last" "iresnet50 8 3 layout=channels-last" "vit-t 16 3"; do
    compare "step of $model / PyTorch eager" "$built/bench_steps $model" "$python bench/torch_steps.py $model"
    compare "  / PyTorch that keeps freed memory" "$built/bench_steps $model" "$kept $python bench/torch_steps.py $model"
  done
fi
# The softmax over many classes and the update of their centres; each process prints the median of five steps.
if wanted head; then
  [ -x "$python" ] || fail "run scripts/setup.sh --bench first: it makes .venv-bench with PyTorch"
  per_second() { # per_second N COMMAND...: of N things that a step does
    local n=$1
    shift
    "$@" | awk -v n="$n" '{ print n / $1 }'
  }
  head_beside_torch() { compare "$1 / PyTorch" "per_second 64 $built/bench_head $2" "per_second 64 $python bench/torch_head.py $2"; }
  compare "head, 20,000 of 1,000,000 classes / of 40,000" "per_second 64 $built/bench_head head 1000000 0.02" "per_second 64 $built/bench_head head 40000 0.5"
  head_beside_torch "head, 1,000,000 classes, rate 0.1" "head 1000000 0.1"
  head_beside_torch "head, 1,000,000 classes, rate 0.02" "head 1000000 0.02"
  head_beside_torch "head, 100,000 classes, rate 1" "head 100000 1"
  compare "update of 100,000 of 1,000,000 classes / PyTorch" "per_second 100000 $built/bench_head update 1000000 100000" \
    "per_second 100000 $python bench/torch_head.py update 1000000 100000" "sampled classes/s"
  for words in "1000000 0.1" "1000000 1" "2059906 0.1 steps=20"; do
    read -r -a head <<<"head $words"
    printf "%-44s %s MiB\n" "memory of ${head[*]}" "$("$built/bench_head" "${head[@]}" | cut -d' ' -f2)"
  done
fi
if wanted loader; then
  loader="$built/bench_loader"
  compare "loader, 1 thread / bare TurboJPEG" "$loader 1 $data/faces 20000" "$loader bare $data/faces 20000"
  compare "loader to planes, 1 thread / to RGB" "$loader 1-yuv420 $data/faces 20000" "$loader 1 $data/faces 20000"
  compare "bare TurboJPEG to planes / to RGB" "$loader bare-yuv420 $data/faces 20000" "$loader bare $data/faces 20000"
  compare "loader with --augment adaface / without" "$loader 1-adaface $data/faces 20000" "$loader 1 $data/faces 20000"
  printf "%-44s %s\n" "loader, 1 thread" "$("$loader" 1 "$data/faces" 40000 shares)"
  if [ -x "$python" ]; then
    [ -e "$data/images" ] || "$built/bench_export_images" "$data/faces" "$data/images"
    compare "loader, 2 threads / DataLoader, 2 workers" "$loader 2 $data/faces 20000" "$python bench/torch_loader.py $data/images 2 8000"
    for n in 1 2; do
      compare "checked reads, $n thread(s) / h5py vlen reads" "$loader read-$n $data/faces 200000" "$python bench/h5py_loader.py $data/images $n 20000 read"
      compare "loader, $n thread(s) / h5py vlen, same decoder" "$loader $n $data/faces 20000" "$python bench/h5py_loader.py $data/images $n 8000"
    done
  fi
  # What part of MobileFaceNet training waits for data.
  rm -rf "$data/run"
  build/release/facemae recognize --store "$data/faces" --run "$data/run" --steps 30 --batch 16 --network mobilefacenet --threads 1 \
    --save-every 1000 --log-every 5 --log-level warn 2>/dev/null
  awk 'NR > 1 { split($0, w, "\"data_wait_seconds\":"); x += w[2] + 0; split($0, s, "\"seconds\":"); t += s[2] + 0 }
    END { printf "%-44s %.3f %% of the step\n", "data wait, MobileFaceNet, batch 16", 100 * x / t }' "$data/run/metrics.jsonl"
fi
if wanted pack; then
  [ -e "$data/many-faces/manifest.h5" ] || build/release/facemae synth --out "$data/many-faces" --identities 400 --images-per-identity 50 --log-level warn
  for _ in 1 2; do "$built/bench_pack" 1 "$data/many-faces" "$data/folders" "$data/packed" >"$data/warm"; done
  compare "pack, 1 thread / bare TurboJPEG" "$built/bench_pack 1 $data/many-faces $data/folders $data/packed" "$built/bench_loader bare $data/many-faces 20000"
  rm -rf "$data/packed"
fi
# Mean rate of the later half of a run, and what part of its time the reduction was waited for.
rate() { awk -F'"images_per_second":' 'NR > 3 { split($2, f, ","); s += f[1]; n++ } END { print s / n }' "$run/metrics.jsonl"; }
relation=cosine batch=64 run=$data/run
pretrained_on() { # pretrained_on N [PREFIX...]
  local n=$1
  shift
  rm -rf "$run"
  on_ranks "$n" "$@" build/release/facemae pretrain --store "$data/faces" --run "$run" --steps 80 --batch "$batch" \
    --patch 16 --relation $relation $([ $relation = none ] || echo --embedder-width 32) --threads 1 --save-every 1000 --log-every 10 --log-level warn 2>/dev/null
}
apart() { # what two ranks would reach if they had nothing to say to each other
  (batch=32 run=$data/run-a && pretrained_on 1) &
  (batch=32 run=$data/run-b && pretrained_on 1)
  wait $!
  (run=$data/run-a && rate && run=$data/run-b && rate) | awk '{ s += $1 } END { print s }'
}
if wanted ranks; then
  compare "FaceMAE, 2 ranks / 1 rank, a thread each" "pretrained_on 2; rate" "pretrained_on 1; rate"
  compare "two runs of 32 images at once / one of 64" "apart" "pretrained_on 1; rate"
  if [ -x "$python" ]; then # the same network by what a PyTorch user would take
    relation=none compare "the same without a relation" "pretrained_on 2; rate" "pretrained_on 1; rate"
    compare "PyTorch's DDP over gloo, 2 ranks / 1 rank" "$python bench/torch_ddp.py 2 64 40" "$python bench/torch_ddp.py 1 64 40"
  fi
  pretrained_on 2
  awk -F'"exposed_reduction_seconds":' 'NR > 3 { split($2, e, ","); x += e[1]; split($0, s, "\"seconds\":"); t += s[2] + 0 }
    END { printf "%-44s %.1f %% of the time at 2 ranks\n", "exposed reduction", 100 * x / t }' "$data/run/metrics.jsonl"
  peak='import os, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
open(os.environ["PEAK"] + os.environ["OMPI_COMM_WORLD_RANK"], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))'
  PEAK=$data/peak pretrained_on 2 python3 -c "$peak"
  printf "%-44s %d and %d MiB at 2 ranks\n" "peak memory of the ranks" $(($(cat "$data/peak0") / 1024)) $(($(cat "$data/peak1") / 1024))
fi
# What --exact costs: the same steps with it and without it.
recognized() { # recognized N [OPTION...]
  local n=$1
  shift
  rm -rf "$data/run"
  on_ranks "$n" build/release/facemae recognize --store "$data/faces" --run "$data/run" --steps 20 --batch 64 \
    --save-every 1000 --eval-every 0 --log-every 2 --log-level warn "$@" 2>/dev/null
}
pretrained() {
  local n=$1
  shift
  rm -rf "$data/run"
  on_ranks "$n" build/release/facemae pretrain --store "$data/faces" --run "$data/run" --steps 20 --batch 64 --patch 16 \
    --embedder-width 32 --save-every 1000 --log-every 2 --log-level warn "$@" 2>/dev/null
}
if wanted exact; then
  # Of it, what MKL's kernels cost that promise equal sums on processors that are not Intel's.
  compare "FaceMAE, 1 rank, MKL_CBWR=COMPATIBLE / without" "MKL_CBWR=COMPATIBLE pretrained 1 --threads 1; rate" "pretrained 1 --threads 1; rate"
  for n in 1 2; do
    compare "FaceMAE, $n rank(s), --exact / without" "pretrained $n --exact; rate" "pretrained $n --threads 1; rate"
    compare "iresnet-tiny, $n rank(s), --exact / without" "recognized $n --exact; rate" "recognized $n --threads 1; rate"
  done
fi
# What checkpoints cost the steps beside which they are written: a state of 190 MB, one thread, a free core; then
# everything on one core, where a save takes the time of the steps.
trained_small() { # trained_small BATCH SAVE_EVERY
  rm -rf "$data/run"
  build/release/facemae pretrain --store "$data/faces" --run "$data/run" --steps 240 --batch "$1" --model small --patch 16 \
    --relation none --threads 1 --save-every "$2" --check-replicas 0 --log-every 1 --log-level info 2>"$data/saves.log"
}
export -f trained_small
export data
step_seconds() { # of steps 11 to 240 of the run
  awk 'NR > 10 { split($0, s, "\"seconds\":"); t += s[2] } END { print t }' "$data/run/metrics.jsonl"
}
if wanted saves; then
  trained_small 4 15
  sed -n 's/.*\(committed.*\), root.*/\1/p' "$data/saves.log" | tail -1
  awk 'NR > 5 { split($0, s, "\"seconds\":"); t = s[2] + 0
      if (split($0, w, "\"save_stalled_seconds\":") > 1) { print "saving", t; stalled += w[2] } else print "calm", t }
    END { print "stalled", stalled }' "$data/run/metrics.jsonl" | sort -k1,1 -k2,2g | awk '
    { v[$1, ++n[$1]] = $2 }
    END { a = v["saving", int((n["saving"] + 1) / 2)]; b = v["calm", int((n["calm"] + 1) / 2)]
      printf "%-44s %.3f  (medians of %d and %d steps: %.3f and %.3f s; %.3f s stalled in all)\n",
        "step beside a save / step without", a / b, n["saving"], n["calm"], a, b, v["stalled", 1] }'
  bytes=$(find "$data/run/checkpoints" -name '*.safetensors' -size +1k -printf '%s\n' | sort -n | tail -1)
  need=$("$built/bench_save_cost" "$data/copy" "$bytes")
  for _ in $(seq "$pairs"); do
    taskset -c 0 bash -c 'trained_small 1 1000'
    calm=$(step_seconds)
    taskset -c 0 bash -c 'trained_small 1 6'
    # The last save comes after the last step.
    echo "$calm $(step_seconds) $(($(grep -c committed "$data/saves.log") - 1))"
  done | awk -v need="$need" '{ print ($2 - $1) / $3 / need }' | sort -g | awk -v need="$need" '
    { v[NR] = $1 }
    END { printf "%-44s %.2f  (%.2f to %.2f of %d pairs; copying, hashing and writing: %.3f s)\n",
        "seconds that a save adds on one core / needed", v[int((NR + 1) / 2)], v[1], v[NR], NR, need }'
fi
