#!/usr/bin/env bash
# The same pairs as rows of a store, as files below a folder and as an InsightFace pack give the same figures, on one
# rank and on two; their embeddings are the same numbers.
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
with open("rows.txt", "w") as out:
    out.writelines(f"{path}\t{row}\n" for row, path in paths.items())
python

evaluate() { # evaluate RANKS NAME OPTION...
  local n=$1 name=$2
  shift 2
  ranks "$n" evaluate --from net --folds 4 $quiet --json "$name.json" "$@" >"$name.log" 2>&1 || cat "$name.log"
}
figures() { grep -vE '"(set|from)"' "$1.json"; }
evaluate 1 rows --config <(printf 'store = faces\n') --pairs <(cat pairs.txt) # both may be pipes
evaluate 1 files --images folder --pairs files.txt
evaluate 1 bin --bin pairs.bin
evaluate 2 both --bin pairs.bin --bin pairs.bin
check "there are figures" grep -q '"accuracy": 0\.[0-9]' rows.json
check "files give the figures of rows" equal "$(figures files)" "$(figures rows)"
check "so does a pack" equal "$(figures bin)" "$(figures rows)"
check "two packs at once, on two ranks, give each its figures" equal "$(grep -c "$(grep '"auc"' rows.json)" both.json)" 2

"$facemae" embed --from net --bin pairs.bin --out bin.npy $quiet 2>/dev/null
ranks 2 embed --from net --bin pairs.bin --out bin2.npy $quiet 2>/dev/null
check "a pack is embedded alike on one rank and on two" close_arrays bin.npy bin2.npy
"$facemae" embed --from net --store faces --out rows.npy $quiet 2>/dev/null
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
finish
