#!/usr/bin/env bash
# What a step sends over MPI is what bench/model_costs.py says, to the call and to the byte: the figures of docs/PERFORMANCE.md,
# "At scale, computed", rest on it.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "SKIP: no python3 here"; exit 77; }
"$facemae" synth --out faces --identities 10 --images-per-identity 6 --log-level warn

# counted RANKS RUN STEPS COMMAND OPTION...: lines "VERB CALLS BYTES" of a whole run.
counted() {
  local n=$1 run=$2 count=$3
  shift 3
  LD_PRELOAD=$COUNT_CALLS on_ranks "$n" "$facemae" "$@" --store faces --run "$run" --steps "$count" \
    --save-every 1000 --log-every 1000 --check-replicas 0 --threads 1 --log-level error 2>&1 | sed -n 's/^counted //p' | sort
}
# per_step RANKS COMMAND OPTION...: of one step, what six steps send more than two, by four. Start and end cancel.
per_step() {
  local n=$1
  shift
  rm -rf short long
  join <(counted "$n" short 2 "$@") <(counted "$n" long 6 "$@") | awk '{ print $1, ($4 - $2) / 4, ($5 - $3) / 4 }'
}
modelled() { # modelled CONFIG WORD...
  python3 -B "$SOURCE/bench/scale_model.py" --volumes "$(IFS=,; echo "$*")" --json | python3 -c '
import json, sys
step = json.load(sys.stdin)["step"]
for verb in ("all_gather", "all_reduce", "reduce_scatter"):
    print(verb, *step.get(verb, {"calls": 0, "bytes": 0}).values())'
}
small=(--batch 12 --model tiny --patch 28 --embedder-size 16 --embedder-width 4)
for n in 2 3; do
  check "pretraining, $n ranks" equal "$(per_step "$n" pretrain "${small[@]}" --accumulate 2)" "$(modelled long/config.txt "ranks=$n" gpu=no)"
  check "recognition, $n ranks" equal "$(per_step "$n" recognize --batch 12 --eval-every 0)" "$(modelled long/config.txt "ranks=$n" gpu=no classes=10 packed-labels=yes)"
done
check "pretraining without a relation" equal "$(per_step 2 pretrain "${small[@]}" --relation none)" "$(modelled long/config.txt ranks=2 gpu=no)"
finish
