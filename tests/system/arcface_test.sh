#!/usr/bin/env bash
# A run of three GPUs of arcface_torch (arcface_run.py wrote it) becomes ours and goes on, on 1, 2 and 4 ranks, as PyTorch
# goes on with it: the commands of docs/MOVING_OVER.md.
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
python3 "$here/arcface_run.py" images pictures || exit 1
python3 -W ignore -m tarfile -e "$here/arcface_run.tar.xz" theirs || exit 1 # tar needs an xz beside it
"$facemae" pack --from folder --in pictures --out STORE $quiet 2>/dev/null || exit 1

settings="--network iresnet-tiny --batch 12 --margin arcface --margin-m 0.5 --batch-norm frozen --flip no --threads 1"
ends_with 0 "a run of three GPUs becomes ours" 'step 7 of a run of 3 GPU\(s\) with 1000 classes' \
  "$facemae" import --arcface-torch theirs --store STORE --run taken $settings --log-every 1
check "with what its files know of the training" \
  equal "$(grep -E '^(lr|steps|warmup-steps|power|weight-decay|momentum) ' taken/config.txt | sort | tr -d ' ' | tr '\n' ' ')" \
  "lr=0.02 momentum=0.9 power=1 steps=20 warmup-steps=2 weight-decay=5e-04 "
ranks 3 import --arcface-torch theirs --store STORE --run taken3 $settings --log-every 1 --shard-optimizer $quiet 2>/dev/null
root() { "$facemae" checkpoint show "$1" $quiet | grep -o 'root [0-9a-f]*'; }
check "its weights have a root" test -n "$(root taken)"
check "alike on any number of ranks, with a sharded optimizer too" equal "$(root taken)" "$(root taken3)"

for n in 1 2 4; do
  cp -r taken "run$n"
  ranks "$n" recognize --config taken/config.txt --run "run$n" --stop-after 10 $quiet >"run$n.log" 2>&1
  "$facemae" export --from "run$n" --out "run$n.safetensors" --centres "centres$n.safetensors" $quiet
  ends_with 0 "and goes on on $n rank(s) as PyTorch does" '3 losses and .* tensors agree' \
    python3 "$here/arcface_run.py" compare "$here/arcface_run.json" "run$n/metrics.jsonl" "run$n.safetensors" "centres$n.safetensors"
done

ends_with 0 "older files become ours, too" 'no moments of 58 parameter' \
  "$facemae" import --arcface-torch theirs/old --store STORE --run older $settings --lr 0.02 --steps 20 --steps-done 7
"$facemae" export --from older --out older.safetensors --centres older_centres.safetensors $quiet
"$facemae" export --from taken --out taken.safetensors --centres taken_centres.safetensors $quiet
check "with the same weights" cmp -s older.safetensors taken.safetensors
check "and class centres" cmp -s older_centres.safetensors taken_centres.safetensors

mkdir fewer && for one in 0000 0001 0002; do cp -r "pictures/$one" fewer; done
"$facemae" pack --from folder --in fewer --out FEWER $quiet 2>/dev/null
ends_with 2 "a store of other classes is refused with both numbers" '1000 classes, the store 3 identities' \
  "$facemae" import --arcface-torch theirs --store FEWER --run no $settings
ends_with 2 "another rate than that of its schedule is refused" '--lr 0.1 is not what the run has, 0.02' \
  "$facemae" import --arcface-torch theirs --store STORE --run no $settings --lr 0.1
ends_with 2 "another network is refused with the one that fits" 'They fit --network iresnet-tiny' \
  "$facemae" import --arcface-torch theirs --store STORE --run no2 ${settings/iresnet-tiny/mobilefacenet}
ends_with 2 "a run that has begun is left alone" 'has begun already' \
  "$facemae" import --arcface-torch theirs --store STORE --run taken $settings --log-every 1
rm theirs/checkpoint_gpu_1.pt
ends_with 2 "a missing file is named" 'checkpoint_gpu_2.pt is there, but not that of GPU 1' \
  "$facemae" import --arcface-torch theirs --store STORE --run no $settings
finish
