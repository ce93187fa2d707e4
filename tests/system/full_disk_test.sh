#!/usr/bin/env bash
# A disk that fills up during saves: told, survived for a while, ended in order; with space again the run goes on.
. "$(dirname "$0")/lib.sh"
if ! { [ "$(id -u)" = 0 ] && mkdir disk && mount -t tmpfs -o size=9m none disk 2>/dev/null; }; then
  echo "SKIP: a disk that fills up needs root and tmpfs"
  exit 77
fi
trap 'umount "$work/disk"; rm -rf "$work"' EXIT
"$facemae" synth --out faces --identities 4 --images-per-identity 5 --log-level warn 2>/dev/null || exit 1
train() {
  "$facemae" pretrain --store faces --run disk/run --steps 40 --batch 4 --patch 28 --embedder-size 16 \
    --embedder-width 4 --threads 1 --log-level warn --save-every 1 --keep 2
}
train >full.log 2>&1
code=$?
check "the failed saves are told" grep -qiE 'no space|failed' full.log
check "it ends in 93 after several, or 75 (it is $code)" test "$code" = 93 -o "$code" = 75
mount -o remount,size=200m disk
train >more.log 2>&1
check "with space again the same command ends well" equal "$?" 0
finish
