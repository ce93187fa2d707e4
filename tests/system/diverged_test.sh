#!/usr/bin/env bash
# A training that diverges ends in 93 whenever it notices, commits nothing that is not finite, and no command makes anything of such weights.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1
committed() { ls "$1"/checkpoints/s*/COMMIT 2>/dev/null | wc -l; }

ends_with 93 "five steps at a learning rate of 1e6, the last of them skipped" "" tiny_run 1 short 5 --lr 1e6 --warmup 0
check "the outcome is Diverged" grep -q '"kind":"Diverged"' short/outcome.json
ends_with 93 "the same stopped before its end" "" tiny_run 1 stopped 50 --lr 1e6 --warmup 0 --stop-after 3 --save-every 100
ends_with 93 "one step after which the weights are infinite" "" tiny_run 1 one 1 --lr 3e38 --weight-decay 1000 --warmup 0 --clip 1
check "nothing was committed by any" equal "$(committed short)$(committed stopped)$(committed one)" 000

# Weights that are not finite, made of good ones, as programs before this one committed them.
tiny_run 1 run 4 || exit 1
"$facemae" recognize --store faces --run net --steps 2 --batch 8 --threads 1 --log-level warn >net.log 2>&1 || exit 1
spoil() { # spoil IN OUT: the last float becomes NaN
  python3 - "$1" "$2" <<'python'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[-4:] = b"\0\0\xc0\x7f"
open(sys.argv[2], "wb").write(data)
python
}
for weights in run net; do
  "$facemae" export --from $weights --out $weights.st --log-level warn || exit 1
  spoil $weights.st $weights-nan.st
done
cp "$PICTURE" face.jpg && mkdir faces-plain && cp face.jpg faces-plain/a.jpg && cp face.jpg faces-plain/b.jpg
printf 'a.jpg b.jpg 1\na.jpg b.jpg 0\n' >pairs.txt
refused() { ends_with 65 "$1 refuses weights that are not finite" "not finite" "$facemae" "${@:2}"; }
refused export export --from run-nan.st --out x.st
refused import import --weights net-nan.st --network iresnet-tiny --out x.st
refused show show face.jpg --from run-nan.st --out x.png
refused reconstruct reconstruct --store faces --from run-nan.st --out x --private y
refused embed embed --from net-nan.st --images faces-plain --out x.npy
refused evaluate evaluate --from net-nan.st --images faces-plain --pairs pairs.txt
refused "pretrain --init" pretrain --store faces --run x --steps 1 --batch 6 --model tiny --patch 28 --threads 1 --init run-nan.st
refused "pretrain --embedder" pretrain --store faces --run x --steps 1 --batch 6 --model tiny --patch 28 --threads 1 --embedder net-nan.st
refused "recognize --init" recognize --store faces --run x --steps 1 --batch 8 --threads 1 --init net-nan.st
"$facemae" reconstruct --store faces --from run --out rebuilt --private private --log-level warn >/dev/null || exit 1
refused "audit --embedder" audit --real faces --released rebuilt --link private --report report --embedder net-nan.st

# Finite weights may be useless, too: the same grey whatever is seen.
python3 - run.st flat.st <<'python'
import json, sys
data = bytearray(open(sys.argv[1], "rb").read())
length = int.from_bytes(data[:8], "little")
for name, entry in json.loads(data[8:8 + length]).items():
    if name.startswith("decoder_pred"):
        first, last = entry["data_offsets"]
        data[8 + length + first:8 + length + last] = bytes(last - first)
open(sys.argv[2], "wb").write(data)
python
ends_with 65 "a release of pictures of one colour is refused" "of one colour" "$facemae" reconstruct --store faces --from flat.st --out grey --private grey-private
check "before it begins" test ! -e grey -a ! -e grey-private
finish
