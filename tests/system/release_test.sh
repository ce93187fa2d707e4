#!/usr/bin/env bash
# The gate from end to end: a policy that is noted beforehand, an audit, a verdict, and a package that can be checked.
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
"$facemae" synth --out all --identities 16 --images-per-identity 4 $quiet 2>/dev/null || exit 1
"$facemae" store split all --identities 0.5 --seed 1 --out train unseen $quiet || exit 1
"$facemae" pretrain --store train --run mae --steps 2 --batch 8 --patch 28 --relation none --threads 1 $quiet 2>mae.log

ends_with 0 "a policy to start from is written" '' "$facemae" release --write-policy public strict.json
ends_with 2 "but never over another one" 'never written over' "$facemae" release --write-policy public strict.json
ends_with 2 "of those that there are" 'did you mean|one of' "$facemae" release --write-policy publik other.json
sed -e 's/"source_allows_derivatives": false/"source_allows_derivatives": true/' strict.json >allowed.json
cat >easy.json <<'POLICY'
{ "facemae_policy": 1, "name": "easy", "recipient": "internal", "alpha": 0.05,
  "threat": { "gallery": "source_photos", "pairs": ["all"], "weights_known": true, "mechanism_known": true, "secret_known": false },
  "sample": { "people_min": 1, "people_effective_min": 0, "nonmembers_min": 0, "attacker_people_min": 0 },
  "require": { "metadata": [ { "metric": "exact_links", "attacks": ["A14"], "max": 0 } ] },
  "controls": { "positive": [], "negative": [] }, "dp": { "claimed": false },
  "licence": { "source_allows_derivatives": true, "statement": "drawn faces" },
  "partition": { "second_release": "same_partition_only" }, "valid_until": "2099-12-31",
  "on_inconclusive": "refuse", "reports": { "pictures": "released" } }
POLICY
sed 's/"alpha"/"alhpa"/' easy.json >typo.json
rebuild() { "$facemae" reconstruct --store unseen --from mae --out "$1" --private "$1-secret" "${@:2}" $quiet >/dev/null 2>"$1.log"; }
ends_with 2 "a policy with a typing error begins no release" 'did you mean alpha' "$facemae" reconstruct --store unseen --from mae --out none --private none-secret --policy typo.json
check "and leaves nothing" test ! -e none
rebuild rebuilt --policy easy.json
check "the digest of the policy is in the release" grep -qE '^\| policy \| [0-9a-f]{64} \|' rebuilt/RELEASE.md
check "and in the ledger" grep -qE '"policy":"[0-9a-f]{64}"' rebuilt-secret/ledger.jsonl
ends_with 2 "it is not gone on with under another policy" 'other settings' "$facemae" reconstruct --store unseen --from mae --out rebuilt --private rebuilt-secret --policy allowed.json $quiet
"$facemae" audit --real unseen --released rebuilt --link rebuilt-secret --attacks A0,A14 --report report $quiet >/dev/null 2>audit.log

gate() { "$facemae" release --released rebuilt --private rebuilt-secret --audit report "$@"; }
ends_with 0 "what its policy asks for is there: PASS" 'verdict: PASS' gate --policy easy.json --out package --json verdict.json
check "as the result says" grep -qE '^  "verdict": "PASS"' verdict.json
check "the sums are right" bash -c 'cd package && sha256sum --quiet -c SHA256SUMS'
check "the store in it can be read" "$facemae" store verify package/store $quiet
check "nothing of the private folder is in it" bash -c '
  [ -d package ] && key=$(grep -ohE "\"key\": ?\"[0-9a-f]{64}" rebuilt-secret/secret-*.json | grep -oE "[0-9a-f]{64}") && [ -n "$key" ] && ! grep -rqaF "$key" package &&
  for file in rebuilt-secret/*; do [ "${file##*/}" = lock ] || [ -z "$(find package -name "${file##*/}")" ] || exit 1; done && ! grep -rqaF "$PWD" package'
ends_with 2 "a package is made once" 'is there already' gate --policy easy.json --out package
ends_with 66 "a licence that allows nothing is FAIL" 'verdict: FAIL' gate --policy strict.json --out none
ends_with 66 "and so is a policy from afterwards" 'under another policy' gate --policy allowed.json --out none
check "nothing is packed" test ! -e none
ends_with 2 "--despite needs somebody who answers for it" 'answers for it' gate --policy strict.json --out none --despite 'a court'
ends_with 66 "with a name it is packed, and FAIL stays on it" 'verdict: FAIL' gate --policy strict.json --out spite --despite 'a court' --responsible 'J. Doe'
check "on the data sheet, the page and the record" bash -c 'for file in DATASHEET.md RELEASE.json report/report.html; do grep -q "FAIL, released on the responsibility of J. Doe: a court" spite/$file || exit 1; done'
rebuild unnoted
"$facemae" audit --real unseen --released unnoted --link unnoted-secret --attacks A0,A14 --report report-unnoted $quiet >/dev/null 2>audit.log
ends_with 67 "a release without a policy is INCONCLUSIVE" 'made without a policy' \
  "$facemae" release --released unnoted --private unnoted-secret --audit report-unnoted --policy easy.json --out none
ends_with 2 "the report of another release is refused" 'audit this very release' \
  "$facemae" release --released rebuilt --private rebuilt-secret --audit report-unnoted --policy easy.json --out none
ends_with 2 "a simple defence is never packed" 'never packed' bash -c '
  "$0" reconstruct --store unseen --baseline blur:4 --out blurred --private blurred-secret --policy easy.json --log-level warn >/dev/null 2>&1
  "$0" audit --real unseen --released blurred --link blurred-secret --attacks A14 --report report-blurred --log-level warn >/dev/null 2>&1
  exec "$0" release --released blurred --private blurred-secret --audit report-blurred --policy easy.json --out none' "$facemae"

# Somebody leaves, the others are released again, and the audit has all attacks: whatever the built-in policies ask for, it measures.
sed -e 's/same_partition_only/if_measured/' allowed.json >again.json
rebuild first --policy again.json
"$facemae" store list unseen $quiet | head -n 1 | cut -f2 >who.txt
"$facemae" store remove unseen --identities who.txt --out unseen-2 $quiet || exit 1
ends_with 66 "a second release needs a reason" 'second-release' "$facemae" reconstruct --store unseen-2 --from mae --out second --private first-secret --policy again.json
check "and with one it is made" "$facemae" reconstruct --store unseen-2 --from mae --out second --private first-secret --policy again.json \
  --second-release 'a person asked' $quiet
"$facemae" synth --out strangers --identities 20 --first-identity 900 --images-per-identity 2 $quiet 2>/dev/null || exit 1
audit() { "$facemae" audit --real unseen-2 --released second --link first-secret --report report-2 $quiet "$@"; }
ends_with 2 "a release of another store needs that store" 'also-real' audit --attacks A0,A8 --also-released first
ends_with 2 "and no store is given for nothing" 'was made of it' audit --attacks A0,A8 --also-released first --also-real unseen strangers
ends_with 2 "strangers may not be members" 'are in --real' audit --attacks A0 --distractors unseen
ends_with 2 "nor may those whom an attacker learns from" 'are in --real' \
  audit --attacks A1 --attacker-store unseen --attacker-released first --attacker-link first-secret
for alone in A3 A10,A14; do ends_with 2 "$alone is refused without attackers" 'name some, too' audit --attacks "$alone"; done
core=$(awk '/^Cpus_allowed_list:/ {split($2, cores, /[-,]/); print cores[1]}' /proc/self/status) # threads would wait for those of other tests
for name in plain release; do echo '{"sets": [{"accuracy": 0.75}]}' >"$name.json"; done
ends_with 0 "all attacks run" '' taskset -c "$core" "$facemae" audit --real unseen-2 --released second --link first-secret --report report-2 $quiet --attacks all --also-released first --also-real unseen --distractors strangers --from mae --training-store train \
  --references 0 --white-box-probes 0 --attributes synthetic --attack-steps 2 --attack-batch 8 --attack-width 8 --pairs all --utility plain=plain.json release=release.json
"$facemae" release --released second --private first-secret --audit report-2 --policy again.json --out none --json rows.json $quiet >/dev/null 2>&1
rows() { tr -d '\n' <rows.json | grep -oE '\{[^{}]*"metric"[^{}]*(\{[^{}]*\}[^{}]*)*\}'; }
check "a verdict has rows" test "$(rows | wc -l)" -gt 20
lacks_control() { # lacks_control NAME ATTACK...: those that did not run it
  for attack in "${@:2}"; do
    tr -d '\n' <report-2/report.json | grep -qE "\"attack\": \"$attack\",[^{}]*\"control\": \"$1\"" || echo "$1 $attack"
  done
}
check "every control that a policy names has run" equal "$(lacks_control planted A0 A1 A2 A4 A5 A6 A7 A9 A10
  lacks_control shuffled_links A0 A1 A2 A4 A5 A6 A7 A9 A10; lacks_control real_other_photo A4 A6 A9; lacks_control plain_0.5 A0 A1 A2)" ""
named=$(grep -oE '"name": "(planted|shuffled_links|real_other_photo|plain_0.5)", "attacks": \[[^]]*\]' again.json | sed -E 's/"name": "([a-z_0-9.]*)", "attacks": /\1 /' | tr -d '",[]' | sort)
check "and these are all that it names" equal "$named" "$(printf '%s\n' 'plain_0.5 A0 A1 A2' 'planted A0 A1 A2 A4 A5 A6 A7 A9 A10' \
  'real_other_photo A4 A9' 'real_other_photo A6' 'shuffled_links A0 A1 A2 A4 A5 A6 A7 A9 A10')"
# Twenty strangers are too few for a rate of 1 %, seven people for pairs at 0.1 %, and for 100 pairs to learn from.
check "every metric that a policy names is there" equal "$(rows | grep '"missing"' | grep -vE 'membership_tpr|tar_at_far|did not learn from' | grep -oE '"metric": *"[^"]*"' | sort -u)" ""
finish
