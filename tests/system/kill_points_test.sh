#!/usr/bin/env bash
# SIGKILL at every named point of saving, retention and loading: the same command then ends in the bits of a run that
# nobody disturbed. Each point on one rank of 3; with FACEMAE_FULL set on every rank that passes it.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 4 --images-per-identity 6 --log-level warn 2>/dev/null || exit 1
train() { tiny_run 3 "$1" 14 --save-every 3 --keep 2; }
train calm || { cat calm.log; exit 1; }

# Points that every rank passes, and those of rank 0. #n: at the n-th time, so that there is something to lose.
everywhere="save.copied#2 save.folder.made#2 save.shard.created#2 save.shard.leaf#50 save.shard.synced#1 save.shard.synced#3
  load.begin load.read"
root="save.manifest.synced#1 save.manifest.synced#3 save.history.synced#2 save.folders.synced#1 save.folders.synced#3
  save.committed#1 save.committed#3 save.stamped#2 retention.retired retention.file.removed"
points=() turn=0
for point in $everywhere; do
  ranks="$((turn++ % 3))"
  [ -z "${FACEMAE_FULL:-}" ] || ranks="0 1 2"
  for rank in $ranks; do points+=("${point%%#*}@$rank$(grep -o '#.*' <<<"$point")"); done
done
for point in $root; do points+=("${point%%#*}@0$(grep -o '#.*' <<<"$point")"); done

equal_runs() { "$facemae" checkpoint diff "$1" "$2" --log-level warn >diff.txt 2>&1 || { tail -3 diff.txt; false; }; }
for point in "${points[@]}"; do
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
