# What make.sh records of the files in this folder and compat_test.sh looks for again. Sourced by bash; needs $facemae
# and $compat (this folder), and runs where store, release and runs were unpacked.
#
#   store.tar.xz     faces: 4 synthetic people, 3 pictures each; seen, unseen: views of two people each; pairs.txt
#   release.tar.xz   release: unseen, as `reconstruct` rebuilt it; private: its key, ledger and link
#   mae.tar.xz       mae: a run of `pretrain`, stopped at half
#   net.tar.xz       net: a run of `recognize --exact` on 2 ranks, with evaluations, stopped at half
#   recorded/        what the program said of them, and what the two runs became when they were ended

mae_command=(pretrain --store seen --run mae --steps 8 --batch 5 --model tiny --patch 8 --lr 1e-2 --embedder-size 16
  --embedder-width 4 --init mae.first.safetensors --threads 1 --save-every 100 --log-every 1 --log-level warn)
net_command=(recognize --store faces --run net --steps 8 --batch 6 --lr 0.02 --class-shards 5 --exact --exact-slots 2
  --eval pairs.txt --eval-store faces --eval-every 2 --init net.first.safetensors --threads 1 --save-every 100
  --log-every 1 --log-level warn)

# weights_of RUN: a hash of what `export` writes, but for the program's version among the metadata.
weights_of() {
  "$facemae" export --from "$1" --out "$1.exported" --log-level warn &&
    python3 - "$1.exported" <<'python'
import hashlib, json, struct, sys
data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8 : 8 + length])
header["__metadata__"].pop("facemae")
print(hashlib.sha256(json.dumps(header, sort_keys=True).encode() + data[8 + length :]).hexdigest())
python
}
made_by() { "$facemae" checkpoint show "$1" | sed -n 's/^made by .*, //p; s/^libtorch */LibTorch /p' | paste -sd' '; }
processor() { sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1; }
tensors_of() { # tensors_of SHOWN.json: name, type, shape
  python3 - "$1" <<'python'
import json, sys
for name, tensor in json.load(open(sys.argv[1]))["tensors"].items():
    print(name, tensor["dtype"], "x".join(map(str, tensor["shape"])), "by class" if tensor["by_class"] else "")
python
}
without_tensors() {
  python3 - "$1" <<'python'
import json, sys
print(json.dumps({k: v for k, v in json.load(open(sys.argv[1])).items() if k != "tensors"}, indent=1))
python
}
# attacks_of REPORT.json: the ranks that the attackers of an audit reached.
attacks_of() {
  python3 - "$1" <<'python'
import json, sys
for attack in json.load(open(sys.argv[1]))["attacks"]:
    if attack["attacker"] == "pixel 7x7":
        continue  # newer than the files
    for side in ("ceiling", "released"):
        for kind, x in (attack.get(side) or {}).items():
            if kind.startswith("same_"):
                figures = [x["probes"], x["people"], x["chance_rank1"], x["rank1"]["value"], x["rank5"]["value"]]
                print(attack["attacker"], attack["control"], side, kind, *(f"{y:.6g}" for y in figures), sep="|")
python
}
hashes_of() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k2); }

# facts INTO: of the unpacked pieces, before a run goes on.
facts() {
  local into=$1 name
  mkdir -p "$into"
  for name in faces seen unseen release; do
    "$facemae" store info "$name" --json "$into/$name.json" --log-level warn >/dev/null || return 1
  done
  for name in faces release; do
    "$facemae" unpack --store "$name" --to folder --out "pictures-$name" --log-level warn >/dev/null 2>&1 || return 1
    hashes_of "pictures-$name" >"$into/$name.pictures.txt"
  done
  "$facemae" audit --real unseen --released release --link private --report report --attacks quick --pictures none --log-level warn >/dev/null &&
    attacks_of report/report.json >"$into/attacks.txt" || return 1
  for name in mae net; do
    "$facemae" checkpoint show "$name" --json shown.json >/dev/null || return 1
    tensors_of shown.json >"$into/$name.tensors.txt"
    without_tensors shown.json >"$into/$name.checkpoint.json"
    weights_of "$name" >"$into/$name.weights.txt" || return 1
  done
}
# ended INTO RUN: what a run left at its end.
ended() {
  mkdir -p "$1/$2"
  cp "$2"/{config.txt,metrics.jsonl,evaluations.jsonl,outcome.json,checkpoints/HISTORY} "$1/$2" || return 1
  made_by "$2" >"$1/$2/made_by.txt"
}
