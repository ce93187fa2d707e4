#!/usr/bin/env bash
# Stopped, killed or moved to another number of ranks, a run goes on exactly.
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1

tiny_run 2 calm 10 || { cat calm.log; exit 1; }
expected=$(weights calm)
check "a finished run leaves outcome 0" equal "$(outcome calm)" 0

tiny_run 2 halves 10 --stop-after 5
check "--stop-after ends in 76" equal "$?" 76
check "and its outcome says so" equal "$(outcome halves)" 76
tiny_run 2 halves 10 --stop-after 5
check "the same command goes on to the end" equal "$?" 0
check "to the same bits" equal "$(weights halves)" "$expected"
check "with the same losses" equal "$(losses halves)" "$(losses calm)"
tiny_run 2 halves 10
check "a finished run run again is done at once" equal "$?" 0
check "and unchanged" equal "$(weights halves)" "$expected"

tiny_run 3 moved 10 --stop-after 5
tiny_run 2 moved 10
check "3 ranks to 2: the run ends" equal "$?" 0
close_losses() { # close_losses RUN: those of the calm run within 1e-4
  awk '
    NR == FNR { want[$1] = $2; next }
    { d = $2 - want[$1]; if (d < 0) d = -d; if (d > 1e-4 * want[$1] || !($1 in want)) bad = 1; seen++ }
    END { exit bad || seen != 10 }' <(losses calm) <(losses "$1")
}
check "3 ranks to 2: losses within 1e-4" close_losses moved

tiny_run 2 parts 10 --shard-optimizer --stop-after 3
tiny_run 1 parts 10 --stop-after 6
tiny_run 3 parts 10 --shard-optimizer --check-replicas 2
check "a sharded optimizer on 2 ranks, a whole one on 1, a sharded one on 3: the run ends" equal "$?" 0
check "with losses within 1e-4" close_losses parts
tiny_run 2 again 10 --shard-optimizer && tiny_run 2 in_two 10 --shard-optimizer --stop-after 5
tiny_run 2 in_two 10 --shard-optimizer
check "sharded all the time, and stopped in between: the same bits" equal "$(weights in_two)" "$(weights again)"

# SIGKILL of everything at a moment that nobody chose.
hits=0
for delay in 0.3 0.9 1.6 2.4; do
  rm -rf killed killed.log
  tiny_run 2 killed 10 &
  job=$!
  sleep "$delay" # not a synchronisation: any moment will do
  kill -KILL $(launcher "$job") $(its_ranks "$job") 2>/dev/null
  wait "$job" 2>/dev/null || hits=$((hits + 1))
  first=$(ls -d killed/checkpoints/s*/COMMIT 2>/dev/null | wc -l)
  tiny_run 2 killed 10
  check "killed after $delay s ($first commit(s) by then): ends" equal "$?" 0
  check "killed after $delay s: same bits" equal "$(weights killed)" "$expected"
done
check "some of the kills came before the end" test $hits -ge 1

rm -rf early early.log
tiny_run 2 early 10 --stop-after 2 --save-every 100
rm -rf early/checkpoints/s* # as if it had died before the first commit
tiny_run 2 early 10
check "killed before the first commit: starts at 0 and ends with the same bits" equal "$(weights early)" "$expected"

# The newest checkpoint is corrupt: the one before is taken, and the reason is told.
tiny_run 1 rotten 10 --stop-after 9
newest=$(ls -d rotten/checkpoints/s* | tail -1)
file=$(ls "$newest"/*.safetensors | head -1)
printf '\377' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc status=none
tiny_run 1 rotten 10
check "a corrupt newest checkpoint: the run goes on from the one before" equal "$?" 0
check "and says why" grep -q "corrupt, trying the one before" rotten.log
tiny_run 1 sound 10
check "to the same bits" equal "$(weights rotten)" "$(weights sound)"
for manifest in rotten/checkpoints/s*/COMMIT; do printf 'x' | dd of="$manifest" bs=1 conv=notrunc status=none; done
tiny_run 1 rotten 10
check "history but nothing valid: exit 93" equal "$?" 93

# Storage that does not answer for a while is no reason to give up checkpoints, nor to stop for good.
touch silent
LD_PRELOAD=$FAILING_DISK FAILING_PATH=COMMIT FAILING_WHEN=$work/silent tiny_run 1 sound 10
check "storage that does not answer: exit 75" equal "$?" 75
check "and it was asked again first" grep -q "retrying in 4000 ms" sound.log
tiny_run 1 sound 10
check "once it answers, the run is there" equal "$?" 0

# Nor to call a checkpoint damaged that cannot be read back.
LD_PRELOAD=$FAILING_DISK FAILING_PATH=r00000.safetensors FAILING_WHEN=$work/silent tiny_run 1 unread 3
check "a checkpoint that cannot be read back: the run ends well" equal "$?" 0
check "and says so" grep -q "could not be read back" unread.log
check "the checkpoint stays, without a stamp" equal "$(ls unread/checkpoints/s*3.a*/ | grep -c 'COMMIT\|VERIFIED')" 1

# Settings that alter the result are refused; a notice commits.
tiny_run 1 sound 10 --mask-ratio 0.5
check "a changed setting is refused with 2" equal "$?" 2
check "and shown" grep -q "mask-ratio: was 0.75, is 0.5" sound.log
tiny_run 1 sound 12 --batch 4 --allow-changes
check "another global batch is refused in any case" equal "$?" 2

# Failing again and again without a commit is not repeated for ever.
for start in 1 2 3; do FACEMAE_FAILPOINT='loop.step#3=throw' tiny_run 1 vain 10 --save-every 100; done
check "the third start fails by its own error" equal "$(outcome vain)" 1
tiny_run 1 vain 10 --save-every 100
check "the fourth start without progress is refused with 93" equal "$?" 93
check "and told the reason" grep -q "makes no progress: 3 starts in a row" vain.log
tiny_run 1 vain 10 --save-every 100 --max-idle-starts 0
check "--max-idle-starts 0 lets it go on" equal "$?" 0

# Looking and pruning.
tiny_run 1 kept 9 --save-every 1 --keep 9 --keep-every 3
"$facemae" checkpoint verify kept --all --stamp --log-level warn >verified.txt 2>/dev/null
check "checkpoint verify reads all checkpoints" equal "$(grep -c 'every hash is right' verified.txt)" "$(ls -d kept/checkpoints/s* | wc -l)"
there() { ls kept/checkpoints | grep '^s' | sed 's/s0*\([0-9]*\)\..*/\1/' | paste -sd' '; }
before=$(there)
"$facemae" checkpoint prune kept --log-level warn >/dev/null
check "prune keeps what the run was told to keep" equal "$(there)" "$before"
"$facemae" checkpoint prune kept --keep 2 --log-level warn >/dev/null
check "and with --keep 2 the last two and every third" awk -v steps="$(there)" -v before="$before" 'BEGIN {
  n = split(before, b, " ")
  for (i = 1; i <= n; i++) if (i > n - 2 || b[i] % 3 == 0) want = want (want == "" ? "" : " ") b[i]
  if (want != steps) print "  " steps " instead of " want
  exit want != steps }'
file=$(ls kept/checkpoints/s*9.*/r*.safetensors)
printf '\377' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc status=none
ends_with 65 "checkpoint verify names the damage" 'is damaged in r00000.safetensors' "$facemae" checkpoint verify kept

# Initial weights are needed once.
"$facemae" export --from sound --out first.safetensors --log-level warn
tiny_run 1 initialised 6 --init first.safetensors --stop-after 3
rm first.safetensors
tiny_run 1 initialised 6 --init first.safetensors
check "a run goes on without the weights that it began with" equal "$?" 0

# A person asks to be removed: recognition goes on with the classes of those who stay.
recognise() { ranks 2 recognize --run net --steps 6 --batch 8 --class-shards 8 --threads 1 --save-every 100 --log-level info "$@" >>net.log 2>&1; }
recognise --store faces --stop-after 3
"$facemae" unpack --store faces --to folder --out folder --log-level warn 2>/dev/null
ls folder | sed -n 3p >who.txt # classes are numbered by name
"$facemae" store remove faces --identities who.txt --out fewer --log-level warn 2>/dev/null
recognise --store fewer
check "other identities are refused without a map" equal "$?" 2
printf 'now,before\n0,0\n1,1\n2,3\n3,4\n4,5\n' >map.csv
recognise --store fewer --class-map map.csv
check "with --class-map the run goes on without the one removed" equal "$?" 0
check "and says so" grep -q "with the classes of --class-map" net.log

tiny_run 2 noticed 100000 --save-every 1000000 &
job=$!
for _ in $(seq 300); do [ -s noticed/metrics.jsonl ] && break; sleep 0.1; done
tiny_run 1 noticed 100000 --save-every 1000000
check "a second job on the same run is refused with 93" equal "$?" 93
check "and told who owns it" grep -q "belongs to another job" noticed.log
check "its status is running" grep -q '^noticed: running on 2 rank(s)' <("$facemae" status noticed)
kill -USR2 "$(launcher "$job")"
wait "$job"
check "USR2 to mpirun: commits and ends in 76" equal "$?" 76
check "its status is stopped, with the reason" grep -q 'stopped (76): notice' <("$facemae" status noticed)
for signal in TERM USR2; do
  tiny_run 2 noticed 100000 --save-every 1000000 &
  job=$!
  lines=$(wc -l <noticed/metrics.jsonl)
  for _ in $(seq 300); do [ "$(wc -l <noticed/metrics.jsonl)" -gt "$lines" ] && break; sleep 0.1; done
  kill -s "$signal" "$(its_ranks "$job" | tail -1)"
  wait "$job"
  check "$signal to a rank: commits and ends in 76" equal "$?" 76
done
finish
