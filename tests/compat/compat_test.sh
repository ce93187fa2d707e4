#!/usr/bin/env bash
# Files of an earlier program (make.sh made them, facts.sh lists them): they are read, say the same, and go on.
. "$(dirname "$0")/../system/lib.sh"
compat=$here recorded=$here/recorded
. "$compat/facts.sh"
for piece in store release mae net; do
  check "$piece.tar.xz is whole" python3 -W ignore -m tarfile -e "$compat/$piece.tar.xz" # tar needs an xz beside it
done
same() { python3 "$compat/same.py" "$@"; }
alike() { diff "$recorded/$1" "now/$1"; }

for store in faces unseen release; do
  ends_with 0 "$store: every hash is right" "0 file\(s\) and 0 image\(s\) are bad" "$facemae" store verify $store --log-level warn
done
for run in mae net; do
  ends_with 0 "$run: every hash of its checkpoint is right" "every hash is right" "$facemae" checkpoint verify $run --all --log-level warn
  check "$run: is told to be stopped" grep -q 'stopped (76): --stop-after' <("$facemae" status $run)
done
cp -r private private-before
facts now || miss "the files cannot be read"
for store in faces seen unseen release; do
  check "$store: the same figures and digest" same facts "$recorded/$store.json" now/$store.json
done
for store in faces release; do check "$store: the same pictures of the same people" alike $store.pictures.txt; done
check "the audit of the release finds the same" alike attacks.txt
for run in mae net; do
  check "$run: the checkpoint says the same" same facts "$recorded/$run.checkpoint.json" now/$run.checkpoint.json
  check "$run: of the same tensors" alike $run.tensors.txt
  check "$run: its weights are exported alike" alike $run.weights.txt
done

again() { "$facemae" reconstruct --store unseen --from mae --out again --private private --mask-ratio 0.75 "$@"; }
ends_with 66 "the ledger refuses faces that were released" "6 of its 6 faces are in releases" again
ends_with 0 "and takes a reason" "" again --second-release "a test" --log-level warn
check "the ledger has both releases" equal "$(wc -l <private/ledger.jsonl)" 2
check "and keeps the first as it was" equal "$(head -1 private/ledger.jsonl)" "$(cat private-before/ledger.jsonl)"

# The runs go on: mae on the one rank that it began on, net on one instead of two, which --exact makes the same.
check "mae: goes on to its end" "$facemae" "${mae_command[@]}"
check "net: goes on to its end" "$facemae" "${net_command[@]}"
for run in mae net; do
  ended now $run || miss "$run: left no files"
  check "$run: the same settings in the same order" same config "$recorded/$run/config.txt" now/$run/config.txt
  check "$run: metrics.jsonl with the same keys" same keys "$recorded/$run/metrics.jsonl" now/$run/metrics.jsonl
  check "$run: and the same losses within 1e-4" same losses "$recorded/$run/metrics.jsonl" now/$run/metrics.jsonl
  check "$run: evaluations.jsonl with the same keys" same keys "$recorded/$run/evaluations.jsonl" now/$run/evaluations.jsonl
  check "$run: the same outcome" same facts "$recorded/$run/outcome.json" now/$run/outcome.json
  # The head of recognition computes in another order since version 0.1.0, so of net only figures are the same.
  [ "$run" = mae ] || continue
  if [ "$(cat "now/$run/made_by.txt")" != "$(cat "$recorded/$run/made_by.txt")" ] ||
    [ "$(processor)" != "$(tail -1 "$recorded/machine.txt")" ]; then # oneDNN looks at caches, too
    echo "$run: roots were not compared: $(cat "now/$run/made_by.txt") on $(processor), not $(cat "$recorded/$run/made_by.txt") on $(tail -1 "$recorded/machine.txt")"
  else
    check "$run: HISTORY with the same root" alike $run/HISTORY
  fi
done
finish
