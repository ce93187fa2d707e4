#!/usr/bin/env bash
# Every source into a store and out again: folders, zips, tars, a .rec and a list give the same images.
. "$(dirname "$0")/lib.sh"
quiet="--log-level warn"
python=$SOURCE/.venv/bin/python
"$facemae" synth --out faces --identities 5 --images-per-identity 4 --first-identity 9998 $quiet 2>/dev/null || exit 1

# Digests of the images of each identity, whatever their file names.
digests() { (cd "$1" && find . -type f \( -name '*.jpg' -o -name '*.png' \) -print0 | sort -z | xargs -0 sha256sum |
  sed 's,^\([0-9a-f]*\) .*/\([^/]*\)/[^/]*$,\2 \1,' | sort); }
by_label() { awk '!($1 in n) { n[$1] = k++ } { print n[$1], $2 }' "$1"; }

"$facemae" unpack --store faces --to folder --out folder $quiet 2>/dev/null
check "unpack to folders" equal "$(find folder -name '*.jpg' | wc -l)" 20
digests folder >expected
ends_with 2 "an existing target is refused" 'exists' "$facemae" unpack --store faces --to folder --out folder
ends_with 2 "unpack wants to know to what" '--to is missing' "$facemae" unpack --store faces --out other
ends_with 2 "unpack names a missing store" 'nowhere' "$facemae" unpack --store nowhere --to tar --out other
check "and leaves nothing" test ! -e other

# round WHAT PACK_OPTION...: packs, unpacks, compares.
round() {
  local what=$1
  shift
  "$facemae" pack "$@" --out "store-$what" $quiet 2>"$what.log" && "$facemae" unpack --store "store-$what" --to folder --out "back-$what" $quiet 2>>"$what.log"
  check "$what: packed and unpacked" equal "$?" 0
  digests "back-$what" >"$what.digests"
}
round folder --from folder --in folder
check "folder: the same images of the same people" cmp expected folder.digests

"$facemae" unpack --store faces --to tar --out faces.tar $quiet 2>/dev/null
round tar --from tar --in faces.tar
check "tar: the same images of the same people" cmp expected tar.digests
if command -v zip >/dev/null; then
  mkdir zips zips/0 && (cd folder && for who in *; do zip -q -r "../zips/0/$who.zip" "$who"; done)
  round zip --from zip --in zips
  check "zip: the same images of the same people" cmp expected zip.digests
else
  echo "no zip program: no archive of zip's was packed"
fi
"$facemae" unpack --store faces --to tar --out 'one/f-{00..02}.tar' $quiet 2>/dev/null
ranks 2 unpack --store faces --to tar --out 'two/f-{00..02}.tar' $quiet 2>/dev/null
check "unpack to shards: two ranks write the bytes of one" diff -r one two
check "and as many shards as were asked for" equal "$(ls two | tr '\n' ' ')" "f-00.tar f-01.tar f-02.tar "
round shards --from tar --in two
check "shards: the same images of the same people" cmp expected shards.digests
ends_with 2 "shards that exist are refused" 'f-00.tar exists' "$facemae" unpack --store faces --to tar --out 'one/f-{00..02}.tar'
(cd folder && find . -name '*.jpg' | sort | sed 's,^\./\([^/]*\)/.*,&\,\1,') >list.csv
round list --from list --in list.csv --root folder
check "list: the same images of the same people" cmp expected list.digests
round piped --from list --in <(head -9 list.csv) --in <(tail -n +10 list.csv) --root folder
check "lists through pipes, --in given twice: the same" cmp expected piped.digests

"$facemae" unpack --store faces --to rec --out rec $quiet 2>/dev/null
round lst --from list --in rec/train.lst --root folder
check "the .lst of unpack: the same images with the same labels" equal "$(by_label lst.digests)" "$(by_label expected)"
round rec --from rec --in rec
check "rec: the same images with the same labels" equal "$(by_label rec.digests)" "$(by_label expected)"
rm rec/train.idx
round scanned --from rec --in rec/train.rec
check "rec without index: the same" cmp rec.digests scanned.digests

ends_with 0 "a dry run tells what would be made" '20 images of 5 identities' "$facemae" pack --from tar --in faces.tar --out dry --dry-run
check "and makes nothing" test ! -e dry
ends_with 2 "two .rec files are not one set" 'need not mean the same' "$facemae" pack --from rec --in rec rec --out x
ends_with 2 "--nested belongs to folders" 'belongs to --from folder' "$facemae" pack --from list --in list.csv --nested --out x
ends_with 2 "--root belongs to lists" 'belongs to --from list' "$facemae" pack --from folder --in folder --root . --out x
head -c 9000 faces.tar >cut.tar
ends_with 65 "a truncated tar is named" 'cut.tar.*truncated' "$facemae" pack --from tar --in cut.tar --out x
check "and nothing was made" test ! -e x/manifest.h5
ends_with 0 "help tells where WebFace260M goes" 'WebFace260M' "$facemae" pack --help

# Landmarks: points at the template leave the faces where they are, encoded again.
(cd folder && find . -name '*.jpg' | sed 's,^\./,,' | awk '{ print $1, "38.2946 51.6963 73.5318 51.5014 56.0252 71.7366 41.5493 92.3655 70.7299 92.2041" }') >points.txt
round aligned --from folder --in folder --landmarks <(printf '\xef\xbb\xbf'; sed 's/ /;/g; s/$/\r/' points.txt)
check "landmarks: every image aligned" equal "$(wc -l <aligned.digests)" 20
sed 's/^/x/' points.txt >others.txt
ends_with 2 "landmarks of other images are refused" 'landmarks of none' "$facemae" pack --from folder --in folder --out y --landmarks others.txt

if [ -e "$SOURCE/.venv/.complete" ]; then
  "$facemae" unpack --store faces --to rec --out rec2 $quiet 2>/dev/null
  ends_with 0 "an independent reader accepts our .rec" '20 images of 5 identities read' "$python" "$here/read_rec.py" rec2 folder
  if "$SOURCE/.venv-mxnet/bin/python" -c 'import mxnet' 2>/dev/null; then
    ends_with 0 "so does MXNet" 'MXNet read 20 images of 5 identities' "$SOURCE/.venv-mxnet/bin/python" "$here/read_with_mxnet.py" rec2
  else
    echo "no MXNet in .venv-mxnet (scripts/setup.sh --interop): it was not asked"
  fi
  if [ -d "${FACEMAE_SHARED_DATA:-none}/formats/insightface_rec_20x10" ]; then
    ends_with 0 "and InsightFace's" '200 images of 20 identities read' "$python" "$here/read_rec.py" "$FACEMAE_SHARED_DATA/formats/insightface_rec_20x10"
  fi
else
  echo "no .venv (scripts/setup.sh --interop): no independent reader was asked"
fi
finish
