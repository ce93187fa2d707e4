#!/usr/bin/env bash
# A whole study at the smallest size: killed and gone on with, on two ranks that share the work, changed, and reported anew.
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
"$facemae" synth --out all --identities 24 --images-per-identity 5 $quiet 2>/dev/null || exit 1
"$facemae" store split all --identities 0.34 --seed 1 --out held-out rest $quiet || exit 1
"$facemae" store split rest --identities 7 --seed 2 --out train unseen $quiet || exit 1
"$facemae" pairs --store held-out --out pairs.txt --folds 4 --pairs 40 $quiet || exit 1
"$facemae" synth --out drawn --identities 10 --images-per-identity 4 --first-identity 500 $quiet 2>/dev/null || exit 1

study() { # study N OPTION...: on N ranks
  local n=$1
  shift
  ranks "$n" compare --train train --unseen unseen --held-out held-out --pairs pairs.txt --out study --arms real,facemae --arm drawn=drawn \
    --images-per-identity 4 --blend-images 4 --attacks "${attacks:-quick}" --audit max-probes=20 $quiet \
    --pretrain steps=3 batch=6 patch=28 embedder-size=16 embedder-width=4 threads=1 --recognize steps=3 batch=8 threads=1 "$@"
}
done_units() { find study/done -name '*.json' 2>/dev/null | wc -l; }

for wrong in A0,A99 A8 A3; do
  attacks=$wrong ends_with 2 "--attacks $wrong is refused before anything is written" 'would be refused' study 1 --dry-run
done
for wrong in "--audit max-probs=5" "--pretrain stesp=3" "--pretrain lr=-1"; do
  ends_with 2 "$wrong is refused before anything is written" 'would be refused' study 1 $wrong --dry-run
done
check "and no protocol stands in the way" test ! -e study/protocol.json
ends_with 2 "people who are in two stores are refused" 'different people' "$facemae" compare --train train --unseen train --held-out held-out --pairs pairs.txt \
  --out twice $quiet
ends_with 0 "the plan is told before anything runs" 'recognize --store stores/unseen --run arms/real.0' study 1 --dry-run
check "with the number of pictures of every arm" grep -q '"pictures_of_every_arm": 36' study/protocol.json
check "and nothing has run" equal "$(done_units)" 0
written=$(sha256sum <study/protocol.json)

FACEMAE_FAILPOINT='study.unit#3=kill' ends_with 137 "killed before its third record" '' study 1
check "two are recorded" equal "$(done_units)" 2
recorded=$(find study/done -name '*.json' -printf '%f\n' | sed 's|\(.*\)\.json|study/logs/\1.log|')
logs=$(cat $recorded | sha256sum)
# Ranks of a host divide its cores among their commands. Seen by polling: commands come and go.
cores_of_commands() { # "START CORES" of each command at work
  for command in /proc/[0-9]*; do
    if [ "$(readlink "$command/cwd")" = "$PWD/study" ]; then
      awk '/^PPid:/ {start = $2} /^Cpus_allowed_list:/ {print start, $2}' "$command/status" 2>/dev/null
    fi
  done
}
(while sleep 0.2; do cores_of_commands; done) >seen &
watch=$!
study 2 --json result.json >table 2>log
check "two ranks go on and end well" equal "$?" 0
kill "$watch"
check "the commands of both were seen" equal "$(cut -d' ' -f1 seen | sort -u | wc -l)" 2
if [ "$(nproc)" -gt 1 ]; then
  check "on cores of their own" equal "$(sort -u seen | cut -d' ' -f2 | sort | uniq -d)" ""
fi
check "every command is done" equal "$(done_units)" "$(grep -c '^facemae ' study/commands.txt)"
check "none of those that were recorded ran again" equal "$(cat $recorded | sha256sum)" "$logs"
check "the protocol is that of before" equal "$(sha256sum <study/protocol.json)" "$written"
check "the page shows its digest" grep -qF "${written%% *}" study/study.html
check "all arms have a utility" equal "$(cut -d, -f4 study/study.csv | grep -c '^0\.')" 3
check "FaceMAE has naming odds" bash -c "grep '^facemae,' study/study.csv | cut -d, -f5 | grep -q ."
check "the table does, too" grep -qE '^facemae .* % .*reference' table
check "and the result" grep -q '"protocol_sha256"' result.json
check "the page loads nothing" bash -c '! grep -qE "https?://|<script|<link|url\(" study/study.html'
check "and has pictures" grep -q 'data:image/png;base64,' study/study.html

ends_with 2 "another configuration is refused with what differs" 'attacks: was "quick", is "A0"' \
  "$facemae" compare --train train --unseen unseen --held-out held-out --pairs pairs.txt --out study --arms real,facemae --arm drawn=drawn \
  --images-per-identity 4 --blend-images 4 --attacks A0 --audit max-probes=20 $quiet \
  --pretrain steps=3 batch=6 patch=28 embedder-size=16 embedder-width=4 threads=1 --recognize steps=3 batch=8 threads=1
rm study/study.html
ends_with 0 "the page is made anew" '^facemae ' "$facemae" compare --out study --report-only $quiet
check "and is there" test -s study/study.html
ends_with 2 "a folder without a study has no report" 'no protocol.json' "$facemae" compare --out none --report-only $quiet
ends_with 2 "equal numbers that are impossible are refused" 'multiple of 8' "$facemae" compare --train train --unseen unseen --held-out held-out \
  --pairs pairs.txt --out other --arms blend-8,facemae --images-per-identity 6 --blend-images 8 --pretrain steps=3 $quiet
ends_with 2 "what the study sets itself is refused" 'the study itself sets --seed' "$facemae" compare --train train --unseen unseen --held-out held-out \
  --pairs pairs.txt --out other --recognize seed=4 $quiet
finish
