#!/usr/bin/env bash
# Networks written as ONNX compute in other programs what they compute here: in ONNX Runtime, and in OpenCV where it is.
skip() { echo "SKIP: $1"; exit 77; }
python=
for candidate in "$SOURCE/.venv/bin/python" python3; do
  if "$candidate" -c 'import numpy, onnxruntime, PIL' 2>/dev/null; then python=$candidate; break; fi
done
[ -n "$python" ] || [ "$HAS_ONNX" = ON ] ||
  skip "there is neither ONNX Runtime in Python nor OpenCV's dnn (scripts/setup.sh --interop)"
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
"$facemae" synth --out faces --identities 4 --images-per-identity 3 $quiet 2>/dev/null || exit 1
"$facemae" unpack --store faces --to folder --out pictures $quiet 2>/dev/null
if [ -n "$python" ]; then # pixels that no two decoders can differ in
  "$python" - <<'END'
import pathlib
from PIL import Image
for path in pathlib.Path("pictures").rglob("*.jpg"):
    Image.open(path).save(path.with_suffix(".png"))
    path.unlink()
END
fi
for network in iresnet-tiny iresnet18 mobilefacenet vit-t ir18; do
  "$facemae" recognize --store faces --run "$network" --network $network --steps 2 --batch 4 --threads 2 $quiet 2>/dev/null
  "$facemae" export --from "$network" --to onnx --out $network.onnx $quiet
  "$facemae" embed --from "$network" --images pictures --out $network.npy --raw --no-flip $quiet
  check "$network embeds" test -s $network.npy
  if [ -n "$python" ]; then
    for batch in 1 5; do
      ends_with 0 "$network computes the same in ONNX Runtime, $batch at a time" 'all alike' "$python" \
        "$here/embed_with_onnxruntime.py" $network.onnx pictures $network.npy --order rgb --mean 127.5 --scale 127.5 --batch $batch \
        --tolerance 1e-4
    done
  fi
  case $network in vit-t) continue ;; esac # OpenCV of Debian 12 knows no LayerNormalization
  if [ "$HAS_ONNX" = ON ]; then
    "$facemae" embed --from "$network" --images pictures --out unit.npy --no-flip $quiet
    "$facemae" embed --from $network.onnx:size=112,order=rgb,mean=127.5,scale=127.5 --images pictures --out opencv.npy --no-flip $quiet
    check "$network computes the same in OpenCV" close_arrays unit.npy opencv.npy
  fi
done
"$facemae" pretrain --store faces --run mae --steps 1 --batch 4 --model tiny --patch 28 --relation none --threads 1 $quiet 2>/dev/null
ends_with 2 "a FaceMAE is no recognition network" 'recognition network' "$facemae" export --from mae --to onnx --out mae.onnx
finish
