#!/usr/bin/env bash
# What one does with finished stores: every verb of `facemae store`, damage and repair, staging, a read-only disk.
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
"$facemae" synth --out faces --identities 40 --images-per-identity 10 --shard-mib 1 $quiet 2>/dev/null || exit 1
field() { grep -o "\"$2\": *[^,}]*" "$1" | head -1 | sed 's/.*: *//; s/"//g'; }
# told STORE KEY: what info says of a store.
told() { "$facemae" store info "$1" --json told.json $quiet >/dev/null && field told.json "$2"; }
flip() { # flip FILE BYTE
  local old
  old=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\$(printf %03o $((old ^ 8)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

ends_with 0 "store --help names every verb" 'compact' "$facemae" store --help
for verb in info list verify stage split subset remove compact join; do
  ends_with 0 "$verb --help has an example" "facemae store $verb" "$facemae" store $verb --help
done
ends_with 2 "an unknown verb gets the nearest" 'unknown command "store verfy": did you mean "verify"\?' "$facemae" store verfy faces
ends_with 0 "info tells images of each identity" 'images of each +10 to 10, median 10' "$facemae" store info faces
check "and so does its JSON" equal "$(told faces images) $(told faces identities) $(told faces kind)" "400 40 store"
check "there are several shards" test "$(told faces shards)" -gt 1

# Views and what becomes of them.
echo nobody-at-all >unknown.txt
ends_with 2 "an unknown identity is listed" 'nobody-at-all' "$facemae" store remove faces --identities unknown.txt --out gone
ends_with 2 "a request to remove nobody is refused" 'names nobody' "$facemae" store remove faces --identities /dev/null --out gone $quiet
ends_with 2 "an empty pipe is one" 'names nobody' "$facemae" store remove faces --identities <(printf '') --out gone $quiet
ends_with 2 "a subset of nobody too" 'names nobody' "$facemae" store subset faces --identities /dev/null --out gone $quiet
check "nothing was made" test ! -e gone
ends_with 0 "a request may come through a pipe, and is told" 'removed: 20 images of 2 identities' \
  "$facemae" store remove faces --identities <(printf 'syn-0000001\nsyn-0000002\n') --out gone --json gone.json
check "also in JSON" equal "$(sed -n '/"removed"/,/}/p' gone.json | tr -dc '0-9 ' | tr -s ' ')" " 2 20 "
check "and it is done" equal "$(told gone images) $(told gone identities)" "380 38"
printf 'syn-0000003\n' | "$facemae" store remove faces --identities /dev/stdin --out gone-too $quiet 2>/dev/null
check "/dev/stdin is read too" equal "$(told gone-too images)" 390

# Listing, and removing single images.
"$facemae" store list faces >list.tsv 2>/dev/null
check "list has a line for each identity" equal "$(wc -l <list.tsv) $(sed -n 3p list.tsv)" "$(printf '40 2\tsyn-0000002\t10')"
"$facemae" store list faces --images --identities <(echo syn-0000002) --json list.json >images.tsv 2>/dev/null
check "or for each image" equal "$(wc -l <images.tsv) $(cut -f2,3 images.tsv | uniq)" "$(printf '10 2\tsyn-0000002')"
check "also in JSON" equal "$(grep -c '"row"' list.json)" 10
row=$("$facemae" store list faces --image syn-0000002/3.jpg 2>/dev/null | cut -f1)
check "the row of a source's image is found" grep -q "^$row	" images.tsv
ends_with 2 "a name that no image has is refused" 'did you mean syn-' "$facemae" store list faces --image syn-000002x/3.jpg
printf '\357\273\277syn-0000002/3.jpg\r\n%s\r\n' "$(sed -n 1p images.tsv | cut -f1)" >gone.txt
ends_with 0 "single images are removed" 'removed: [12] images$' "$facemae" store remove faces --images gone.txt --out less
cut -f1 images.tsv >all.txt
ends_with 0 "whoever loses all is left out" 'left out: syn-0000002' "$facemae" store remove faces --images all.txt --out without
check "and counted" equal "$(told without images) $(told without identities)" "390 39"
for line in 400 -1 3.jpg syn-0000002/99.jpg ''; do
  ends_with 2 "\"$line\" names no image" 'no image of|names none' "$facemae" store remove faces --images <(echo "$line") --out no $quiet
done
check "nothing was made of them" test ! -e no
"$facemae" store split faces --identities 7 --out seven others $quiet
check "split by a number of identities" equal "$(told seven identities) $(told others identities)" "7 33"
ends_with 2 "which must leave one" 'one must be left' "$facemae" store split faces --identities 40 --out no1 no2 $quiet
ends_with 2 "and be whole" 'whole number' "$facemae" store split faces --identities 1.5 --out no1 no2 $quiet
ends_with 2 "a list of nobody is refused" 'no identity' "$facemae" store list faces --min-images-per-identity 11
ends_with 2 "nobody has so many images" 'no image would be left' "$facemae" store subset faces --min-images-per-identity 11 --out no $quiet
"$facemae" store split faces --identities 0.1 --seed 1 --out four rest $quiet
check "split keeps every image" equal "$(told four images) $(told rest images) $(told rest kind)" "40 360 view"
"$facemae" store subset faces --max-images-per-identity 2 --out few $quiet
check "subset limits the images of each" equal "$(told few images) $(told few identities)" "80 40"
"$facemae" store compact few --out own $quiet 2>/dev/null
check "compact makes a store of the same images" equal "$(told own images) $(told own kind)" "80 store"
ends_with 0 "which is sound" '0 file.s. and 0 image' "$facemae" store verify own $quiet
ends_with 2 "equal names of two stores are refused" '--same-people' "$facemae" store join few four --out unjoined $quiet
ends_with 2 "so is one store twice" 'twice' "$facemae" store join few own faces few --out unjoined $quiet
check "nothing was made of them" test ! -e unjoined/manifest.h5
"$facemae" store join four few --same-people --out joined --json joined.json $quiet 2>/dev/null
check "join puts them side by side" equal "$(told joined images) $(told joined identities) $(field joined.json shared_identities)" "120 40 4"
ends_with 0 "and soundly" '0 file.s. and 0 image' "$facemae" store verify joined $quiet

# Damage and repair, on two ranks.
cp -r faces backup
flip faces/shard-00000.h5 1048600
flip faces/identities.h5 3000
ends_with 65 "verify names the image" 'shard-00000.h5 index 0 \(row 0\)' ranks 2 store verify faces $quiet
check "and the file" grep -q 'faces/identities.h5: ' said
ends_with 0 "repair restores both" 'identities.h5: restored' ranks 2 store verify faces --repair-from backup $quiet
check "byte for byte" diff -r faces backup
flip faces/manifest.h5 100
ends_with 65 "a damaged manifest is named" 'manifest.h5 is damaged' "$facemae" store info faces
rm faces/shard-00001.h5
ends_with 0 "it and a missing shard are restored" 'shard-00001.h5: restored' ranks 2 store verify faces --repair-from backup $quiet
check "byte for byte too" diff -r faces backup
flip faces/shard-00000.h5 1048600
"$facemae" store subset faces --max-images-per-identity 10 --out everybody $quiet
ends_with 65 "compact stops at a bad image and says how to go on" '--skip-bad' "$facemae" store compact everybody --out whole $quiet
ends_with 0 "leaves it out when told" '1 image.s. cannot be read' "$facemae" store compact everybody --out whole --skip-bad $quiet
check "and lists it" equal "$(told whole images) $(told whole rejects) $(grep -c '"row 0 of everybody' whole/rejects.csv)" "399 1 1"
ends_with 65 "a copy of another store is refused" 'different stores' "$facemae" store verify faces --repair-from own $quiet
cp backup/shard-00000.h5 faces/

# Staging.
ends_with 0 "stage copies on two ranks" 'disk/faces' ranks 2 store stage faces --to disk $quiet
check "every file" diff -r --exclude=.checked faces disk/faces
ends_with 0 "a second time" 'disk/faces' ranks 2 store stage faces --to disk --json again.json $quiet
check "nothing is copied" equal "$(field again.json copied_files)" 0
ends_with 0 "a view takes its parent along" 'disk2/few' "$facemae" store stage few --to disk2 $quiet
mv faces away
ends_with 0 "and stands alone" '0 file.s. and 0 image' "$facemae" store verify disk2/few $quiet
mv away faces
ends_with 2 "a store on its own place is refused" 'it is there already' "$facemae" store stage faces --to . $quiet
mkdir -p disk3 && cp -r own disk3/faces
ends_with 2 "another store is not overwritten" 'another store is there' "$facemae" store stage faces --to disk3 $quiet

# A read-only disk, where this user may make one.
mkdir disk4
if mount -t tmpfs none disk4 2>/dev/null; then
  trap 'umount "$work/disk4" 2>/dev/null; rm -rf "$work"' EXIT
  cp -r faces few disk4/
  mount -o remount,ro disk4
  ends_with 0 "info reads a read-only disk" 'images' "$facemae" store info disk4/faces
  ends_with 0 "verify too" '0 file.s. and 0 image' ranks 2 store verify disk4/few $quiet
  ends_with 0 "stage too" 'disk5/few' "$facemae" store stage disk4/few --to disk5 $quiet
  ends_with 0 "views of it go elsewhere" '' "$facemae" store split disk4/faces --out ro-a ro-b $quiet
  ends_with 0 "pairs too" '' "$facemae" pairs --store disk4/faces --out pairs.txt --folds 2 --pairs 40 $quiet
  ends_with 0 "training too" '' "$facemae" pretrain --store disk4/few --run ro-run --steps 1 --batch 4 --patch 28 --model tiny \
    --relation none --threads 1 $quiet
  umount disk4
else
  echo "skipped: a read-only disk (mounting needs root)"
fi
finish
