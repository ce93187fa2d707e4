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
finish
