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
packed() { # packed N STORE OPTION...
  local n=$1 store=$2 words
  shift 2
  with_defaults --in faces -- "$@"
  ranks "$n" pack --from folder --out "$store" --json "$store.json" --log-level info "${words[@]}"
}
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
  one_differs 2 1 'set -- "$@" --seed 1' pack --from folder --in faces --out mixed --max-reject-fraction 0.5

# A start after the first does not list again; what came to a folder since is not seen, what has gone is a reject.
packed 2 again >/dev/null 2>&1
check "the list of a refused pack stays" test -e again/packing/catalogue.bin
cp "$PICTURE" faces/a/5.jpg && rm faces/a/4.jpg
ends_with 0 "the next start uses it" '9 images were listed by an earlier start' packed 2 again --max-reject-fraction 0.6
check "without the image that came" test -z "$(grep 'a/5.jpg' again/*.csv)"
check "nor the one that went" grep -q '"a/4.jpg","cannot be read' again/rejects.csv
rm faces/a/5.jpg && cp "$PICTURE" faces/a/4.jpg
chmod -R a-w folder1
ends_with 0 "a finished store that nobody may write tells its figures" 'made by an earlier start' packed 2 folder1 --max-reject-fraction 0.5
check "and is as it was" equal "$(digest folder1)" "$(digest folder2)"
mkdir faces/c && cp "$PICTURE" faces/c/1.jpg
ends_with 2 "other images are refused" 'catalogue_images was 9, now 10' packed 1 folder1 --max-reject-fraction 0.5
chmod -R u+w folder1
ends_with 65 "a pack that was refused" 'does not decode' packed 2 more
rm -r faces/c
ends_with 2 "is told when a folder of people is gone" 'listing the images again, because faces has changed' packed 1 more
check "and that the images are others" grep -q 'catalogue_images was 10, now 9' said
ends_with 2 "a pack that cannot begin leaves nothing" 'is not a folder' packed 2 nowhere --in missing
check "not even its folder" test ! -e nowhere

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
