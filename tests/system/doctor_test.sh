#!/usr/bin/env bash
# facemae doctor on this machine: not a word where a run would work, and planted faults by their line and exit code.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 4 --images-per-identity 5 --log-level warn 2>/dev/null || exit 1
says() { # says N OPTION...: what the doctor says on N ranks goes into said; fails unless it exits with 0
  local n=$1
  shift
  ranks "$n" doctor "$@" >said 2>errors
}
# No finding, but for what other tests on this machine cause meanwhile: files of killed ranks, and a disk that is busy.
only() {
  equal "$(awk '/^warning  (mem.leftovers|fs.sync)  / { skip = 1; next } skip && /^ *do:/ { next } { skip = 0 } 1' said |
    sed -E 's/^(A run would work)(, but slower than it could:|; look at) (mem.leftovers|fs.sync)(, (mem.leftovers|fs.sync))*\.$/\1./')" "A run would work."
}
left() { find . -name '.shared*' -o -name '*.tmp' -o -name 'r' -o -name '.doctor*'; }

begun=$SECONDS
check "alone, a run would work" says 1 --quick
check "and nothing is said beside" only
check "on two ranks, too, with a run and a store" says 2 --run r --store faces --local-dir . --json report.json
check "and nothing is said beside" only
check "both in time, also on a busy machine (after $((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 120
check "nothing of it stays" equal "$(left)" ""
python3 - <<'python' || miss "the report in JSON"
import json
report = json.load(open("report.json"))
assert report["schema"] == 1 and report["code"] == 0 and report["bad_nodes"] == [], report
states = {check["id"]: check["state"] for check in report["checks"]}
busy = {"mem.leftovers", "fs.sync"}
assert not [id for id, state in states.items() if state in ("warning", "problem") and id not in busy], report
for wanted in "mpi.answers mpi.library mpi.world mpi.threads cpu.mask mem.room fs.room store.readable local.room".split():
    assert states.get(wanted) == "ok", (wanted, states)
python
check "what is well is shown when asked for" says 2 --run r --quick --all
check "with the ranks" grep -q "^ok       mpi.world  2 ranks are one world$" said
check "and versions" grep -q "^note     sw.versions  facemae .*LibTorch" said
check "no node is bad" says 1 --quick --bad-nodes
check "so none is named" test ! -s said

ends_with 2 "no store" "^problem  store.readable  .*nowhere" "$facemae" doctor --store nowhere --quick
check "and what to do" grep -q "^         do: name a finished store" said
check "and the end says why" grep -qx "A run would not work: store.readable." said
touch file
ends_with 2 "a file where the run should be" "^problem  fs.sync  file/r cannot be written into: .*file is not a folder" \
  "$facemae" doctor --run file/r --quick
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
  mkdir frozen
  ends_with 2 "a run on a disk that is read-only" "^problem  fs.sync  frozen cannot be written into: .*Read-only" \
    unshare -m bash -c 'mount -t tmpfs -o ro none frozen && exec "$0" doctor --run frozen --quick' "$facemae"
  ends_with 2 "little room" "^problem  fs.room  .* has room for 4.0 MiB" \
    unshare -m bash -c 'mount -t tmpfs -o size=4m none frozen && exec "$0" doctor --run frozen --quick' "$facemae"
fi
ends_with 2 "another launcher" "^problem  mpi.world  .*PMI_RANK=0.*mpirun -n 4" env PMI_RANK=0 PMI_SIZE=4 "$facemae" doctor --quick
ends_with 0 "of which the first process speaks alone" "" env PMI_RANK=1 PMI_SIZE=4 "$facemae" doctor --quick
check "and the others are silent" test ! -s said
ends_with 0 "an odd variable" "^A run would work, but slower than it could: .*env.odd" \
  env CUDA_LAUNCH_BLOCKING=1 "$facemae" doctor --quick
ends_with 0 "an explanation" "^fs.seen: each node writes" "$facemae" doctor --explain fs.seen
ends_with 2 "an explanation of nothing" 'did you mean fs.seen\?' "$facemae" doctor --explain fs.sen
check "nothing of all that stays" equal "$(left)" ""
finish
