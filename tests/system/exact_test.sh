#!/usr/bin/env bash
# --exact: whatever is killed and on however many ranks it goes on, the root over all weights and moments is that
# of one rank without a break.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1

exact_pretrain() { # exact_pretrain N RUN OPTION...
  local n=$1 run=$2 words
  shift 2
  with_defaults --exact-slots 4 -- "$@"
  tiny_run "$n" "$run" 8 --exact --batch 9 --accumulate 2 --relation distance --relation-weight auto:0.3 \
    --relation-center --clip 0.5 --decode yuv420 "${words[@]}"
}
exact_recognize() {
  local n=$1 run=$2
  shift 2
  ranks "$n" recognize --store faces --run "$run" --steps 6 --batch 9 --lr 0.05 --class-shards 5 --save-every 2 --log-every 1 \
    --log-level warn --exact --exact-slots 4 --margin adaface --sample-rate 0.4 "$@" >>"$run.log" 2>&1
}

for command in pretrain recognize; do
  train=exact_$command
  $train 1 "calm-$command" || { cat "calm-$command.log"; exit 1; }
  expected=$(root "calm-$command")
  check "$command: a root is told" test "${#expected}" = 32

  moved=moved-$command
  $train 3 "$moved" --stop-after 3
  check "$command: 3 ranks stop with 76" equal "$?" 76
  $train 2 "$moved" --stop-after 5
  check "$command: 2 ranks go on and stop with 76" equal "$?" 76
  $train 4 "$moved"
  check "$command: 4 ranks go on to the end" equal "$?" 0
  check "$command: to the root of one rank without a break" equal "$(root "$moved")" "$expected"
  check "$command: with the same losses" equal "$(losses "$moved")" "$(losses "calm-$command")"

  killed=killed-$command
  $train 3 "$killed" &
  job=$!
  sleep 1.5 # not a synchronisation: any moment will do
  kill -KILL $(launcher "$job") $(its_ranks "$job") 2>/dev/null
  wait "$job" 2>/dev/null
  first=$(ls -d "$killed"/checkpoints/s*/COMMIT 2>/dev/null | wc -l)
  $train 2 "$killed"
  check "$command: killed on 3 ranks ($first commit(s) by then), ended on 2: the same root" equal "$(root "$killed")" "$expected"
done

exact_pretrain 1 other --seed 1
check "another seed has another root" test "$(root other)" != "$(root calm-pretrain)"
exact_pretrain 1 calm-pretrain --exact-slots 2
check "other slots than the run began with are refused with 2" equal "$?" 2
check "and shown" grep -q "exact-slots: was 4, is 2" calm-pretrain.log

# Without --exact the kernels are the machine's, and a resume by others says so.
if "$facemae" --version | grep -q AVX; then
  tiny_run 1 plain 4 --stop-after 2
  check "kernels are not told of while they stay" test -z "$(grep 'computed with kernels' plain.log)"
  ATEN_CPU_CAPABILITY=default tiny_run 1 plain 4
  check "a resume with other kernels is warned of" grep -q "computed with kernels for AVX.*, this start uses those for DEFAULT" plain.log
fi

tiny() { ranks "$1" pretrain --store faces --run refused --steps 2 --batch 9 --exact "${@:2}"; }
ends_with 2 "more ranks than slots are refused" "3 ranks are more than the 2 slots" tiny 3 --exact-slots 2
ends_with 2 "slots without an image are refused" "leaves some of the 8 slots empty" tiny 1 --accumulate 2
ends_with 2 "slots that halves cannot make are refused" "power of two" tiny 1 --exact-slots 6
ends_with 2 "--exact on a GPU is refused" "computes on the CPU" tiny 1 --device cuda
ends_with 2 "--exact in bfloat16 is refused" "computes in float32" tiny 1 --precision bfloat16
ends_with 2 "--exact on two threads is refused" "one thread per rank" tiny 1 --threads 2
finish
