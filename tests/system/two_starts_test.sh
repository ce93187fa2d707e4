#!/usr/bin/env bash
# Two starts of each command that writes, in one place: one finishes right, the other ends in 93 and names the
# first, or comes after its end and says what any later start is told. Nothing half-made, nothing lost, nothing
# left. FACEMAE_TWO_STARTS: how often at random moments (50 for a thorough test), for every command; a choice of them
# unless it is given.
. "$(dirname "$0")/lib.sh"
trials=${FACEMAE_TWO_STARTS:-}

# What there is below t, where the commands write.
by_bytes() { (cd t && find . -type f ! -path '*/.checked/*' -print0 | sort -z | xargs -0 -r sha256sum); }
released() { ls t/out; "$facemae" store info t/out | grep -E '^(images|identities)'; wc -l <t/private/ledger.jsonl; ls t/private | sed 's/-[^.]*//' | sort; } # secrets differ
of_a_run() { ls t/out/checkpoints && ls t | sort; } # numbers of starts and times differ

nothing() { :; }
damaged_store() { cp -r faces t/out && printf '\125' | dd of=t/out/shard-00000.h5 bs=1 seek=200000 conv=notrunc status=none; }
a_run() { cp -r runs/mae t/out; }

rows=0 refused=0 later=0 wrong=0
wrong() { # wrong WHAT
  echo "  $name: $1; exit $code_a and $code_b"
  tail -n 2 a.log b.log | sed 's/^/    /'
  wrong=$((wrong + 1))
}
fresh() { rm -rf t && mkdir t && "$prepare"; }
start() { exec "$facemae" "${words[@]}" --log-level warn; }
right() { [ "$("$check")" = "$expected" ]; }

# The first holds its locks when it stops; the second is refused; the first is killed; the third tidies.
behind_one_that_stalls() {
  fresh
  (FACEMAE_FAILPOINT=lock.taken=stall start) >a.log 2>&1 &
  local a=$!
  for _ in $(seq 1000); do grep -qs "\"pid\":$a," t/*lock t/*/*lock && break; sleep 0.02; done
  (start) >b.log 2>&1
  code_a=- code_b=$?
  [ "$code_b" = 93 ] && grep -q "process $a on" b.log || wrong "the second start is not refused"
  kill -9 $a
  wait $a 2>/dev/null
  (start) >b.log 2>&1
  code_b=$?
  [ "$code_b" = 0 ] && right || wrong "the start after a killed one does not finish right"
}

at_a_random_moment() {
  fresh
  (start) >a.log 2>&1 &
  local a=$!
  sleep "$(awk -v r=$RANDOM -v most="$seconds" 'BEGIN { printf "%.3f", r / 32768 * r / 32768 * most }')" # rather early: most of it is the start
  (start) >b.log 2>&1 &
  local b=$!
  wait $a
  code_a=$?
  wait $b
  code_b=$?
  case $code_a,$code_b in
    0,93) refused=$((refused + 1)) && grep -q "process $a on" b.log || wrong "the first is not named" ;;
    93,0) refused=$((refused + 1)) && grep -q "process $b on" a.log || wrong "the first is not named" ;;
    0,"$code_later" | "$code_later",0) later=$((later + 1)) ;;
    *) wrong "both starts went wrong" ;;
  esac
  right || wrong "the result is another than that of one start alone"
}

# two_starts NAME TIMES|thorough PREPARE CHECK WORD...: the command writes to t/out, and beside it.
two_starts() {
  local name=$1 times=${trials:-$2} prepare=$3 check=$4 before=$wrong began expected seconds code_a code_b code_later words
  shift 4
  [ "$times" != thorough ] || return
  words=("$@")
  rows=$((rows + 1))
  fresh
  began=$(date +%s%N)
  (start) >a.log 2>&1
  code_a=$? code_b=-
  seconds=$(awk -v ns=$(($(date +%s%N) - began)) 'BEGIN { print ns / 1e9 }')
  [ $code_a = 0 ] || wrong "one start alone fails"
  expected=$("$check")
  (start) >b.log 2>&1
  code_later=$?
  behind_one_that_stalls
  for _ in $(seq "$times"); do at_a_random_moment; done
  check "$name" equal "$wrong" "$before"
}

"$facemae" synth --out faces --identities 30 --images-per-identity 20 --log-level warn
"$facemae" unpack --store faces --to folder --out pictures --log-level warn
tar -cf pictures.tar pictures
"$facemae" store split faces --identities 0.5 --out half unseen --log-level warn
"$facemae" unpack --store faces --to folder --out few --log-level warn && rm -rf few/syn-*[1-9]
mkdir runs
"$facemae" pretrain --store faces --run runs/mae --steps 6 --batch 6 --model tiny --patch 28 --embedder-size 16 --embedder-width 4 \
  --threads 1 --save-every 2 --keep 5 --log-level warn >made.log 2>&1
"$facemae" recognize --store faces --run runs/net --steps 2 --batch 4 --threads 1 --log-level warn >>made.log 2>&1
"$facemae" export --from runs/mae --out mae.safetensors --log-level warn
"$facemae" pairs --store faces --out pairs.txt --pairs 100 --log-level warn
"$facemae" reconstruct --store unseen --from runs/mae --out rebuilt --private private --log-level warn
echo syn-0000003 >who

two_starts "synth" thorough nothing by_bytes synth --out t/out --identities 30 --images-per-identity 20
two_starts "pack of a folder" 1 nothing by_bytes pack --from folder --in pictures --out t/out --shard-mib 1
two_starts "pack of an archive" thorough nothing by_bytes pack --from tar --in pictures.tar --out t/out --shard-mib 1
two_starts "unpack to a folder" 0 nothing by_bytes unpack --store faces --to folder --out t/out
two_starts "unpack to a tar" thorough nothing by_bytes unpack --store faces --to tar --out t/out
two_starts "unpack to shards" thorough nothing by_bytes unpack --store faces --to tar --out 't/out-{0..4}.tar'
two_starts "unpack to a .rec" thorough nothing by_bytes unpack --store faces --to rec --out t/out
two_starts "store stage" 0 nothing by_bytes store stage unseen --to t/out
two_starts "store split" 0 nothing by_bytes store split faces --out t/out t/other
two_starts "store subset" thorough nothing by_bytes store subset faces --identities who --out t/out
two_starts "store remove" thorough nothing by_bytes store remove faces --identities who --out t/out
two_starts "store compact" 0 nothing by_bytes store compact unseen --out t/out
two_starts "store join" thorough nothing by_bytes store join unseen faces --same-people --out t/out
two_starts "store verify --repair-from" 0 damaged_store by_bytes store verify t/out --repair-from faces
two_starts "pairs" thorough nothing by_bytes pairs --store faces --out t/out --pairs 200
two_starts "export" 0 nothing by_bytes export --from runs/mae --out t/out
two_starts "import" thorough nothing by_bytes import --weights mae.safetensors --network facemae --out t/out
two_starts "show" thorough nothing by_bytes show "$PICTURE" --from runs/mae --out t/out
two_starts "embed" thorough nothing by_bytes embed --from runs/net --store unseen --out t/out
two_starts "checkpoint prune" thorough a_run of_a_run checkpoint prune t/out --keep 2
two_starts "pretrain" 0 nothing of_a_run pretrain --store faces --run t/out --steps 4 --batch 6 --model tiny --patch 28 \
  --embedder-size 16 --embedder-width 4 --threads 1 --save-every 2
two_starts "reconstruct" 0 nothing released reconstruct --store unseen --from runs/mae --out t/out --private t/private
two_starts "evaluate --csv" thorough nothing by_bytes evaluate --from runs/net --store faces --pairs pairs.txt --csv t/out
two_starts "audit" thorough nothing by_bytes audit --real unseen --released rebuilt --link private --attacks quick --report t/out
# Two jobs of one node: one copies the store, both train.
with_copies() { # with_copies RUN
  "$facemae" pretrain --store faces --run "t/$1" --steps 8 --batch 6 --model tiny --patch 28 --embedder-size 16 --embedder-width 4 \
    --threads 1 --local-dir t/disk --data-mode replica >"$1.log" 2>&1
}
for trial in $(seq "${trials:-1}"); do
  rm -rf t && mkdir t
  with_copies a &
  job=$!
  with_copies b || miss "the second job of a node fails (trial $trial)"
  wait $job || miss "the first job of a node fails (trial $trial)"
  grep -h "CRC\|cannot be used\|is not copied\|giving up\|gave up" a.log b.log && miss "copies of a node collide (trial $trial)"
  for copy in t/disk/*/*.h5; do cmp -s "$copy" "faces/${copy##*/}" || miss "$copy differs from the store (trial $trial)"; done
done
check "nothing but copies is left on the disk of a node" equal "$(ls t/disk/*)" shard-00000.h5

echo "$rows commands; at random moments $refused refused, $later after the end, $wrong wrong"
finish
