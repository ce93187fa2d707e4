#!/usr/bin/env bash
# Bundles in bare Debian 12 and 13, where only LibTorch is: two ranks train under the carried MPI and under the site's, from
# two places; Debian 11 has an older glibc and is told so.
# shellcheck disable=SC1091,SC2015,SC2016
set -uo pipefail
source=${FACEMAE_SOURCE:?} build=${BUILD:?} torch=${TORCH_DIR:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf --one-file-system "$work"' EXIT
faults=0
miss() { echo "FAILED: $1"; tail -c 2000 "$work/said"; echo; faults=$((faults + 1)); }
skip() { echo "SKIP: $*"; exit 77; }
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then skip "needs root and debootstrap"; fi
command -v patchelf >/dev/null || skip "no patchelf here"
[ -e "$torch/version.py" ] || skip "LibTorch is not of a wheel"
. "$(dirname "$0")/bare_root.sh"

"$source/scripts/bundle.sh" --no-build --build "$build" --out "$work/site" >"$work/said" 2>&1 || miss "a bundle is made"
"$source/scripts/bundle.sh" --no-build --build "$build" --with-mpi --out "$work/carried" >"$work/said" 2>&1 || miss "one with MPI is made"
export BIND=${torch%/torch}:/opt/wheels

# trains SUITE BUNDLE MPIRUN: faces, three steps of FaceMAE on two ranks, the doctor
trains() {
  in_root "$1" bash -euc 'cd "$(mktemp -d)"; bundle=$1 mpirun=$2
    "$bundle/bin/facemae" --link-torch /opt/wheels/torch
    "$bundle/bin/facemae" synth --out train --identities 20 --images-per-identity 4
    on_ranks() { "$mpirun" --bind-to none --oversubscribe -n 2 "$bundle/bin/facemae" "$@"; }
    on_ranks pretrain --store train --run facemae --steps 3 --batch 16 --model tiny --patch 16 --threads 1
    on_ranks doctor --quick
    tail -1 facemae/metrics.jsonl | grep -o "\"loss\":[0-9.]*"' trains "$2" "$3" >"$work/said" 2>&1 || miss "$1: $2 trains on two ranks"
  tail -1 "$work/said" >>"$work/losses"
}
for suite in bookworm trixie; do
  bare_root $suite || skip "no bare $suite can be had: $(tail -1 "$work/said")"
  mkdir -p "$work/$suite/opt/first" "$work/$suite/opt/a second place"
  cp -a "$work/carried" "$work/$suite/opt/first/facemae"
  cp -a "$work/site" "$work/$suite/opt/site"
  trains $suite /opt/first/facemae /opt/first/facemae/bin/mpirun
  mv "$work/$suite/opt/first/facemae" "$work/$suite/opt/a second place/"
  trains $suite "/opt/a second place/facemae" "/opt/a second place/facemae/bin/mpirun"
  in_root $suite env TORCH_DIR=/opt/wheels/torch /opt/site/bin/facemae --version >"$work/said" 2>&1
  [ $? = 2 ] && grep -q 'libmpi.so.40 is not found' "$work/said" || miss "$suite: the lack of an MPI is told"
  in_root $suite sh -c 'apt-get update && apt-get install -y --no-install-recommends openmpi-bin' </dev/null >"$work/said" 2>&1 || miss "$suite: Open MPI is there"
  trains $suite /opt/site mpirun
done
[ "$(sort -u "$work/losses" | wc -l)" = 1 ] || { cp "$work/losses" "$work/said"; miss "all of them compute the same loss"; }
if bare_root bullseye; then
  cp -a "$work/carried" "$work/bullseye/opt/facemae"
  for program in facemae mpirun; do
    in_root bullseye /opt/facemae/bin/$program --version >"$work/said" 2>&1
    [ $? = 2 ] && grep -q 'glibc 2.31, and this bundle runs from 2' "$work/said" || miss "Debian 11's glibc is refused by $program"
  done
else
  echo "no bare Debian 11 can be had: its glibc was not tried"
fi
[ $faults = 0 ] && echo "bundles: all as promised in bare systems, $(sort -u "$work/losses")"
exit $((faults > 0))
