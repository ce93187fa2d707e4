#!/usr/bin/env bash
# One rank is killed: the job ends, nothing of it stays, the outcome is that of a lost peer, the same command goes on.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1
tiny_run 3 run 100000 --save-every 5 &
job=$!
for _ in $(seq 300); do ls run/checkpoints/s*/COMMIT >/dev/null 2>&1 && break; sleep 0.1; done
all=$(its_ranks "$job")
kill -KILL "$(tail -1 <<<"$all")"
wait "$job"
code=$?
check "the launcher's status is 75 or above 128 (it is $code)" test "$code" = 75 -o "$code" -gt 128
gone() {
  for _ in $(seq 300); do
    kill -0 $all 2>/dev/null || return 0
    sleep 0.1
  done
  false
}
check "no process of the job is left" gone
check "the outcome is that of a lost peer" equal "$(outcome run)" 75
before=$(ls -d run/checkpoints/s*/COMMIT | tail -1)
tiny_run 2 run 100000 --save-every 5 --stop-after 1 --log-level info & # past step 1 already: runs on until told
job=$!
resumed() {
  for _ in $(seq 300); do
    grep -q "resumed from" run.log && return 0
    sleep 0.1
  done
  false
}
check "the same command resumes from a commit ($before)" resumed
kill -USR2 "$(launcher "$job")"
wait "$job"
check "and can be stopped in order" equal "$?" 76

# One rank throws in the middle of a step, where the others wait for it: of its copy of the images, every one is bad.
mkdir sound spoilt
cp -r faces sound/faces
cp -r faces spoilt/faces
blob=$(sed -n 's/.*"bytes": \([0-9]*\).*/\1/p' faces/manifest.json | head -1)
for i in $(seq 0 $((blob / 1000 - 1))); do # the blob starts at 1 MiB
  printf '\125\125' | dd of=spoilt/faces/shard-00000.h5 bs=1 seek=$((1048576 + 1000 * i)) conv=notrunc status=none
done
begun=$SECONDS
words="pretrain --store faces --run $work/bad --steps 100 --batch 6 --model tiny --patch 28 --embedder-size 16
  --embedder-width 4 --threads 1 --save-every 100 --log-level warn"
(cd sound && one_differs 3 2 'cd ../spoilt' $words) >bad.log 2>&1
code=$?
check "a rank that throws ends the job with its own code" equal "$code" 65
check "at once, not by a deadline (after $((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 30
check "the outcome tells the cause" grep -q '"code":65.*shard-00000' bad/outcome.json
check "which the failing rank noted" equal "$(cat bad/exits/*/rank*.json | grep -c '"code":65')" 1
finish
