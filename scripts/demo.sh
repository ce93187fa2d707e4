#!/usr/bin/env bash
# The whole pipeline on this machine: faces in, a measured release out. Installs what is missing and builds first.
#
# usage: scripts/demo.sh [option...]
#
#   faces -> store split -> pretrain FaceMAE on two ranks -> rebuild unseen people -> train recognition on the real and
#   on the rebuilt faces -> verify both on held-out people -> audit how well rebuilt faces can be linked to real ones
#
# The result is build/demo/report.html and a closing table: utility beside leakage, as measured in this run.
#
# options
#   --quick       under three minutes on two cores, and NOT meaningful: it only shows that everything runs
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
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
on_ranks() { mpirun --bind-to none --oversubscribe -n 2 "$facemae" "$@"; }

# Lengths. Each stage prints its own rate and time left.
if [ $quick = yes ]; then
  identities=100 images=8 mae_steps=80 recognition_steps=50 pairs=600 label="quick: not meaningful"
else
  identities=300 images=16 mae_steps=500 recognition_steps=220 pairs=2000 label="a few minutes of training"
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

make_faces() {
  if [ -n "$faces" ]; then
    "$facemae" pack --from folder --in "$faces" --out all --source-licence "as the source of the faces"
  else
    "$facemae" synth --out all --identities "$identities" --images-per-identity "$images"
  fi
  # A fifth of the people is held out for verification; the rest is halved: FaceMAE learns from one half and rebuilds
  # the other, which it has never seen.
  "$facemae" store split all --identities 0.2 --seed 1 --out held-out rest
  "$facemae" store split rest --identities 0.5 --seed 2 --out train unseen
  "$facemae" pairs --store held-out --out pairs.txt --pairs "$pairs"
}
pretrain() {
  on_ranks pretrain --store train --run facemae --steps "$mae_steps" --batch 64 --model tiny --patch 16 --lr 1e-3 \
    --embedder-width 32 --relation-weight auto:0.3 --threads 1 --save-every $((mae_steps / 2)) "$@"
}
rebuild() { on_ranks reconstruct --store unseen --from facemae --out rebuilt --private secret --shard-images 512; }
recognition() { # recognition STORE RUN
  on_ranks recognize --store "$1" --run "$2" --steps "$recognition_steps" --batch 64 --network iresnet-tiny \
    --margin cosface --margin-m 0.2 --lr 0.05 --threads 1 --save-every "$recognition_steps"
}
verify() { # verify RUN RESULT
  on_ranks evaluate --from "$1" --store held-out --pairs pairs.txt --json "$2"
}
audit() {
  "$facemae" audit --real unseen --released rebuilt --link secret --embedder recognition-real \
    --recogniser recognition-rebuilt --distractors held-out --report . \
    --utility real=real.json rebuilt=rebuilt.json --note "$label"
}

stage "faces" make_faces
stage "pretrain FaceMAE" pretrain
stage "rebuild unseen people" rebuild
stage "recognition on real faces" recognition unseen recognition-real
stage "recognition on rebuilt faces" recognition rebuilt recognition-rebuilt
stage "verify: trained on real" verify recognition-real real.json
stage "verify: trained on rebuilt" verify recognition-rebuilt rebuilt.json
stage "audit" audit

say
for i in "${!stage_names[@]}"; do printf '%-30s %5d s\n' "${stage_names[$i]}" "${stage_times[$i]}"; done
printf '%-30s %5d s\n' "all stages" $((SECONDS - started))
[ $quick = no ] || say "QUICK: these figures are NOT meaningful; leave --quick away."
[ -n "$faces" ] || say "Procedural faces: these figures say nothing about people."
say "report: $out/report.html"
say "pictures: $out/facemae/samples/"
