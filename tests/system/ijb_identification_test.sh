#!/usr/bin/env bash
# IJB and identification over folders: figures do not depend on ranks, can be had again from kept embeddings without a
# network, and are those that Python counts; lists and files that do not fit are refused.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "SKIP: no python3, which writes the lists"; exit 77; }
quiet="--log-level warn"
"$facemae" synth --out faces --identities 20 --images-per-identity 15 $quiet 2>/dev/null || exit 1
"$facemae" recognize --store faces --run net --steps 2 --batch 8 --margin cosface --lr 0.05 --threads 1 $quiet 2>net.log ||
  { cat net.log; exit 1; }
"$facemae" unpack --store faces --to tar --out faces.tar $quiet 2>/dev/null # <identity>/<row>.jpg
mkdir folder && tar xf faces.tar -C folder
python3 - <<'python' || exit 1
import glob, os
paths = sorted(glob.glob("folder/*/*.jpg"))
assert len(paths) == 300
os.makedirs("ijb/loose_crop"), os.makedirs("ijb/meta")
template = [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
scores, media = open("ijb/meta/ijbc_name_5pts_score.txt", "w"), open("ijb/meta/ijbc_face_tid_mid.txt", "w")
for i, path in enumerate(paths):
    os.rename(path, f"ijb/loose_crop/{i + 1}.jpg")
    person, photo = divmod(i, 15)
    points = " ".join(f"{x + i % 3} {y - i % 2}" for x, y in template)
    scores.write(f"{i + 1}.jpg {points} {0.5 + i % 7 / 14}\n")
    media.write(f"{i + 1}.jpg {person * 3 + photo % 3 + 10} {photo // 3 // 2}\n")  # media of two faces and of one
with open("ijb/meta/ijbc_template_pair_label.txt", "w") as pairs:
    pairs.writelines(f"{a + 10} {b + 10} {int(a // 3 == b // 3)}\n" for a in range(60) for b in range(a + 1, 60))
for name, templates in (("gallery_G1", range(0, 30, 3)), ("gallery_G2", range(30, 60, 3)), ("probe_mixed", [t for t in range(60) if t % 3])):
    with open(f"ijb/meta/ijbc_1N_{name}.csv", "w") as table:
        table.writelines(["TEMPLATE,SUBJECT\n"] + [f"{t + 10},{t // 3}\n" for t in templates])
# People by names of files, as in TinyFace.
for kind in ("probe", "gallery", "others"):
    os.mkdir(kind)
for i in range(300):
    person, photo = divmod(i, 15)
    kind = "others" if person >= 15 else "probe" if photo < 4 else "gallery"
    os.link(f"ijb/loose_crop/{i + 1}.jpg", f"{kind}/{person}_{photo}.jpg")
python

ijb() { # ijb RANKS NAME OPTION...
  local n=$1 name=$2
  shift 2
  ranks "$n" evaluate --ijb ijb --subset ijbc $quiet --json "$name.json" "$@" >"$name.log" 2>&1 || cat "$name.log"
}
ijb 1 one --from net --embeddings kept.npy --csv one.csv --roc one_roc.csv
check "there are rates and ranks" grep -qE 'FAR 0.001: TAR .*rank 10|rank 1 ' one.log
for n in 2 3; do
  ijb $n ranks$n --from net --embeddings kept$n.npy --roc roc$n.csv
  check "$n ranks give the figures of one" cmp ranks$n.json one.json
  check "and the curve" cmp roc$n.csv one_roc.csv
  check "and the embeddings" cmp kept$n.npy kept.npy
done
figures() { grep -vE '"(from|xnorm)"' "$1.json"; }
ijb 1 again --embeddings kept.npy
check "kept embeddings give them without a network" equal "$(figures again)" "$(figures one)"
ijb 2 again2 --embeddings kept.npy
check "also when several ranks were started" equal "$(figures again2)" "$(figures one)"
for option in --no-face-scores --normalise-faces; do
  ijb 1 variant --embeddings kept.npy $option
  check "$option changes them" bash -c '! cmp -s variant.json again.json'
done
check "Python counts the same" python3 - <<'python'
import array, csv, json, struct
data = open("kept.npy", "rb").read()
values = array.array("f", data[10 + int.from_bytes(data[8:10], "little"):])
width = len(values) // 300
scores = [float(line.split()[-1]) for line in open("ijb/meta/ijbc_name_5pts_score.txt")]
groups = {}
for i, line in enumerate(open("ijb/meta/ijbc_face_tid_mid.txt")):
    _, template, media = line.split()
    groups.setdefault(int(template), {}).setdefault(int(media), []).append(i)
single = lambda x: struct.unpack("f", struct.pack("f", x))[0]
vectors = {}
for template, of_media in groups.items():
    v = [sum(sum(values[i * width + k] * single(scores[i]) for i in faces) / len(faces) for faces in of_media.values())
         for k in range(width)]
    norm = sum(x * x for x in v) ** 0.5
    vectors[template] = [single(x / norm) for x in v]
pairs = [tuple(map(int, line.split())) for line in open("ijb/meta/ijbc_template_pair_label.txt")]
scored = [(single(sum(x * y for x, y in zip(vectors[a], vectors[b]))), same) for a, b, same in pairs]
same = sorted((s for s, label in scored if label), reverse=True)
other = sorted((s for s, label in scored if not label), reverse=True)
found = json.load(open("one.json"))["ijb"]
assert (found["pairs"], found["same"], found["templates"], found["faces"]) == (1770, 60, 60, 300)
assert [at["far"] for at in found["tar_at_far"]] == [0.1, 0.01, 0.001]
row = next(csv.DictReader(open("one.csv")))
for at in found["tar_at_far"]:
    allowed = int(at["far"] * len(other) + 1e-9)
    tar = sum(s > other[allowed] for s in same) / len(same)
    assert at["tar"] == tar == float(row[f"tar_at_far_{at['far']}"]), (at, tar)
assert found["search"]["probes"] == 40 and found["search"]["gallery"] == 20
hits = 0
for probe in (t for t in range(60) if t % 3):
    near = {g: single(sum(x * y for x, y in zip(vectors[probe + 10], vectors[g + 10]))) for g in range(0, 60, 3)}
    hits += all(near[g] < near[probe // 3 * 3] for g in near if g != probe // 3 * 3)
assert found["search"]["rank_1"] == hits / 40 == float(row["rank_1"]), hits
python

folders() { # folders RANKS NAME OPTION...
  local n=$1 name=$2
  shift 2
  ranks "$n" evaluate --probe probe --gallery gallery --identity name $quiet --json "$name.json" "$@" >"$name.log" 2>&1 || cat "$name.log"
}
folders 1 all --from net --distractors others --embeddings people.npy --csv all.csv
folders 2 all2 --from net --distractors others
check "two ranks find whom one finds" cmp all.json all2.json
check "60 probes among 165 faces and 75 distractors" grep -q '60 probes in a gallery of 240, rank 1 ' all.log
folders 1 all3 --distractors others --embeddings people.npy
check "so do kept embeddings" equal "$(figures all3)" "$(figures all)"
check "the table has the ranks" grep -q '^probe,60,240,' all.csv

ends_with 65 "embeddings of other images are refused" 'has 300 embeddings, but there are 225 images' "$facemae" evaluate --probe probe --gallery gallery --identity name --embeddings people.npy
ends_with 65 "or of the same number by what they are of" 'it is of other images' "$facemae" evaluate --ijb ijb --subset ijbc --embeddings people.npy
ends_with 65 "or made otherwise" 'leave out --no-flip' "$facemae" evaluate --ijb ijb --subset ijbc --embeddings kept.npy --no-flip
echo "11 999 0" >>ijb/meta/ijbc_template_pair_label.txt
ends_with 65 "a template without faces is told with its line" 'pair_label.txt, line 1771: template 999' "$facemae" evaluate --ijb ijb --subset ijbc --embeddings kept.npy
ends_with 2 "a set that is not there is told" 'ijbb_name_5pts_score.txt is not there' "$facemae" evaluate --ijb ijb --subset ijbb --embeddings kept.npy
ends_with 2 "protocols do not mix" 'give one of --store' "$facemae" evaluate --from net --ijb ijb --subset ijbc --bin x.bin
ends_with 2 "nor do their options" '--scores is of pairs' "$facemae" evaluate --from net --ijb ijb --subset ijbc --scores x.csv
ends_with 2 "embeddings are kept in a file" 'is a pipe or a device' "$facemae" evaluate --from net --ijb ijb --subset ijbc --embeddings /dev/stdout
finish
