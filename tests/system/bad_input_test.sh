#!/usr/bin/env bash
# Bad input: a clear message, the right exit code, nothing half-made.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 4 --images-per-identity 5 --log-level warn 2>/dev/null || exit 1
train() { # train N OPTION...: a very small run, unless the options say otherwise
  local n=$1 words
  shift
  with_defaults --store faces --run r --steps 2 --batch 4 --patch 28 --embedder-size 16 --embedder-width 4 --threads 1 --log-level warn -- "$@"
  ranks "$n" pretrain "${words[@]}"
}

ends_with 2 "an unknown command" 'did you mean "pretrain"\?' "$facemae" pretrian
ends_with 2 "an unknown option" 'did you mean --batch\?' "$facemae" pretrain --store faces --run r --steps 1 --bacth 4
ends_with 0 "-h helps" '--bin TEXT' "$facemae" evaluate -h
ends_with 0 "help COMMAND" '--bin TEXT' "$facemae" help evaluate
ends_with 0 "help COMMAND VERB" 'store split STORE' "$facemae" help store split
ends_with 0 "COMMAND help VERB" 'store split STORE' "$facemae" store help split
ends_with 0 "COMMAND VERB -h" 'store split STORE' "$facemae" store split -h
ends_with 0 "-h of verbs" 'checkpoint VERB' "$facemae" checkpoint -h
for word in help -h; do ends_with 0 "$word alone" 'facemae COMMAND' "$facemae" $word; done
ends_with 2 "help for what is no command" 'did you mean "pretrain"' "$facemae" help pretrian
ends_with 2 "several faults at once" 'faults:' "$facemae" pretrain --mask-ratio 2 --model huuge
ends_with 2 "several faults, on two ranks" 'faults:' ranks 2 pretrain --mask-ratio 2 --model huuge
ends_with 2 "a missing store" 'nowhere' train 1 --store nowhere
ends_with 2 "a missing store, on two ranks" 'nowhere' train 2 --store nowhere
ends_with 2 "an option given twice" '--seed is given twice: 1, 2' train 1 --seed 1 --seed 2
ends_with 2 "numbers that are none" 'epochs.*not finite' "$facemae" pretrain --store faces --run r --epochs inf --batch 4
ends_with 2 "more threads than a machine has" '--threads must be from 0 to 1024, not 100000' train 1 --threads 100000
ends_with 2 "a patch that does not divide" 'does not divide' train 1 --patch 13
ends_with 2 "a batch smaller than the ranks" 'without an image' train 2 --batch 2 --accumulate 2 --relation none
check "nothing was made" test ! -e r
for rank in 0 1; do
  ends_with 2 "training as process $rank of two of another MPI" "$([ $rank = 1 ] || echo 'mpiexec of MPICH.* started 2 processes.*Open MPI')" \
    env PMI_RANK=$rank PMI_SIZE=2 "$facemae" pretrain --store faces --run r --steps 1 --batch 4
done
check "only the first of them speaks" [ ! -s said ]
ends_with 2 "a pack as one of three" 'flux run started 3 processes' env FLUX_TASK_RANK=0 FLUX_JOB_SIZE=3 "$facemae" synth --out made --identities 2 --images-per-identity 2
ends_with 2 "an mpirun of another Open MPI" 'an MPI world of its own' env OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 "$facemae" store info faces
ends_with 0 "the only process of another MPI" '' env PMI_RANK=0 PMI_SIZE=1 "$facemae" store info faces
check "nothing was made by those that were refused" test ! -e r -a ! -e made
ends_with 2 "batch statistics of one image" 'a single image' "$facemae" recognize --store faces --run r --steps 2 --batch 1 --threads 1
ends_with 2 "batch statistics of one image on a rank" 'a single image' ranks 2 recognize --store faces --run r --steps 2 --batch 3 --threads 1
ends_with 2 "groups of batch norms that a batch does not fill" "make --batch a multiple of 8" "$facemae" recognize --store faces --run r --steps 2 --batch 12 --batch-norm ghost:8 --threads 1
check "nothing was made of them" test ! -e r

cp -r faces unfinished && rm unfinished/manifest.*
ends_with 65 "an unfinished store" 'unfinished|not finished|no manifest' "$facemae" store info unfinished
cp -r faces missing && rm missing/shard-00000.h5
ends_with 65 "a missing shard" 'shard-00000' train 1 --store missing
cp -r faces short && truncate -s -5000 short/shard-00000.h5
ends_with 65 "a truncated shard" 'shard-00000' train 1 --store short
cp -r faces flipped
printf '\125\125' | dd of=flipped/shard-00000.h5 bs=1 seek=$((1048576 + 20000)) conv=notrunc status=none # the blob starts at 1 MiB
ends_with 65 "a flipped byte: verify names the image" 'index [0-9]+' "$facemae" store verify flipped
ends_with 0 "a flipped byte: training goes on with another image" 'another image replaces it' train 1 --store flipped --steps 10
check "and metrics.jsonl counts it" grep -q '"data_substituted":' r/metrics.jsonl
rm -rf r
for i in $(seq 0 99); do # something in nearly every image
  printf '\125\125' | dd of=flipped/shard-00000.h5 bs=1 seek=$((1048576 + 1000 * i)) conv=notrunc status=none
done
ends_with 65 "many flipped bytes: training ends" 'max-bad-fraction' train 1 --store flipped --steps 10
check "and its outcome is that of bad data" equal "$(outcome r)" 65
rm -rf r

mkdir -p folder/anna folder/bert folder/cleo
for i in 1 2 3; do
  for who in anna bert cleo; do cp "$PICTURE" folder/$who/$i.jpg; done
done
head -c 900 "$PICTURE" >folder/anna/truncated.jpg
ends_with 65 "a truncated JPEG beyond the policy" 'reject' "$facemae" pack --from folder --in folder --out packed
check "leaves nothing under the final name" test ! -e packed/manifest.h5
ends_with 0 "a truncated JPEG within the policy" '' "$facemae" pack --from folder --in folder --out packed --max-reject-fraction 0.2
check "is named in rejects.csv" grep -q 'truncated.jpg' packed/rejects.csv
"$facemae" unpack --store faces --to folder --out people --log-level warn
mkdir a b && mv people/*0 people/*1 a && mv people/* b
"$facemae" pack --from folder --in a b --out both --log-level warn
"$facemae" pack --from folder --in a --in b --out again --log-level warn
check "a list may be given in parts: every folder is packed" diff -r both again
mkfifo a/syn-0000000/pipe.jpg
ends_with 0 "a pipe among the images is rejected, not waited for" 'rejected' \
  timeout 20 "$facemae" pack --from folder --in a --out piped --max-reject-fraction 0.2
rm a/syn-0000000/pipe.jpg
mkdir -p nothing/anna && cp folder/anna/truncated.jpg nothing/anna/
ends_with 65 "a store without an image is no success" 'which leaves none for a store' "$facemae" pack --from folder --in nothing --out none --max-reject-fraction 1
mkdir folder/empty
ends_with 65 "an empty identity folder" 'folder/empty.*--skip-empty' "$facemae" pack --from folder --in folder --out packed2
check "leaves nothing" test ! -e packed2/manifest.h5
rmdir folder/empty
ends_with 2 "a folder that is not there" 'nowhere' "$facemae" pack --from folder --in nowhere --out packed3

train 1 --run mae >/dev/null 2>&1
"$facemae" recognize --store faces --run net --steps 2 --batch 4 --threads 1 --log-level warn >/dev/null 2>&1
printf 'PK\3\4%022d\20\0\0\0archive/data.pkl' 0 >w.pth
ends_with 65 "weights of PyTorch that are cut off" 'directory at the end of the zip archive is missing' "$facemae" import --weights w.pth --network facemae --out w.safetensors
printf '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.' >w.pth
ends_with 2 "those of before 1.6 are told what converts them" 'torch.load\("w.pth".*weights_only=True' "$facemae" import --weights w.pth --network facemae --out w.safetensors
echo 'version https://git-lfs.github.com/spec/v1' >w.bin
ends_with 2 "a pointer of Git LFS is no network" 'git lfs pull' "$facemae" evaluate --from w.bin --bin x.bin
"$facemae" export --from net --out net.safetensors --log-level warn
ends_with 2 "recognition weights imported as FaceMAE's" 'They fit --network iresnet-tiny' "$facemae" import --weights net.safetensors --network facemae --out w.safetensors
ends_with 2 "weights of another network" 'They fit --network iresnet-tiny' "$facemae" import --weights net.safetensors --network mobilefacenet --out w.safetensors
check "nothing was imported" test ! -e w.safetensors
ends_with 2 "a checkpoint of another model" 'model|network|settings' train 1 --run mae --model small --allow-changes
ends_with 2 "moments of another optimizer" '--init net' "$facemae" recognize --store faces --run net --steps 3 --batch 4 --threads 1 --log-level warn --optimizer adamw --allow-changes
ends_with 2 "recognition weights where FaceMAE's are expected" 'not a FaceMAE' "$facemae" show "$PICTURE" --from net --out t.png
ends_with 2 "FaceMAE weights where recognition's are expected" 'network' "$facemae" embed --from mae --store faces --out e.npy

# Paths that are not there, or are something else: the user's to cure, so never a crash that a scheduler repeats.
touch file
ends_with 2 "--run is a file" 'a file is in the way' train 1 --run file
ends_with 2 "--run is below a file" 'a file is in the way' train 1 --run file/run
ends_with 2 "evaluation packs that are not there" 'nowhere.bin' "$facemae" recognize --store faces --run e --steps 1 --batch 4 --eval nowhere.bin
ends_with 2 "pairs that are not there" 'nowhere.txt' "$facemae" evaluate --from net --store faces --pairs nowhere.txt
ends_with 2 "a pack that is not there, on two ranks" 'nowhere.bin' ranks 2 evaluate --from net --bin nowhere.bin
ends_with 2 "a picture that is not there" 'nowhere.jpg' "$facemae" show nowhere.jpg --from mae --out t.png
printf 'GIF89a' >moving.gif
ends_with 65 "a picture of another kind" 'moving.gif: a GIF picture.*convert it' "$facemae" show "$PICTURE" moving.gif --from mae --out t.png
ends_with 2 "images that are not there" 'nowhere' "$facemae" embed --from net --images nowhere --out e.npy
ends_with 2 "--out in a folder that is not there" 'no folder nowhere' "$facemae" embed --from net --store faces --out nowhere/e.npy
check "--json goes into a pipe" grep -q '"images": 20' <("$facemae" store info faces --json /dev/stdout)
ends_with 2 "--json is a folder: told before the work" '--json faces: this is a folder' "$facemae" synth --out new --identities 2 --images-per-identity 2 --json faces
ends_with 2 "--json below a file" 'there is no folder file' "$facemae" store info faces --json file/info.json
ends_with 2 "a file where a folder is to be" '--out: file is not a folder' "$facemae" store subset faces --max-images-per-identity 1 --out file
ends_with 2 "a tar into a pipe" '--out: /dev/.* is a pipe or a device' "$facemae" unpack --store faces --to tar --out >(cat)
ends_with 2 "a tar below a file" '--out: file is not a folder' "$facemae" unpack --store faces --to tar --out file/f.tar
ln -s gone dangling
ends_with 2 "a link to nothing where a folder is to be" 'a link to nothing' "$facemae" store subset faces --max-images-per-identity 1 --out dangling
check "and nothing was made" test ! -e new -a ! -e gone
mkfifo unread
: >said
(for _ in {1..300}; do grep -q 'nobody reads yet' said && break; sleep 0.1; done; cat unread >read) & # however long it takes to start
"$facemae" store info faces --json unread --log-level warn >/dev/null 2>said
check "a pipe that nobody reads yet is waited for, with a word" grep -q 'unread is a pipe that nobody reads yet' said
wait && check "and then written" grep -q '"images": 20' read
ends_with 1 "what cannot be printed is told" 'stdout failed: No space' bash -c '"$0" store info faces >/dev/full' "$facemae"
ln -s linked-to.json link.json
"$facemae" store info faces --json link.json --log-level warn >/dev/null
check "a link stays one" test -L link.json -a -s linked-to.json
ends_with 0 "--json makes its folder" '' "$facemae" store info faces --json new/folder/info.json
check "and writes there" test -s new/folder/info.json

# Commands that look at runs: what is not there, or no run, is never "all is well".
for verb in list show verify prune; do
  ends_with 2 "checkpoint $verb of nothing" 'typo' "$facemae" checkpoint $verb typo
  ends_with 2 "checkpoint $verb of a store" 'faces' "$facemae" checkpoint $verb faces
done
ends_with 2 "checkpoint verify --all of nothing" 'typo' "$facemae" checkpoint verify typo --all
ends_with 2 "checkpoint verify --all of a store" 'faces is not a run' "$facemae" checkpoint verify faces --all
ends_with 2 "status of a store" 'faces is not a run' "$facemae" status faces
ends_with 0 "checkpoint diff of equal ones" 'equal' "$facemae" checkpoint diff mae mae
train 1 --run other --seed 1 --save-every 1 >/dev/null 2>&1
ends_with 3 "checkpoint diff of different ones: no code of a crash" 'other values' "$facemae" checkpoint diff mae other
FACEMAE_FAILPOINT=verify.checkpoint=stop "$facemae" checkpoint verify other --all >said 2>&1 &
job=$!
for _ in $(seq 100); do [ "$(cut -d' ' -f3 /proc/$job/stat)" = T ] && break; sleep 0.1; done
rm -r "$(ls -d other/checkpoints/s* | head -1)" # as a run does that keeps newer ones
kill -CONT $job
wait $job
check "a checkpoint that goes while others are verified is not damaged" equal "$?" 0
check "and this is told" grep -q 'removed meanwhile' said
newest=$(ls -d other/checkpoints/s* | tail -1)
printf x | dd of="$newest/COMMIT" bs=1 conv=notrunc status=none
ends_with 65 "checkpoint diff with a damaged one" 'COMMIT' "$facemae" checkpoint diff mae "$newest"
ends_with 65 "checkpoint show of a damaged one" 'COMMIT' "$facemae" checkpoint show "$newest"
ends_with 65 "weights of a damaged one" 'COMMIT' "$facemae" export --from "$newest" --out w.safetensors
ends_with 65 "checkpoint verify --all names it" 'DAMAGED' "$facemae" checkpoint verify other --all
rm -r other/checkpoints/s*
for verb in list verify "verify --all" prune; do
  ends_with 93 "checkpoint $verb of a run whose commits are gone" 'HISTORY' "$facemae" checkpoint $verb other
done
printf '{"step":2,"loss":null,"images_per_second":8}\n' >>mae/metrics.jsonl
ends_with 0 "status of a run whose loss is not finite" 'loss not finite' "$facemae" status mae
ends_with 0 "status of several runs" '^mae: ' "$facemae" status mae mae --json two.json
check "and their result" equal "$(grep -c '^mae: ' said) $(grep -c '"state"' two.json)" "2 2"
ends_with 2 "status of a run and of what is none" 'faces is not a run' "$facemae" status mae faces
rm mae/metrics.jsonl && mkfifo mae/metrics.jsonl
ends_with 0 "status does not wait for a pipe" 'step +2' timeout 20 "$facemae" status mae
rm mae/metrics.jsonl

# A release that cannot be made leaves nothing that speaks against the one that can.
ends_with 2 "more images of each identity than there are" 'no identity has 1000 images' "$facemae" reconstruct --store faces --from mae --out out --private secret --images-per-identity 1000
made_from() { "$facemae" reconstruct --store faces --out out --private secret "$@"; }
ends_with 2 "a release of neither a model nor a baseline" 'either --from names a model or --baseline' made_from
ends_with 2 "of both" 'either --from names a model or --baseline' made_from --from mae --baseline real
ends_with 2 "a blend of a baseline" 'does not go with --baseline' made_from --baseline real --blend people:2
ends_with 2 "photos that people cannot share alike" '16 must be a multiple of 3' made_from --from mae --blend people:3
ends_with 2 "an unknown baseline" 'did you mean mosaic' made_from --baseline mosaik:8
ends_with 2 "a part of a blend without one" 'belong to --blend people:K' made_from --from mae --blend-images 8
check "no secret is made, nothing is in the ledger" test ! -e secret
train 1 --run hidden --reconstruction hidden >/dev/null 2>&1
"$facemae" export --from hidden --out hidden.safetensors --log-level warn
ends_with 2 "a model that learned hidden patches alone makes no release" '--reconstruction hidden' "$facemae" reconstruct --store faces --from hidden --out out --private secret
ends_with 2 "nor do its exported weights" '--reconstruction hidden' "$facemae" reconstruct --store faces --from hidden.safetensors --out out --private secret
ends_with 2 "what an ONNX file takes is asked for" 'size=112,order=bgr' "$facemae" embed --from net.onnx --store faces --out e.npy
ends_with 2 "embeddings without a file are refused" 'facemae embed' "$facemae" audit --real faces --released faces --link secret --report report --embedding net=none.npy,none.npy
ends_with 2 "only embeddings, and none" '--embedding NAME' "$facemae" audit --real faces --released faces --link secret --report report --only-embeddings
ends_with 2 "a utility file that is none is told before the audit begins" 'facemae evaluate' "$facemae" audit --real faces --released faces --link secret --report report --utility real=file
finish
