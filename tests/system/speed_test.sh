#!/usr/bin/env bash
# What a run tells of its speed: figures of all ranks in metrics.jsonl, traces of single steps; and --deterministic.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1

tiny_run 2 fast 6 --profile-steps 3-5 --deterministic --stop-after 5
check "two ranks stop with 76" equal "$?" 76
for key in model_teraflops_per_second busiest_seconds busiest_rank most_data_wait_seconds most_data_wait_rank \
  most_memory_bytes most_memory_rank; do
  check "metrics.jsonl has $key in each line" equal "$(grep -c "\"$key\":" fast/metrics.jsonl)" 5
done
check "a CPU has no MFU" test "$(grep -c '"mfu"' fast/metrics.jsonl)" = 0
check "the busiest rank takes some of a step" grep -qE '"busiest_seconds":[0-9.e-]*[1-9]' fast/metrics.jsonl
for rank in 0 1; do
  trace=fast/profile/steps-3-5.rank$rank.json
  check "rank $rank leaves a trace" test -s "$trace"
  for range in data forward couple backward reduce optimizer save; do
    check "and in it the range $range" grep -q "\"name\": \"$range\"" "$trace"
  done
  check "three steps of it" equal "$(grep -c '"name": "optimizer"' "$trace")" 3
  check "and operators" grep -q '"name": "aten::mm"' "$trace"
done

tiny_run 2 fast 6
check "without --deterministic it is another run" equal "$?" 2
check "and says so" grep -q "deterministic: was yes, is unset" fast.log
check "the same goes on, with another profile" tiny_run 2 fast 6 --deterministic --profile-steps 6
check "of one step" test -s fast/profile/steps-6-6.rank1.json
ends_with 2 "a span that is none is refused" "profile-steps 4-3 is no A-B" \
  "$facemae" pretrain --store faces --run r --batch 6 --steps 9 --profile-steps 4-3
finish
