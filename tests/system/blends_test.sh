#!/usr/bin/env bash
# Trainings whose rows are pictures of several photos (--blend, --code) and that are kept from being linked
# (--linkage-weight): a stop changes nothing, and with --exact no number of ranks does.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 6 --images-per-identity 8 --log-level warn 2>/dev/null || exit 1
same_bits() { "$facemae" checkpoint diff "$1" "$2" >/dev/null; }

goes_on() { # goes_on NAME STEPS STOP OPTION...
  local name=$1 steps=$2 stop=$3
  shift 3
  tiny_run 1 "$name" "$steps" "$@" || { cat "$name.log"; exit 1; }
  tiny_run 1 "$name-stopped" "$steps" --stop-after "$stop" "$@"
  check "$name: stops with 76" equal "$?" 76
  tiny_run 1 "$name-stopped" "$steps" "$@"
  check "$name: goes on to the same bits" same_bits "$name-stopped" "$name"
  check "$name: with the same losses" equal "$(losses "$name-stopped")" "$(losses "$name")"
}
goes_on blend 4 2 --batch 24 --blend people:3 --blend-images 6 --relation-weight auto:0.3
goes_on code 4 2 --batch 24 --code 8 --blend-images 4 --reconstruction-weight 0.1
goes_on linkage 53 52 --linkage-weight auto:5 --relation none --batch 8 # the weight has changed before the stop
check "the weight of the linkage has changed" equal \
  "$(grep -o '"linkage_weight":[^,]*' linkage/metrics.jsonl | sort -u | wc -l)" 2

for n in 1 2; do
  tiny_run $n exact$n 3 --batch 24 --exact --exact-slots 2 --blend people:2 --blend-images 4 --linkage-weight 0.5
  check "$n rank(s), exactly" equal "$?" 0
done
check "the same bits on 1 and 2 ranks" same_bits exact1 exact2

tiny_run 1 many 3 --batch 28 --blend people:7 --blend-images 14
check "more people than there are: ends with 2" equal "$?" 2
check "and says so" grep -q "needs at least 7 people, the store has 6" many.log
finish
