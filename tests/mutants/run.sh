#!/usr/bin/env bash
# Takes out each check of checkpoints in turn, builds, and asks the tests: each mutant must make one fail. What no test
# would miss is not needed, or not tested.
#
# usage: tests/mutants/run.sh [WORD]      only mutants whose description holds WORD
#
# Works on a copy of the sources in build/mutants, built as build/release is. Mutants of the order of writes and syncs
# are in tests/unit/checkpoint/tensors/crash_test.cpp, in the default tests. Not among them: the comparison of roots after
# loading, a second look at what the comparison of every leaf has shown. Prints a line for each; exits 1 when a mutant
# lived. By hand: a change of the code may move the lines here.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
case ${1:-} in -h | --help) usage; exit 0 ;; esac
only=${1:-}
tree=$root/build/mutants
mkdir -p "$tree"
# What differs gets a new time: an object of a mutant that was killed must not pass for that of the source.
(cd "$root" && git ls-files -co --exclude-standard) | while read -r file; do
  if ! cmp -s "$root/$file" "$tree/$file"; then
    mkdir -p "$(dirname "$tree/$file")"
    cp "$root/$file" "$tree/$file"
  fi
done
[ -e "$tree/.deps" ] || ln -s "$root/.deps" "$tree/.deps"
export FACEMAE_CRASH_STATES=300 FACEMAE_FLIPS=300 FACEMAE_SAVES=20 GTEST_FAIL_FAST=1
export GTEST_FILTER='-Crash.LeavingOut*:Crash.EachSync*:Crash.AnotherOrder*' # these are mutants themselves
export OMP_NUM_THREADS=1
tests_pass() {
  "$tree/scripts/build.sh" --tests --no-setup --target checkpoint_tests --target checkpoint_ranked_tests --target trainer_test \
    >"$tree/build.log" 2>&1 || return 2
  timeout 240 ctest --test-dir "$tree/build/release" -R 'checkpoint_tests|checkpoint_ranked|trainer_test' \
    --output-on-failure >"$tree/tests.log" 2>&1
}
lived=0 tried=0
mutant() { # mutant WHAT FILE OLD NEW
  local what=$1 file=$2 code=0
  [[ $what == *"$only"* ]] || return 0
  cp "$root/$file" "$tree/$file"
  OLD=$3 NEW=$4 perl -0pi -e '$n = s/\Q$ENV{OLD}\E/$ENV{NEW}/g; die "$ARGV: $n places\n" unless $n == 1' "$tree/$file"
  tests_pass || code=$?
  cp "$root/$file" "$tree/$file"
  tried=$((tried + 1))
  case $code in
    0) say "LIVED   $what"; lived=$((lived + 1)) ;;
    2) say "BROKEN  $what: does not build, $tree/build.log"; lived=$((lived + 1)) ;;
    *)
      reason=$(grep -oE '\[  FAILED  \] [A-Za-z]+\.[A-Za-z0-9]+|SIG[A-Z]+|SEGFAULT' "$tree/tests.log" | head -1) || true
      say "noticed $what: ${reason:-the tests come to no end}" ;;
  esac
}

tests_pass || fail "the tests fail without any mutant: $tree/build.log, $tree/tests.log"
say "the tests pass as they are"
mutant "a leaf's hash is not compared while reading" checkpoint/format/reader.cpp 'if (xxh128(target) != expected)' 'if (false && xxh128(target) != expected)'
mutant "a header's hash is not compared" checkpoint/format/reader.cpp 'if (xxh128(bytes_of(header)) != expected.header_hash)' 'if (false && (xxh128(bytes_of(header)) != expected.header_hash))'
mutant "the manifest's hash is not compared" checkpoint/history/discover.cpp 'bytes.size() != commit.manifest_bytes || xxh128(bytes_of(bytes)) != commit.manifest_hash' 'false && bytes.size() != 0'
mutant "a COMMIT of another step counts" checkpoint/history/discover.cpp 'if (parse_folder_name(folder.filename().string()) != commit.id)' 'if (false && (parse_folder_name(folder.filename().string()) != commit.id))'
mutant "a manifest of another step counts" checkpoint/history/discover.cpp 'if (manifest.id != commit.id)' 'if (false && (manifest.id != commit.id))'
mutant "sizes of files are not compared" checkpoint/history/discover.cpp 'if (size != file.bytes)' 'if (false && (size != file.bytes))'
mutant "COMMIT's checksum is not compared" checkpoint/format/commit_record.cpp 'if (take<std::uint32_t>(bytes, kCrcAt) != crc_of(bytes))' 'if (false && (take<std::uint32_t>(bytes, kCrcAt) != crc_of(bytes)))'
mutant "a COMMIT without its magic counts" checkpoint/format/commit_record.cpp 'if (bytes.compare(0, 8, kMagic) != 0)' 'if (false && (bytes.compare(0, 8, kMagic) != 0))'
mutant "memory is not compared after loading" checkpoint/tensors/restore.cpp 'if (piece.leaves != expected_leaves(tensor, leaves, range))' 'if (false && (piece.leaves != expected_leaves(tensor, leaves, range)))'
mutant "what is read back is not compared" checkpoint/format/staged_file.cpp 'if (xxh128(buffer) != expected)' 'if (false && (xxh128(buffer) != expected))'
mutant "a short file is not noticed after writing" checkpoint/format/staged_file.cpp '; size != report.file.bytes)' '; false && size != report.file.bytes)'
mutant "a manifest that cannot be read is committed" checkpoint/history/commit.cpp 'if (parse_manifest(bytes) != manifest)' 'if (false && (parse_manifest(bytes) != manifest))'
mutant "a fence's checksum is not compared" checkpoint/history/fences.cpp 'text.substr(end + 1) != fmt::format("{:08x}\n", crc32c(bytes_of(text.substr(0, end + 1))))' 'false'
mutant "a fence under another name counts" checkpoint/history/fences.cpp 'if (fence->start != start) fence.reset();' ''
mutant "commits of replaced starts count" checkpoint/history/fences.cpp 'return last != last_step_.end() && id.step <= last->second;' 'return last != last_step_.end() || !last_step_.empty();'
mutant "a branch that was left counts" checkpoint/history/fences.cpp ' && id.step <= last->second' ''
mutant "a start without a decision counts as the newest" checkpoint/history/fences.cpp 'if (!fence->second->decided) return {};' ''
mutant "a replaced start is not told" checkpoint/history/fences.cpp 'return other > start;' 'return other > start && false;'
mutant "a commit believes the ranks' reports" checkpoint/tensors/saver.cpp 'require_seen(checkpoints, manifest, patience);' ''
mutant "a file's size is not looked at" core/files/shared_view.cpp 'static_cast<std::uint64_t>(found.st_size) == expected.bytes' 'known'
mutant "what is not finite is saved" checkpoint/tensors/saver.cpp 'flight->not_finite = not_finite(flight->staging.file());' ''
mutant "what is not finite is loaded" checkpoint/tensors/store.cpp 'require_finite(into);' ''
mutant "weights that are not finite are given out" checkpoint/tensors/weights.cpp 'if (names.empty()) return weights;' 'return weights;'
mutant "a replaced start commits" checkpoint/tensors/saver.cpp 'if (control_.is_root()) taken = superseded(checkpoints_, flight_->id.start);' ''
mutant "a replaced start announces" checkpoint/tensors/saver.cpp 'flight->taken = superseded(checkpoints, flight->id.start);' ''
mutant "a replaced start removes what it finds damaged" checkpoint/tensors/saver.cpp 'if (superseded(checkpoints, flight->id.start)) return;  // the later start may have resumed from it' ''
mutant "a first checkpoint goes without a word in HISTORY" checkpoint/tensors/saver.cpp 'if (!has_history(checkpoints, {})) {' 'if (false) {'
mutant "a file that lost its end passes for one that cannot be read" checkpoint/format/staged_file.cpp 'if (size != report.file.bytes)
      throw CheckpointError' 'if (false)
      throw CheckpointError'
mutant "one that was passed over goes with any two" checkpoint/history/retention.cpp 'sound(other) && std::pair(other.id.start, other.id.step) > std::pair(id.start, id.step)' 'sound(other) && id.step > 0'
mutant "a replaced start tidies" checkpoint/history/tidy.cpp '  if (superseded(checkpoints, start)) return;' ''
mutant "a replaced start goes on deleting" checkpoint/history/tidy.cpp 'if (start && superseded(checkpoints, *start)) break;' 'if (start && superseded(checkpoints, *start) && false) break;'
mutant "one verified checkpoint is enough to delete" checkpoint/history/retention.cpp 'constexpr int kVerifiedToDelete = 2;' 'constexpr int kVerifiedToDelete = 1;'
mutant "a torn stamp counts" checkpoint/history/retention.cpp 'read_plain_file(folder / "VERIFIED") == stamp_of(folder)' '!read_plain_file(folder / "VERIFIED").empty()'
mutant "another model's checkpoint is loaded" checkpoint/tensors/store.cpp 'map != nullptr || info.model_hash == into.model_hash' 'true'
mutant "ranks with other tensors save together" checkpoint/tensors/saver.cpp 'if (!control_.same_everywhere(fingerprint(snapshot, flight.shape, start)))' 'if (false && (!control_.same_everywhere(fingerprint(snapshot, flight.shape, start))))'
say "$tried mutants, $lived not noticed"
[ $lived = 0 ]
