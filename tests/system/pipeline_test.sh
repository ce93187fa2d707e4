#!/usr/bin/env bash
# From faces to a report, at the smallest size: every command on its own and on ranks.
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
"$facemae" synth --out all --identities 24 --images-per-identity 6 $quiet 2>/dev/null || exit 1
"$facemae" store split all --identities 0.34 --seed 1 --out held-out rest $quiet || exit 1
"$facemae" store split rest --identities 0.5 --seed 2 --out train unseen $quiet || exit 1
"$facemae" pairs --store held-out --out pairs.txt --folds 4 --pairs 80 $quiet || exit 1
check "verify finds a split sound, on two ranks" ranks 2 store verify unseen $quiet

ranks 2 pretrain --store train --run mae --steps 6 --batch 12 --patch 16 --lr 1e-3 --embedder-size 16 --embedder-width 4 --threads 1 \
  --accumulate 2 --relation-batch global $quiet 2>mae.log
check "pretraining ends well" equal "$?" 0
check "samples are drawn" test -n "$(ls mae/samples/*.png)"
check "TensorBoard has an event file" test -n "$(ls mae/events.out.tfevents.*)"
ends_with 0 "--dry-run tells the size" 'parameters' "$facemae" pretrain --store train --run other --steps 6 --batch 12 --dry-run
check "and what it will be computed in, and by how many threads" \
  grep -qE '^arithmetic +float32, float32 products not in TF32; [0-9]+ compute and 1 loader thread' said
check "and how it lies in memory" grep -qE '^ +convolutions in contiguous memory$' said
ends_with 0 "--dry-run of saves by time" 'at intervals of time' "$facemae" pretrain --store train --run other --steps 6 --batch 12 --dry-run --save-every 0 --save-minutes 10
check "and makes nothing" test ! -e other
check "pictures of training faces are their owner's alone" equal "$(stat -c %a mae/samples mae/samples/*.png mae/events.* | sort | uniq | tr '\n' ' ')" "600 700 "
ends_with 0 "a checkpoint tells what it holds of people" 'keyed hashes' "$facemae" checkpoint show mae
check "the key is beside the faces" test -s all/people.key

one_core() ( # one_core COMMAND...: a thread a rank on any machine: equal bits
  taskset -pc "$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')" "$BASHPID" >/dev/null
  "$@"
)
one_core ranks 2 reconstruct --store unseen --from mae --out rebuilt --private secret --shard-images 16 $quiet >rebuilt.log 2>&1
check "reconstruction ends well" equal "$?" 0
check "and closes with a pixel audit beside chance" grep -q 'links a picture to its original: .*chance' rebuilt.log
ends_with 0 "the same command once more finds all done" 'finished by an earlier start' "$facemae" reconstruct --store unseen --from mae --out rebuilt --private secret --shard-images 16
cp -r rebuilt whole
rm rebuilt/manifest.h5 rebuilt/shard-00001.h5
truncate -s -2000 rebuilt/shard-00002.h5
one_core "$facemae" reconstruct --store unseen --from mae --out rebuilt --private secret --shard-images 16 --log-level warn >resumed.log 2>&1
check "interrupted on two ranks, finished on one: the same bytes" diff -r rebuilt whole
ends_with 2 "but not with other settings" 'other settings' "$facemae" reconstruct --store unseen --from mae --out rebuilt --private secret --shard-images 16 --quality 50 $quiet
ends_with 66 "a second release without a reason is refused" 'second-release|second release' "$facemae" reconstruct --store unseen --from mae --out again --private secret $quiet
"$facemae" store subset unseen --max-images-per-identity 1 --out few $quiet
ends_with 66 "nor a few of the same faces" '[0-9]+ of its [0-9]+ faces' "$facemae" reconstruct --store few --from mae --out again --private secret $quiet
"$facemae" unpack --store unseen --to folder --out files $quiet
cp "$(ls -d "$PWD"/files/*/* | head -1)" "$(ls -d files/* | tail -1)/twin.jpg"
"$facemae" pack --from folder --in files --out twins --seed 7 $quiet
ends_with 66 "nor the same faces packed again" 'of its [0-9]+ faces' "$facemae" reconstruct --store twins --from mae --out again --private secret $quiet
ends_with 0 "equal originals are released once" '1 original\(s\) are the same' "$facemae" reconstruct --store twins --from mae --out one --private one-secret --json one.json
check "and the result says so" grep -q '"equal_originals_left_out": 1' one.json
ends_with 0 "with a reason it is made" '' "$facemae" reconstruct --store unseen --from mae --out again --private secret --second-release test $quiet
ends_with 2 "the private folder inside --out is refused" 'private' "$facemae" reconstruct --store unseen --from mae --out rebuilt2 --private rebuilt2/secret $quiet
check "no name of the source is in the release" bash -c 'test -e rebuilt/manifest.h5 && ! grep -rqa "syn-0" rebuilt'
check "nor the key" bash -c 'key=$(grep -ohE "[0-9a-f]{64}" secret/secret-*.json | head -1); [ -n "$key" ] && ! grep -rqaF "$key" rebuilt'
check "the private folder is closed to others, and so is all in it" equal "$(stat -c %a secret secret/* | sort | uniq | tr '\n' ' ')" "600 700 "
mkdir -m 777 open
ends_with 2 "one that others may write into is refused" 'mode 0777' "$facemae" reconstruct --store few --from mae --out again2 --private open $quiet

# A people blend: killed before the ledger knows of it and behind a shard, made by 1 to 4 ranks.
blend() { # blend RANKS OPTION...
  one_core ranks "$1" reconstruct --store unseen --from mae --private blend-secret --blend-images 4 --shard-images 12 $quiet "${@:2}"
}
FACEMAE_FAILPOINT='release.partition=kill' blend 1 --out blend --blend people:2 >killed.log 2>&1
check "a blend is killed once its partition is drawn" bash -c 'grep -q failpoint killed.log && test -s blend-secret/partition.h5 && ! test -e blend-secret/ledger.jsonl'
FACEMAE_FAILPOINT='reconstruct.shard@1=kill' blend 2 --out blend --blend people:2 >killed.log 2>&1
check "and behind a shard" bash -c 'grep -q failpoint killed.log && test -e blend/shard-00001.h5 && ! test -e blend/manifest.h5'
ends_with 0 "the same command finishes it" 'finds one of the people of a picture' blend 1 --out blend --blend people:2
cp -r blend blend-whole
rm blend/*
blend 4 --out blend --blend people:2 >blend.log 2>&1
check "four ranks blend to the same bytes" diff -r blend blend-whole
ends_with 66 "a second partition of the same people is refused for any reason" 'no reason permits it' blend 1 --out blend2 --blend people:4 --second-release test
check "and leaves nothing" test ! -e blend2
"$facemae" audit --real unseen --released blend --link blend-secret --report blend-report --attacks A0 $quiet >/dev/null 2>&1
check "an audit looks for the people of a blend" grep -q '"people_per_class": 2' blend-report/report.json
check "whose pictures have no single original" bash -c '! grep -q own_picture blend-report/report.json'
ends_with 0 "a simple defence needs no model" 'links a picture to its original' \
  "$facemae" reconstruct --store few --baseline masked:0.75 --out masked --private masked-secret --json masked.json $quiet
check "and says what it is" grep -q '"baseline": "masked:0.75"' masked.json

FACEMAE_FAILPOINT='reconstruct.audit=throw' ends_with 1 "a release without its closing audit does not look like success" \
  'closing audit failed' "$facemae" reconstruct --store few --from mae --out bare --private bare-secret --json bare.json $quiet
check "and the result has no figure" grep -q '"quick_audit": null' bare.json
ends_with 0 "the same command makes up for it" 'quick audit: of 8 rebuilt faces' \
  "$facemae" reconstruct --store few --from mae --out bare --private bare-secret --json bare.json $quiet
check "among how many is told" bash -c 'for key in attacker linked low high chance candidates people; do grep -q "\"$key\":" bare.json || exit 1; done'

FACEMAE_FAILPOINT='reconstruct.audit=stall' "$facemae" reconstruct --store few --from mae --out busy --private busy-secret $quiet 2>busy.log &
busy=$!
for ((i = 0; i < 300; i++)); do grep -q failpoint busy.log && break; sleep 0.1; done
ends_with 93 "a second start into the same release names the first" "process $busy .*facemae reconstruct" \
  "$facemae" reconstruct --store few --from mae --out busy --private other-secret $quiet
ends_with 93 "a second start with the same private folder, too" "process $busy " \
  "$facemae" reconstruct --store twins --from mae --out other-out --private busy-secret $quiet
check "and makes nothing" test ! -e other-out
kill -9 $busy
wait $busy 2>/dev/null
ends_with 0 "what the first one leaves is gone on with" 'quick audit' "$facemae" reconstruct --store few --from mae --out busy --private busy-secret $quiet

"$facemae" pretrain --store train --run half --steps 1 --batch 4 --patch 16 --mask-ratio 0.5 --threads 1 --relation none $quiet 2>half.log
"$facemae" export --from half --out half.safetensors $quiet
for from in half half.safetensors; do
  "$facemae" reconstruct --store few --from $from --out r-$from --private s-$from --json r.json $quiet >/dev/null 2>r.log
  check "$from is rebuilt with the mask ratio of its training" bash -c 'grep -q "\"mask_ratio\": 0.5" r.json && grep -q "mask ratio | 0.5 " "r-$1/RELEASE.md" && ! grep -q "mask-ratio" r.log' _ $from
done
ends_with 0 "another ratio is warned of" 'trained with --mask-ratio 0.5, 0.25 is asked for.*more of the face' \
  "$facemae" reconstruct --store few --from half --out r3 --private s3 --mask-ratio 0.25 $quiet
check "a warning names training identities" bash -c '"$1" reconstruct --store train --from mae --out t --private ts 2>&1 | grep -q "in the model.s training set"' _ "$facemae"

"$facemae" pretrain --store unseen --run further --init mae --steps 1 --batch 4 --patch 16 --threads 1 --relation none $quiet 2>further.log
check "--init brings its training identities along" bash -c '"$1" reconstruct --store train --from further --out u --private us 2>&1 | grep -q "in the model.s training set"' _ "$facemae"

for kind in unseen rebuilt; do
  ranks 2 recognize --store $kind --run net-$kind --steps 6 --batch 16 --margin cosface --lr 0.05 --threads 1 $quiet 2>net.log
  check "recognition trains on $kind" equal "$?" 0
  ranks 2 evaluate --from net-$kind --store held-out --pairs pairs.txt --json $kind.json --csv $kind.csv $quiet >/dev/null
  check "and is evaluated" grep -q accuracy $kind.json
done
"$facemae" evaluate --from net-unseen --store held-out --pairs pairs.txt --json one.json $quiet >/dev/null
check "two ranks evaluate like one" equal "$(grep -A9 '"sets"' one.json | grep accuracy)" "$(grep -A9 '"sets"' unseen.json | grep accuracy)"
ranks 2 recognize --store unseen --run net-watched --steps 6 --batch 16 --margin cosface --lr 0.05 --threads 1 \
  --eval pairs.txt --eval-store held-out --eval-every 4 $quiet 2>net.log
check "evaluation while training leaves the weights as they are" equal "$(weights net-watched)" "$(weights net-unseen)"
check "and is done when asked and at the end" equal "$(sed 's/.*"step":\([0-9]*\).*/\1/' net-watched/evaluations.jsonl | tr '\n' ' ')" "4 6 "
accuracy() { grep -oE '"accuracy": ?[0-9.]+' | tail -1 | grep -oE '[0-9.]+'; }
check "with the figures of evaluate" equal "$(accuracy <net-watched/evaluations.jsonl)" "$(accuracy <unseen.json)"
ends_with 65 "pairs of another store are refused" 'another store' "$facemae" evaluate --from net-unseen --store train --pairs pairs.txt $quiet
ends_with 2 "--eval with pairs needs to know of what" 'eval-store' "$facemae" recognize --store unseen --run none --steps 1 --batch 4 --eval pairs.txt
ranks 2 embed --from net-unseen --store held-out --out e2.npy --names names.txt $quiet
"$facemae" embed --from net-unseen --store held-out --out e1.npy $quiet
check "two ranks embed like one" close_arrays e1.npy e2.npy

"$facemae" audit --real unseen --released rebuilt --link secret --embedder net-unseen --attacks quick --report report --pictures all \
  --utility real=unseen.json rebuilt=rebuilt.json --json audit.json $quiet >audit.log 2>&1
check "the audit ends well" equal "$?" 0
check "with a page" grep -q 'pixel' report/report.html
check "and JSON" grep -q 'chance' report/report.json
check "whose real faces are for its owner alone" equal "$(stat -c %a report report/report.html)" "700
600"
check "with pictures of both when asked" grep -q "figcaption>original" report/report.html
check "no pictures of real faces unless asked" bash -c '"$1" audit --real unseen --released rebuilt --link secret --report r2 --attacks quick --log-level warn >/dev/null 2>&1; ! grep -q "figcaption>original" r2/report.html' _ "$facemae"
# By embeddings alone, on one rank and on two.
"$facemae" embed --from net-unseen --store unseen --out real.npy $quiet && "$facemae" embed --from net-unseen --store rebuilt --out released.npy $quiet
by_embeddings() { # by_embeddings RANKS REPORT
  ranks "$1" audit --real unseen --released rebuilt --link secret --report "$2" --embedding net=real.npy,released.npy --only-embeddings $quiet >/dev/null 2>&1
}
by_embeddings 1 by1 && by_embeddings 2 by2
check "an audit by embeddings finds the same on any number of ranks" cmp by1/report.json by2/report.json
check "at every level" grep -q 'person_to_class' by1/report.json
ranks 2 audit --real unseen --released rebuilt --link secret --report r3 --attacks quick $quiet >/dev/null 2>&1
check "two ranks find what one finds" cmp r2/report.json r3/report.json
# A notice ends an audit between two looks, or at a step of an attacker that trains.
"$facemae" audit --real unseen --released rebuilt --link secret --report r5 --attacks A9 --pairs all --attack-steps 200000 \
  --log-level warn >r5.log 2>&1 &
job=$!
for _ in $(seq 600); do compgen -G 'r5/attackers/A9-*/metrics.jsonl' >/dev/null && break; sleep 0.1; done
kill -TERM $job
wait $job
check "a notice ends an audit that trains attackers with 76" equal "$?" 76
check "and what they learnt is committed" compgen -G 'r5/attackers/A9-*/checkpoints/s*/COMMIT'
ends_with 2 "the link of another release is refused" 'link|another' "$facemae" audit --real train --released rebuilt --link secret --report r4

"$facemae" export --from mae --out mae.safetensors $quiet && "$facemae" import --weights mae.safetensors --network facemae --out mae2.safetensors $quiet
check "FaceMAE weights go out and in" cmp mae.safetensors mae2.safetensors
"$facemae" export --from net-unseen --out net.safetensors $quiet && "$facemae" import --weights net.safetensors --network iresnet-tiny --out net2.safetensors $quiet
check "recognition weights go out and in" cmp net.safetensors net2.safetensors
ends_with 2 "weights of another network are refused" 'do not fit.* --network iresnet-tiny' "$facemae" import --weights net.safetensors --network mobilefacenet --out bad.safetensors
"$facemae" pretrain --store train --run warm --steps 1 --batch 4 --patch 16 --init mae.safetensors --embedder net.safetensors --threads 1 $quiet 2>warm.log
check "--init and --embedder take exported weights" equal "$?" 0
"$facemae" show "$PICTURE" --from mae.safetensors --out triptych.png $quiet
check "show draws a triptych" bash -c 'head -c 4 triptych.png | grep -q PNG'
check "for its owner alone" equal "$(stat -c %a triptych.png)" 600
ends_with 0 "with the mask ratio of the training" '' "$facemae" show "$PICTURE" --from half.safetensors --out half.png --json show.json $quiet
check "as it says" grep -q '"mask_ratio": 0.5' show.json
check "names stay behind when weights go out" bash -c '! grep -qa "training.identities" mae.safetensors'
finish
