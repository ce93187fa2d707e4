#!/usr/bin/env bash
# The same pairs as rows of a store, as files below a folder and as an InsightFace pack give the same figures, on one
# rank and on two; their embeddings are the same numbers. Sets that cannot be used are told before training, and do not
# end a run that has begun.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "SKIP: no python3, which writes the pack"; exit 77; }
quiet="--log-level warn"
"$facemae" synth --out faces --identities 8 --images-per-identity 4 $quiet 2>/dev/null || exit 1
"$facemae" recognize --store faces --run net --steps 4 --batch 8 --margin cosface --lr 0.05 --threads 1 $quiet 2>net.log ||
  { cat net.log; exit 1; }
"$facemae" pairs --store faces --out pairs.txt --folds 4 --pairs 48 $quiet
"$facemae" unpack --store faces --to tar --out faces.tar $quiet 2>/dev/null # <identity>/<row>.jpg
mkdir folder && tar xf faces.tar -C folder
python3 - <<'python' || exit 1
import glob, os, pickle
paths = {int(os.path.basename(p)[:-4]): os.path.relpath(p, "folder") for p in glob.glob("folder/*/*.jpg")}
pairs = [tuple(map(int, line.split())) for line in open("pairs.txt") if not line.startswith("#")]
with open("files.txt", "w") as out:
    out.writelines(f"{paths[a]} {paths[b]} {same}\n" for a, b, same in pairs)
images = [open(os.path.join("folder", paths[row]), "rb").read() for a, b, _ in pairs for row in (a, b)]
with open("pairs.bin", "wb") as out:
    pickle.dump((images, [bool(same) for _, _, same in pairs]), out)
with open("pairs, again.bin", "wb") as out:
    pickle.dump(([bytearray(image) for image in images], [same for _, _, same in pairs]), out, 0)
with open("corrupt.bin", "wb") as out:
    pickle.dump((images[:5] + [images[5][:200]] + images[6:], [bool(same) for _, _, same in pairs]), out)
with open("few.bin", "wb") as out:
    pickle.dump((images[:4], [True, False]), out)
with open("pairs.csv", "w") as out:
    out.writelines(["same,path1,path2\r\n"] + [f"{same},{paths[a]},\"{paths[b]}\"\r\n" for a, b, same in pairs])
with open("rows.txt", "w") as out:
    out.writelines(f"{path}\t{row}\n" for row, path in paths.items())
python

evaluate() { # evaluate RANKS NAME OPTION...
  local n=$1 name=$2
  shift 2
  ranks "$n" evaluate --from net --folds 4 $quiet --json "$name.json" "$@" >"$name.log" 2>&1 || cat "$name.log"
}
figures() { grep -vE '"(set|from|xnorm)"' "$1.json"; } # a pack has its images once for each pair: another mean norm
evaluate 1 rows --config <(printf 'store = faces\n') --pairs <(cat pairs.txt) # both may be pipes
evaluate 1 files --images folder --pairs files.txt
evaluate 1 bin --bin pairs.bin
evaluate 1 csv --images folder --pairs pairs.csv
evaluate 2 both --bin pairs.bin --bin "pairs, again.bin" --csv both.csv --scores scores.csv --roc roc.csv
points="38.2946,51.6963,73.5318,51.5014,56.0252,71.7366,41.5493,92.3655,70.7299,92.2041"
cut -f1 rows.txt | sed "s#\$#,$points#" >points.csv
cut -f1 rows.txt | sed "s#\$#,${points/38.2946,51.6963/30,60}#" >other_points.csv
evaluate 1 aligned --images folder --pairs files.txt --landmarks points.csv --embeddings kept.npy
evaluate 1 moved --images folder --pairs files.txt --landmarks other_points.csv
check "there are figures" grep -q '"accuracy": 0\.[0-9]' rows.json
check "files give the figures of rows" equal "$(figures files)" "$(figures rows)"
check "and so does a table with a heading" equal "$(figures csv)" "$(figures rows)"
check "points in their places change nothing" equal "$(figures aligned)" "$(figures rows)"
check "others do" bash -c '! cmp -s aligned.json moved.json'
"$facemae" evaluate --folds 4 --images folder --pairs files.txt --landmarks points.csv --embeddings kept.npy $quiet --json kept.json >kept.log 2>&1
check "kept embeddings give the figures without the network" equal "$(figures kept)" "$(figures rows)"
ends_with 65 "but not those of other landmarks" 'of other images, or of other landmarks' "$facemae" evaluate --folds 4 --images folder --pairs files.txt --landmarks other_points.csv --embeddings kept.npy
check "the mean norm is told" grep -qE 'TAR [0-9.]+ % at FAR 10 %, norm [0-9]' rows.log
check "so does a pack" equal "$(figures bin)" "$(figures rows)"
check "two packs at once, on two ranks, give each its figures" equal "$(grep -c "$(grep '"auc"' rows.json)" both.json)" 2
check "the tables are CSV, and scores give the accuracy" python3 - <<'python'
import csv, json
sets = list(csv.DictReader(open("both.csv")))
assert [row["set"] for row in sets] == ["pairs.bin", "pairs, again.bin"], sets
want = json.load(open("both.json"))["sets"][1]
assert float(sets[1]["threshold"]) == want["threshold"] and float(sets[1]["xnorm"]) == want["xnorm"]
assert float(sets[1]["tar_at_far_0.1"]) == want["tar_at_far"][0]["tar"]
assert len(want["tar_at_far"]) == 1 and sets[1]["tar_at_far_0.01"] == "", "24 impostors tell nothing of a rate of 1 in 100"
assert len(want["thresholds"]) == 4 and abs(sum(want["thresholds"]) / 4 - want["threshold"]) < 1e-9
scores = [row for row in csv.DictReader(open("scores.csv")) if row["set"] == "pairs, again.bin"]
assert len(scores) == 48 and scores[3]["first"] == "image 6 of pair 3 (from 0)"
same = [float(row["distance"]) for row in scores if row["same"] == "1"]
other = [float(row["distance"]) for row in scores if row["same"] == "0"]
auc = sum((a < b) + (a == b) / 2 for a in same for b in other) / len(same) / len(other)
assert abs(auc - want["auc"]) < 1e-9, (auc, want["auc"])
curve = [row for row in csv.DictReader(open("roc.csv")) if row["set"] == "pairs, again.bin"]
for point in curve:
    limit = float(point["threshold"])
    assert float(point["tar"]) == sum(d <= limit for d in same) / 24 and float(point["far"]) == sum(d <= limit for d in other) / 24, point
assert float(curve[-1]["tar"]) == 1
python

train() { # train RANKS RUN OPTION...
  local n=$1 run=$2
  shift 2
  ranks "$n" recognize --store faces --run "$run" --steps 6 --batch 8 --margin cosface --threads 1 --log-every 1 --eval-every 2 $quiet "$@"
}
ends_with 65 "sets that cannot be used are told before training" 'corrupt.bin cannot measure.* image 5 of pair 2' \
  train 2 refused --eval corrupt.bin few.bin pairs.bin
check "all of them" grep -q 'few.bin has 2 pairs, too few' said
check "and nothing is written" test ! -e refused
ends_with 2 "images that are not there, too" 'images that pairs.csv names are not below .* and [0-9]+ more' train 1 refused --eval pairs.csv --eval-images .
cp pairs.bin later.bin
train 1 later --eval later.bin --stop-after 2 2>later.log
rm later.bin
ends_with 0 "a run that has begun goes on without a set that is gone" 'training goes on without' train 2 later --eval later.bin pairs.bin
check "and notes that it was not measured" equal "$(grep -c failure later/evaluations.jsonl) $(grep -c accuracy later/evaluations.jsonl)" "2 3"
check "what was measured has rates and the mean norm" grep -q '"xnorm":[0-9.]*,"tar_at_far_0.1":' later/evaluations.jsonl
check "and counts it" grep -q '"failed_evaluations":1' later/metrics.jsonl

"$facemae" embed --from net --bin pairs.bin --out bin.npy $quiet 2>/dev/null
for n in 2 3; do ranks $n embed --from net --bin pairs.bin --out bin$n.npy $quiet 2>/dev/null; done
check "a pack, of two batches, is embedded alike on one to three ranks" bash -c 'cmp bin.npy bin2.npy && cmp bin.npy bin3.npy'
"$facemae" embed --from net --bin pairs.bin --out /dev/stdout $quiet 2>/dev/null | cmp - bin.npy
check "one process may write into a pipe" equal "${PIPESTATUS[1]}" 0
ends_with 0 "or into two, or none" '' "$facemae" embed --from net --bin pairs.bin --out >(cat >piped.npy) --names /dev/null $quiet
ends_with 2 "several ranks are told that they may not" 'is a pipe or a device' ranks 2 embed --from net --bin pairs.bin --out /dev/stdout
ends_with 2 "--names is another file than --out" 'the same file' "$facemae" embed --from net --bin pairs.bin --out same --names ./same
mkdir disk
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=120k none disk 2>/dev/null; then
  trap 'umount "$work/disk"; rm -rf "$work"' EXIT
  ends_with 1 "a full disk is told" 'No space left' ranks 2 embed --from net --bin pairs.bin --out disk/e.npy $quiet
  check "and nothing is left on it" equal "$(ls -A disk)" ""
fi
"$facemae" embed --from net --store faces --out rows.npy --names rows.tsv $quiet 2>/dev/null
check "names of a store are rows, labels and identities" diff rows.tsv <("$facemae" store list faces --images 2>/dev/null | cut -f1-3)
ranks 2 embed --from net --images folder --out files.npy --names names.txt $quiet 2>/dev/null
check "files are embedded like rows, and named in order" python3 - <<'python'
import array, os
def rows(path):
    data = open(path, "rb").read()
    values = array.array("f", data[10 + int.from_bytes(data[8:10], "little"):])
    return [values[i:i + 512] for i in range(0, len(values), 512)]
def close(a, b):
    return max(abs(x - y) for x, y in zip(a, b)) < 1e-5
row_of = dict(line.rstrip("\n").split("\t") for line in open("rows.txt"))
names = [os.path.relpath(line.strip(), "folder") for line in open("names.txt")]
by_row, by_file = rows("rows.npy"), rows("files.npy")
assert len(names) == len(by_file) == len(by_row) == 32
assert all(close(by_file[i], by_row[int(row_of[name])]) for i, name in enumerate(names))
assert not close(by_row[0], by_row[1])
python
"$facemae" embed --from net --store faces --out bgr.npy --bgr $quiet 2>/dev/null
"$facemae" embed --from net --store faces --out once.npy --no-flip $quiet 2>/dev/null
check "--bgr and --no-flip change them" bash -c '! cmp -s bgr.npy rows.npy && ! cmp -s once.npy rows.npy'
"$facemae" export --from net --to pt --out net.pt $quiet && "$facemae" import --weights net.pt --network iresnet-tiny --bgr --out net-bgr.safetensors $quiet
"$facemae" embed --from net-bgr.safetensors --store faces --out said.npy $quiet 2>/dev/null
check "and a file that says so needs no --bgr, by way of PyTorch's format" close_arrays said.npy bgr.npy
"$facemae" embed --from net-bgr.safetensors --store faces --out twice.npy --bgr $quiet 2>/dev/null
check "nor is it turned twice" cmp -s twice.npy said.npy
finish
