#!/usr/bin/env bash
# Stores made on ranks: equal bytes for any number, and after a rank was killed.
. "$(dirname "$0")/lib.sh"
make() { # make N STORE OPTION...: the same faces each time
  local n=$1 store=$2
  shift 2
  ranks "$n" synth --out "$store" --identities 30 --images-per-identity 20 --seed 3 --shard-mib 1 --log-level warn "$@" 2>>made.log
}
digest() { (cd "$1" && sha256sum ./* | sha256sum); }

make 1 one
check "synth on one rank" test -e one/manifest.h5
make 3 three --threads 1
check "synth on three ranks makes the same bytes" equal "$(digest one)" "$(digest three)"

mkdir -p faces/a faces/b
for i in 1 2 3 4; do
  cp "$PICTURE" "faces/a/$i.jpg"
  head -c $((2000 + i)) "$PICTURE" >"faces/b/cut$i.jpg"
done
cp "$PICTURE" faces/b/whole.jpg
packed() { ranks "$1" pack --from folder --in faces --out "$2" --json "$2.json" --log-level info "${@:3}"; }
ends_with 65 "too many rejects on two ranks" 'does not decode.*rejects.csv' packed 2 refused
check "leave their list and the journal" equal "$(ls refused)" "packing
rejects.csv"
check "and it is said how to go on" grep -q -- '--max-reject-fraction 0.45 ' said
ends_with 0 "with a larger fraction the same place goes on" '4 rejected' packed 1 refused --max-reject-fraction 0.5
ends_with 0 "within the policy" '4 rejected, 4 does not decode' packed 2 folder2 --max-reject-fraction 0.5
packed 1 folder1 --max-reject-fraction 0.5 2>>made.log
check "one rank makes the same" equal "$(digest folder1)" "$(digest folder2)"
check "duplicates are listed by name" grep -q '"b/whole.jpg","a/1.jpg"' folder2/duplicates.csv
check "and counted" grep -q '"duplicates": 4' folder2.json
check "rejects are counted by reason" grep -q '"does not decode": 4' folder2.json
ends_with 65 "another image size is refused at once, with examples" 'not 64 x 64: [ab]/' packed 1 small --image-size 64 --max-reject-fraction 0.5
ends_with 2 "ranks that see different sources" 'do not see the same images' \
  mpirun --bind-to none --oversubscribe -n 1 "$facemae" pack --from folder --in faces --out mixed --max-reject-fraction 0.5 : \
  -n 1 "$facemae" pack --from folder --in faces --out mixed --max-reject-fraction 0.5 --seed 1

make 2 killed --threads 1 &
job=$!
for _ in $(seq 600); do [ -e killed/packing/shard-00000.json ] && break; sleep 0.02; done
kill -9 "$(its_ranks "$job" | tail -1)" 2>/dev/null
wait "$job"
check "a killed rank ends the pack" test ! -e killed/manifest.h5
check "and leaves notes" test -e killed/packing/shard-00000.json
ends_with 0 "the same command on another number of ranks goes on" 'made by an earlier start' \
  "$facemae" synth --out killed --identities 30 --images-per-identity 20 --seed 3 --shard-mib 1 --threads 1
check "to the same bytes" equal "$(digest one)" "$(digest killed)"
finish
