#!/usr/bin/env bash
# Makes the files of this folder that compat_test.sh reads: a store, a release and two runs stopped at half, as a given
# program writes them, and what it says of them. They are kept so that later programs are seen to read them.
#
# usage: tests/compat/make.sh PROGRAM
#
# Faces are synthetic, of 16 pixels enlarged to 112, and weights begin nearly all 0 (sparse.py), so that all is small.
# The program notes the name of the host and where a release lies: it is run in /tmp/compat, which must not exist, on a
# host that calls itself `host` (unshare --uts). Files of an older program are worth more than fresh ones: run this
# only when a format has changed on purpose.
set -euo pipefail
if [ $# = 1 ] && { [ "$1" = -h ] || [ "$1" = --help ]; }; then
  awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
  exit 0
fi
if [ $# != 1 ] || [ ! -x "$1" ]; then echo "make.sh: PROGRAM is needed; tests/compat/make.sh --help tells more" >&2; exit 2; fi
compat=$(cd "$(dirname "$0")" && pwd)
facemae=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
if [ "$(uname -n)" != host ]; then
  exec unshare --uts --map-root-user bash -c 'hostname host && exec bash "$0" "$1"' "$compat/make.sh" "$facemae"
fi
. "$compat/facts.sh"
umask 022
mkdir /tmp/compat
trap 'rm -rf /tmp/compat' EXIT
cd /tmp/compat
export OMP_NUM_THREADS=1
. "$compat/../../scripts/ranks.sh"
stopped() { # stopped COMMAND...: ends in 76
  local code=0
  "$@" || code=$?
  [ $code = 76 ]
}
run() { "$facemae" "$@" --log-level warn; }

run synth --out drawn --identities 4 --images-per-identity 3
run unpack --store drawn --to folder --out drawn-folder
run pack --in drawn-folder --out small --image-size 16 --resize
run unpack --store small --to folder --out small-folder
run pack --in small-folder --out faces --resize
run store split faces --identities 0.5 --seed 1 --out seen unseen
run pairs --store faces --out pairs.txt --folds 2 --pairs 16

# Random weights give the names and shapes; sparse.py puts few numbers in their place.
run pretrain --store seen --run mae --steps 1 --batch 5 --model tiny --patch 8 --embedder-size 16 --embedder-width 4
run recognize --store faces --run net --steps 1 --batch 6
for name in mae net; do
  run export --from $name --out $name.safetensors
  python3 "$compat/sparse.py" $name.safetensors $name.first.safetensors
  rm -r $name
done
stopped "$facemae" "${mae_command[@]}" --stop-after 4
stopped on_ranks 2 "$facemae" "${net_command[@]}" --stop-after 4
run reconstruct --store unseen --from mae --out release --private private

rm -f */events.out.tfevents.* && rm -rf */samples # large, and read by nobody who goes on
pack_up() { # pack_up NAME PATH...
  local name=$1
  shift
  tar -c --owner=0 --group=0 --numeric-owner --sort=name "$@" | xz -9e >"$compat/$name.tar.xz"
}
pack_up store faces seen unseen pairs.txt
pack_up release release private
pack_up mae mae
pack_up net net

recorded=$compat/recorded
rm -rf "$recorded"
facts "$recorded"
"$facemae" "${mae_command[@]}"
"$facemae" "${net_command[@]}"
ended "$recorded" mae
ended "$recorded" net
{ "$facemae" --version | head -1 && processor; } >"$recorded/machine.txt"
du -bc "$compat"/*.tar.xz "$recorded"
