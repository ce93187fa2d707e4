#!/usr/bin/env bash
# SIGKILL at every named point of saving, retention and loading: the same command then ends in the bits of a run that
# nobody disturbed. Some points on some ranks of 3; with FACEMAE_FULL set all of them, on every rank that passes them.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 4 --images-per-identity 6 --log-level warn 2>/dev/null || exit 1
train() { tiny_run 3 "$1" 14 --save-every 3 --keep 2; }
train calm || { cat calm.log; exit 1; }

# Points that every rank passes, and those of rank 0. #n: at the n-th time, so that there is something to lose.
if [ -z "${FACEMAE_FULL:-}" ]; then
  points="save.shard.leaf@2#50 save.shard.synced@0#3 save.history.synced@0#2 save.committed@0#3
    retention.retired@0 load.read@1"
else
  points=
  for rank in 0 1 2; do
    for point in save.copied#1 save.copied#3 save.folder.made#2 save.shard.created#2 save.shard.leaf#20 save.shard.leaf#50 \
      save.shard.synced#1 save.shard.synced#3 load.begin load.read; do
      points+=" ${point%%#*}@$rank$(grep -o '#.*' <<<"$point")"
    done
  done
  for point in save.manifest.synced save.history.synced save.folders.synced save.committed save.stamped; do
    points+=" $point@0#1 $point@0#3"
  done
  points+=" retention.retired@0 retention.file.removed@0#1 retention.file.removed@0#2"
fi

equal_runs() { "$facemae" checkpoint diff "$1" "$2" --log-level warn >diff.txt 2>&1 || { tail -3 diff.txt; false; }; }
for point in $points; do
  rm -rf killed killed.log
  case $point in load.*) tiny_run 3 killed 14 --save-every 3 --keep 2 --stop-after 5 ;; esac
  FACEMAE_FAILPOINT="$point=kill" train killed
  if ! grep -q "failpoint" killed.log; then
    miss "$point was not passed"
    continue
  fi
  train killed
  check "killed at $point: ends" equal "$?" 0
  check "killed at $point: the same bits" equal_runs killed calm
done
finish
