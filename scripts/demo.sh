#!/usr/bin/env bash
# The whole pipeline on this machine: faces in, a measured release out. Installs what is missing and builds first.
#
# usage: scripts/demo.sh [option...]
#
#   faces -> store split -> pretrain FaceMAE on two ranks -> rebuild unseen people, one by one (plain) and in groups of
#   up to twenty (people blend) -> train recognition on real faces and on both releases -> verify all on held-out people ->
#   audit how surely attackers name a person by each release
#
# The result is build/demo/plain.html, build/demo/blend.html and a closing table: utility beside leakage, as measured in
# this run. Two releases of the same people serve to compare them; publish one at most.
#
# options
#   --quick       about three minutes on two cores, and NOT meaningful: it only shows that everything runs
#   --faces DIR   real faces, DIR/<identity>/<image>.jpg, aligned to 112 x 112, instead of synthetic ones
#   --out DIR     folder for everything that is made (default build/demo); emptied first
#   --no-setup    does not call scripts/setup.sh
#   -h, --help    this text
#
# Synthetic faces are procedural drawings: figures measured on them say nothing about people.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

quick=no faces= out=$root/build/demo setup=() 
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --faces) once "$1"; faces=$(realpath "${2:?--faces needs a folder}"); shift ;;
    --out) once "$1"; out=$(realpath -m "${2:?--out needs a folder}"); shift ;;
    --no-setup) setup=(--no-setup) ;;
    -h | --help) usage; exit 0 ;;
    *) say "demo.sh: unknown option $1; scripts/demo.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done
if [ -e "$out" ] && [ ! -e "$out/.facemae-demo" ] && [ -n "$(ls -A "$out")" ]; then
  fail "$out exists and was not made by this script: choose another --out"
fi

"$root/scripts/build.sh" "${setup[@]}"
facemae=$root/build/release/facemae
rm -rf "$out" && mkdir -p "$out" && touch "$out/.facemae-demo"
cd "$out"

# Two ranks on one host, as root or not, also where only one core is left.
. "$root/scripts/ranks.sh"

# Lengths. Each stage prints its own rate and time left.
if [ $quick = yes ]; then
  learnt=40 tested=20 unseen=80 mae_steps=80 recognition_steps=50 pairs=600 label="quick: not meaningful"
else
  learnt=120 tested=60 unseen=400 mae_steps=500 recognition_steps=300 pairs=2000 label="a few minutes of training"
fi

started=$SECONDS stage_names=() stage_times=()
stage() { # stage NAME COMMAND...
  local name=$1 start=$SECONDS
  shift
  say
  say "== $name  (at $((start - started)) s)"
  "$@"
  stage_names+=("$name") stage_times+=($((SECONDS - start)))
}

# Three sets of people who share nobody: train teaches FaceMAE, unseen is rebuilt, held-out tests recognition.
make_faces() {
  if [ -n "$faces" ]; then
    "$facemae" pack --from folder --in "$faces" --out all
    "$facemae" store split all --identities 0.2 --seed 1 --out held-out rest
    "$facemae" store split rest --identities 0.5 --seed 2 --out train unseen
  else
    "$facemae" synth --out train --identities "$learnt" --images-per-identity 16
    "$facemae" synth --out held-out --first-identity "$learnt" --identities "$tested" --images-per-identity 16
    "$facemae" synth --out unseen --first-identity $((learnt + tested)) --identities "$unseen" --images-per-identity 8
  fi
  "$facemae" pairs --store held-out --out pairs.txt --pairs "$pairs"
}
pretrain() {
  on_ranks 2 "$facemae" pretrain --store train --run facemae --steps "$mae_steps" --batch 64 --model tiny --patch 16 --lr 1e-3 \
    --embedder-width 32 --relation-weight auto:0.3 --threads 1 --save-every $((mae_steps / 2)) "$@"
}
rebuild() { # rebuild NAME [option...]: a release with a private folder of its own
  on_ranks 2 "$facemae" reconstruct --store unseen --from facemae --out "$1" --private "secret-$1" --shard-images 512 "${@:2}"
}
recognition() { # recognition STORE RUN
  on_ranks 2 "$facemae" recognize --store "$1" --run "$2" --steps "$recognition_steps" --batch 64 --network iresnet-tiny \
    --margin cosface --margin-m 0.2 --lr 0.05 --threads 1 --save-every "$recognition_steps"
}
verify() { # verify ARM: the recogniser that was trained on it, on real faces of other people
  on_ranks 2 "$facemae" evaluate --from "recognition-$1" --store held-out --pairs pairs.txt --json "$1.json"
}
audit() { # audit NAME
  "$facemae" audit --real unseen --released "$1" --link "secret-$1" --embedder recognition-real \
    --recogniser "recognition-$1" --distractors held-out --report "audit-$1" \
    --utility real=real.json $(for arm in "${arms[@]}"; do echo "$arm=$arm.json"; done) --note "$label, $1"
  cp "audit-$1/report.html" "$1.html"
}

arms=(plain)
stage "faces" make_faces
stage "pretrain FaceMAE" pretrain
stage "rebuild people one by one" rebuild plain
# The larger a group, the lower the odds of naming one of its people (at most 1 in K); but recognition needs groups, too.
people=$("$facemae" store list unseen --min-images-per-identity 4 | wc -l)
group=0
for k in 4 8 20; do [ "$people" -lt $((k * 20)) ] || group=$k; done
if [ $group -gt 0 ]; then
  arms+=(blend)
  stage "blend people, $group a class" rebuild blend --blend people:$group --blend-images $((group == 20 ? 40 : 16))
else
  say "No people blend: it needs 80 people with 4 photos at least among the unseen ones, and there are $people."
fi
stage "recognition on real faces" recognition unseen recognition-real
stage "verify: trained on real" verify real
for arm in "${arms[@]}"; do
  stage "recognition on $arm" recognition "$arm" "recognition-$arm"
  stage "verify: trained on $arm" verify "$arm"
done
for arm in "${arms[@]}"; do stage "audit of $arm" audit "$arm"; done

# What each way gives and what it gives away.
summary() {
  python3 - $group real "${arms[@]}" <<'PYTHON'
import json, sys

def percent(figure):
    return f"{100 * figure['value']:5.1f} % (95 % {100 * figure['low']:.1f} to {100 * figure['high']:.1f})"

print(f"{'recognition trained on':<24}{'accuracy on real faces':<26}{'odds of naming a person':<32}by the strongest attacker")
for arm in sys.argv[2:]:
    test = json.load(open(f"{arm}.json"))["sets"][0]
    accuracy = f"{100 * test['accuracy']:.1f} % +- {100 * test['accuracy_std']:.1f}"
    odds, attacker = "the faces themselves", ""
    if arm != "real":
        worst = json.load(open(f"audit-{arm}/report.json"))["headline"]
        odds = percent(worst["naming_odds"])
        attacker = f"{worst['attack']} {worst['attacker']} ({worst['level'].replace('_', ' ')})"
    name = {"real": "real faces", "plain": "rebuilt, one by one", "blend": f"people blend of {sys.argv[1]}"}[arm]
    print(f"{name:<24}{accuracy:<26}{odds:<32}{attacker}")
PYTHON
}

say
for i in "${!stage_names[@]}"; do printf '%-30s %5d s\n' "${stage_names[$i]}" "${stage_times[$i]}"; done
printf '%-30s %5d s\n' "all stages" $((SECONDS - started))
[ $quick = no ] || say "QUICK: these figures are NOT meaningful; leave --quick away."
[ -n "$faces" ] || say "Procedural faces: these figures say nothing about people."
say
summary
say
for arm in "${arms[@]}"; do say "report: $out/$arm.html"; done
say "pictures: $out/facemae/samples/"
