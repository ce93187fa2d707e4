#!/usr/bin/env bash
# Embeddings of a network that others trained are those of ONNX Runtime, and it attacks in an audit.
network=$FACEMAE_SHARED_DATA/embedders/mobilefacenet_512.onnx
form=size=112,order=bgr,mean=127,scale=128
skip() { echo "SKIP: $1"; exit 77; }
[ -e "$network" ] || skip "there is no $network"
[ "$HAS_ONNX" = ON ] || skip "facemae was built without OpenCV's dnn (scripts/setup.sh --onnx)"
python=
for candidate in "$SOURCE/.venv/bin/python" python3; do
  if "$candidate" -c 'import numpy, onnxruntime, PIL' 2>/dev/null; then python=$candidate; break; fi
done
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
"$facemae" synth --out faces --identities 12 --images-per-identity 3 $quiet 2>/dev/null || exit 1
"$facemae" embed --from "$network:$form" --store faces --out ours.npy --raw --no-flip $quiet
check "a network of others embeds a store" test -s ours.npy
if [ -n "$python" ]; then
  "$facemae" unpack --store faces --to folder --out pictures $quiet 2>/dev/null
  ends_with 0 "as ONNX Runtime does" 'all alike' "$python" "$here/embed_with_onnxruntime.py" "$network" pictures ours.npy
else
  echo "left out: the comparison with ONNX Runtime, which Python does not have (scripts/setup.sh --interop)"
fi
"$facemae" embed --from "$network:size=112,order=rgb,mean=0,scale=1" --store faces --out wrong.npy --raw --no-flip $quiet
check "what it is fed matters" bash -c '! cmp -s ours.npy wrong.npy'
ends_with 2 "a size that it does not take is refused" 'does not take one picture of 64 x 64' "$facemae" embed \
  --from "$network:size=64,order=bgr,mean=127,scale=128" --store faces --out none.npy $quiet
ends_with 2 "and --bgr beside it" 'order=bgr says it' "$facemae" embed --from "$network:$form" --store faces --out none.npy --bgr $quiet

ranks 1 pretrain --store faces --run mae --steps 2 --batch 6 --model tiny --patch 28 --relation none --threads 1 $quiet 2>/dev/null
"$facemae" synth --out unseen --identities 6 --images-per-identity 3 --first-identity 100 $quiet 2>/dev/null
"$facemae" reconstruct --store unseen --from mae --out rebuilt --private secret $quiet >/dev/null 2>&1
"$facemae" audit --real unseen --released rebuilt --link secret --report report --attacks quick --embedder "$network:$form" $quiet >audit.log 2>&1
check "and attacks in an audit" grep -q 'embedder mobilefacenet_512.onnx' report/report.json
finish
