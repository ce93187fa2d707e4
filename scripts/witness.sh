#!/usr/bin/env bash
# Runs two builds of the program side by side on tiny synthetic stores and compares what they leave: the witness that a
# change of the code changes neither numbers nor files.
#
# usage: scripts/witness.sh OLD NEW [option...]
#        scripts/witness.sh --words PROGRAM DIR
#
# OLD and NEW are programs (build/release/app/facemae). Every case of the table below is run from nothing by both, on
# each number of ranks; compared are all digits of metrics.jsonl and evaluations.jsonl but for times, the root of every
# commit that HISTORY names, config.txt, outcome.json, the pictures of samples/ and the names and sizes of files. Cases
# whose name begins with resume- are stopped by OLD and ended by NEW. Both programs read the stores that OLD made.
#
# options
#   --only PATTERN     only the cases whose names match (grep -E)
#   --ranks "1 2 3"    numbers of ranks [1 2 3]
#   --quick            each case on one of these numbers only, on the next one in turn
#   --tolerance R      accepts losses, weights of losses and learning rates within this relative distance, as `near`; roots
#                      and pictures may then be others, and how far other figures lie apart is told
#   --cache DIR        keeps what OLD leaves, by the bytes of OLD, its --version and the words of the case: later runs
#                      with the same OLD run NEW alone
#   --jobs N           cases at once [1]
#   --list             the cases and their words, then stop
#   --words PROGRAM DIR
#                      writes what the program says of itself: --help of all commands and verbs, --print-config of all
#                      that have it. Two such folders are compared by diff -r
#   -h, --help         this text
#
# One line a case:  equal NAME ranks=N,  near NAME ranks=N: ...,  DIFFERS NAME ranks=N: what, OLD's | NEW's,  or FAULT
# when both fail alike, which is a fault of the table. The last line counts them. Exit: 0 when nothing differs, else 1.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

# name | command | exactly? | options. both: also with --exact, as NAME-exact. `resume` before a command: stopped at
# half. `files`: a command whose output goes to `out`; compared are the hashes of what it leaves there.
table() {
  cat <<'cases'
base|pretrain|both|--steps 20 --save-every 10
relation-distance|pretrain|both|--relation distance
relation-pkt|pretrain|both|--relation pkt
relation-similarity|pretrain|both|--relation similarity
relation-moments|pretrain|both|--relation moments
relation-none|pretrain|both|--relation none
weight-0|pretrain|both|--relation-weight 0
weight-half|pretrain|both|--relation-weight 0.5
weight-third|pretrain|both|--relation-weight 0.3
weight-auto|pretrain|both|--relation-weight auto:0.3
weight-auto-pkt|pretrain|both|--relation pkt --relation-weight auto:1 --relation-center --clip 0.5
center|pretrain|both|--relation-center
center-moments|pretrain|both|--relation moments --relation-center --relation-weight 0.5
global|pretrain|both|--relation-batch global
global-third|pretrain|both|--relation-batch global --accumulate 2 --relation-weight 0.3
global-accumulate-2|pretrain|both|--relation-batch global --accumulate 2 --relation distance
global-accumulate-3|pretrain|both|--relation-batch global --accumulate 3 --batch 13 --relation pkt --relation-weight 0.5
global-center-moments|pretrain|both|--relation-batch global --accumulate 2 --relation moments --relation-center
global-similarity|pretrain|both|--relation-batch global --accumulate 2 --relation similarity --clip 0.1
micro-accumulate-2-auto|pretrain|both|--accumulate 2 --relation-weight auto:0.3 --relation similarity --relation-center
accumulate-2|pretrain|both|--accumulate 2
accumulate-3|pretrain|both|--accumulate 3 --batch 13
batch-7|pretrain|both|--batch 7
batch-11-accumulate-2|pretrain|both|--batch 11 --accumulate 2
clip|pretrain|both|--clip 0.1
bfloat16|pretrain|plain|--precision bfloat16
bfloat16-global|pretrain|plain|--precision bfloat16 --relation-batch global --accumulate 2
bfloat16-auto|pretrain|plain|--precision bfloat16 --relation distance --relation-weight auto:0.3
yuv420|pretrain|both|--decode yuv420
no-flip|pretrain|both|--flip no
seed|pretrain|both|--seed 7
order-blocks|pretrain|both|--order blocks --order-lanes 4 --order-block 4
order-blocks-uncached|pretrain|plain|--order blocks --order-block 4 --order-lanes 8 --block-cache-mib 0
order-balanced|pretrain|both|--order balanced --order-images-per-identity 2
replica|pretrain|plain|--data-mode replica --local-dir local
mask-half|pretrain|both|--mask-ratio 0.5
hidden|pretrain|both|--reconstruction hidden
no-pixels|pretrain|both|--reconstruction none
pixels-weight|pretrain|both|--reconstruction-weight 0.25
normalised|pretrain|both|--normalise-patches --reconstruction hidden
activations|pretrain|both|--activation-checkpointing
patch-16|pretrain|plain|--patch 16 --steps 6 --save-every 3
redraw-never|pretrain|both|--embedder-redraw 0
redraw-3|pretrain|both|--embedder-redraw 3 --embedder-width 8
embedder-net|pretrain|both|--embedder net.safetensors --steps 4 --save-every 2
init|pretrain|both|--init mae.safetensors
mae-sgd|pretrain|both|--optimizer sgd --momentum 0.8 --lr 0.01
mae-polynomial|pretrain|plain|--schedule polynomial --warmup 0.3
mae-constant|pretrain|plain|--schedule constant --weight-decay 0 --beta1 0.8 --beta2 0.99
mae-epochs|pretrain|plain|--epochs 1.1 --log-every 3 --workers 2 --check-replicas 2
arcface|recognize|both|--steps 20 --save-every 10
cosface|recognize|both|--margin cosface
arcface-m-scale|recognize|both|--margin-m 0.3 --scale 32
cosface-m|recognize|both|--margin cosface --margin-m 0.2 --scale 30
straight|recognize|both|--margin-gradient straight-through
straight-cosface|recognize|both|--margin cosface --margin-gradient straight-through
mobilefacenet|recognize|both|--network mobilefacenet --steps 3 --save-every 2
shards-1|recognize|one|--class-shards 1
shards-1024|recognize|both|--class-shards 1024
net-accumulate-2|recognize|both|--accumulate 2 --batch 17 --steps 4 --save-every 2
net-accumulate-3|recognize|both|--accumulate 3 --batch 25 --margin cosface --steps 4 --save-every 2
net-batch-7|recognize|plain|--batch 7
net-batch-11|recognize|both|--batch 11
net-batch-19-accumulate-2|recognize|both|--batch 19 --accumulate 2 --steps 4 --save-every 2
adamw|recognize|both|--optimizer adamw --lr 1e-3 --weight-decay 0.05
no-momentum|recognize|both|--momentum 0 --weight-decay 0
net-cosine|recognize|plain|--schedule cosine --warmup 0.2
multistep|recognize|both|--schedule multistep
net-constant|recognize|plain|--schedule constant --clip 0
net-clip|recognize|both|--clip 1
frozen|recognize|both|--batch-norm frozen
augment|recognize|both|--augment adaface --crop-probability 0.5 --low-resolution-probability 0.5 --photometric-probability 0.5
augment-adamw|recognize|plain|--batch 12 --augment adaface --optimizer adamw --lr 1e-3 --accumulate 2
net-yuv420|recognize|both|--decode yuv420
net-bfloat16|recognize|plain|--precision bfloat16
net-bfloat16-cosface|recognize|plain|--batch 12 --precision bfloat16 --margin cosface --accumulate 2 --order balanced --order-images-per-identity 2
net-blocks|recognize|both|--order blocks --order-lanes 4 --order-block 4
net-balanced|recognize|both|--order balanced --order-images-per-identity 2
net-replica|recognize|plain|--data-mode replica --local-dir local
evaluated|recognize|both|--eval pairs.txt --eval-store faces --eval-every 2 --keep-best
net-init|recognize|both|--init net.safetensors
net-seed|recognize|plain|--seed 7 --flip no
resume-base|resume pretrain|both|--steps 8
resume-auto|resume pretrain|both|--steps 8 --relation distance --relation-weight auto:0.3 --accumulate 2 --relation-center
resume-global|resume pretrain|both|--steps 8 --relation-batch global --accumulate 2
resume-blocks|resume pretrain|plain|--steps 8 --order blocks --order-lanes 4 --order-block 4 --optimizer sgd
resume-arcface|resume recognize|both|--steps 8
resume-adamw|resume recognize|both|--steps 8 --batch 16 --optimizer adamw --lr 1e-3 --accumulate 2 --eval pairs.txt --eval-store faces --eval-every 3
resume-balanced|resume recognize|plain|--steps 8 --order balanced --order-images-per-identity 2 --augment adaface
synth|files|plain|synth --out out --identities 8 --images-per-identity 7
synth-seed|files|plain|synth --out out --identities 3 --images-per-identity 2 --seed 5 --first-identity 9
pairs|files|one|pairs --store faces --out out --folds 4 --pairs 40 --seed 3
unpack|files|one|unpack --store faces --to folder --out out
unpack-rec|files|one|unpack --store faces --to rec --out out
split|files|one|store split faces --identities 0.5 --seed 1 --out out out-b
embed|files|plain|embed --from net.safetensors --store faces --out out
embed-raw|files|plain|embed --from net.safetensors --store faces --out out --raw --no-flip
evaluate|files|plain|evaluate --from net.safetensors --store faces --pairs pairs.txt --csv out
export|files|one|export --from trained --out out
import|files|one|import --weights net.safetensors --network iresnet-tiny --out out
show|files|one|show --from mae.safetensors --out out --seed 2 pictures/syn-0000001/0.jpg
audit|files|one|audit --real seen --released release --link private --report out --embedder net.safetensors --pictures none
pack|files|plain|pack --in pictures --out out --seed 4
pack-resized|files|plain|pack --in pictures --out out --image-size 56 --resize
subset|files|one|store subset faces --max-images-per-identity 3 --out out
compact|files|one|store compact seen --out out
stage|files|one|store stage faces --to out
verify|files|plain|store verify faces --json out
info|files|one|store info seen --json out
checkpoint-show|files|one|checkpoint show trained --json out
checkpoint-verify|files|one|checkpoint verify trained --all --json out
checkpoint-list|files|one|checkpoint list trained --json out
cases
}
# What the words of a case do not say themselves. At most two saves: a third one may come a step later while the one
# before is still being written.
defaults_of() { # defaults_of COMMAND
  case $1 in
    pretrain) say --steps 8 --batch 8 --model tiny --patch 28 --lr 1e-3 --embedder-size 16 --embedder-width 4 --save-every 4 ;;
    recognize) say --steps 6 --batch 8 --lr 0.05 --class-shards 5 --save-every 3 ;;
  esac
}

words=no quick=no only= ranks="1 2 3" tolerance=0 cache= at_once=1 list=no programs=()
while [ $# -gt 0 ]; do
  case $1 in
    --words) once "$1"; words=yes ;;
    --only) once "$1"; only=${2:?--only needs a regular expression}; shift ;;
    --ranks) once "$1"; ranks=${2:?--ranks needs numbers}; shift ;;
    --tolerance) once "$1"; tolerance=${2:?--tolerance needs a number}; shift ;;
    --cache) once "$1"; cache=${2:?--cache needs a folder}; shift ;;
    --jobs) once "$1"; at_once=${2:?--jobs needs a number}; shift ;;
    --quick) quick=yes ;;
    --list) list=yes ;;
    -h | --help) usage; exit 0 ;;
    -*) say "witness.sh: unknown option $1; scripts/witness.sh --help lists them" >&2; exit 2 ;;
    *) programs+=("$1") ;;
  esac
  shift
done
[[ "$at_once" =~ ^[1-9][0-9]*$ ]] || { say "witness.sh: --jobs is a number from 1 on" >&2; exit 2; }
[[ "$tolerance" =~ ^[0-9.]+([eE][-+]?[0-9]+)?$ ]] || { say "witness.sh: --tolerance is a number like 1e-6" >&2; exit 2; }
[[ "$ranks" =~ ^[1-9][0-9]*(\ +[1-9][0-9]*)*$ ]] || { say "witness.sh: --ranks is numbers like \"1 2 3\"" >&2; exit 2; }

# expanded: NAME|COMMAND|RANKS|OPTIONS, a line for each run: those of the table, and the exact ones.
expanded() {
  local name command exactly options number some=($ranks) turn=0
  while IFS='|' read -r name command exactly options; do
    while :; do
      if [ $quick = yes ]; then some=($ranks) some=("${some[turn++ % ${#some[@]}]}"); fi
      for number in "${some[@]}"; do
        [ "$exactly" = one ] && [ "$number" != "${some[0]}" ] || say "$name|$command|$([ "$exactly" = one ] && echo 1 || echo "$number")|$options"
      done
      [ "$exactly" = both ] || break
      name+=-exact options+=" --exact --exact-slots 4" exactly=plain
    done
  done < <(table) | if [ -n "$only" ]; then awk -F'|' -v only="$only" '$1 ~ only'; else cat; fi
}
if [ $list = yes ]; then expanded; exit 0; fi
[ -n "$(expanded)" ] || { say "witness.sh: no case is called $only; scripts/witness.sh --list shows them" >&2; exit 2; }
if [ ${#programs[@]} != 2 ]; then
  say "witness.sh: OLD and NEW are needed (with --words: PROGRAM and DIR); scripts/witness.sh --help tells more" >&2
  exit 2
fi

whole() { # whole PROGRAM: with all of its path
  [ -f "$1" ] && [ -x "$1" ] || { say "witness.sh: $1 is not a program" >&2; exit 2; }
  say "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
}
old=$(whole "${programs[0]}") || exit 2

if [ $words = yes ]; then
  # listed: the commands or verbs that a help text of theirs names, one a line.
  listed() { awk '/^  [a-z]+  +[a-z]/ { print $1 }'; }
  into=${programs[1]}
  mkdir -p "$into" || exit 1
  [ -z "$(ls -A "$into")" ] || { say "witness.sh: $into is not empty" >&2; exit 2; }
  "$old" --help >"$into/help.txt" 2>&1
  # told NAME WORD...: its help; where it can print its options: what it says when it is given nothing, and the defaults
  # when it is given what it says is missing.
  told() {
    local name=$1 said wanted
    shift
    "$old" "$@" --help >"$into/$name.help.txt" 2>&1
    grep -q -e --print-config "$into/$name.help.txt" || return 0
    "$old" "$@" --print-config >"$into/$name.config.txt" 2>&1
    case $name in # what they ask for in words that are not a list
      evaluate) set -- "$@" --pairs word ;;
      store-split) set -- "$@" word --identities 0.5 --out word other ;;
      store-subset) set -- "$@" --max-images-per-identity 8 ;;
      unpack) set -- "$@" --to folder ;;
    esac
    for _ in 1 2 3 4; do
      said=$("$old" "$@" --print-config 2>&1) && break
      while read -r wanted; do
        [[ "$wanted" != --* ]] || set -- "$@" "$wanted"
        set -- "$@" "$(awk -v option="$wanted" '$1 == option { value = $2 }
          END { sub(/[|].*/, "", value); print value ~ /^(N|X)$/ ? 8 : value ~ /^(TEXT.*|)$/ ? "word" : value }' "$into/$name.help.txt")"
      done < <(sed -n 's/^.*give one of \(--[a-z-]*\).*/\1/p; s/^\(facemae:\)\{0,1\} *\([^ ]*\) is missing$/\2/p' <<<"$said")
    done
    printf '%s\n' "" "with $*:" "$said" >>"$into/$name.config.txt"
  }
  for command in $(listed <"$into/help.txt"); do
    told "$command" "$command"
    grep -q "VERB" "$into/$command.help.txt" || continue
    for verb in $(listed <"$into/$command.help.txt"); do told "$command-$verb" "$command" "$verb"; done
  done
  say "$(ls "$into" | wc -l) texts in $into"
  exit 0
fi
new=$(whole "${programs[1]}") || exit 2
compare=$root/scripts/witness_compare.py

work=$(mktemp -d "${TMPDIR:-/tmp}/facemae-witness.XXXXXX") || exit 1
# end_all PID: ends what it started, and that what it started in turn.
end_all() {
  local child
  for child in $(pgrep -P "$1"); do end_all "$child"; done
  [ "$1" = $$ ] || kill "$1" 2>/dev/null
}
trap 'end_all $$; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export OMP_NUM_THREADS=1
. "$root/scripts/ranks.sh"

hash_of() { sha256sum | cut -c1-24; }
if [ -n "$cache" ]; then mkdir -p "$cache" || exit 1; else cache=$work/cache; fi
cache=$cache/$({ cat "$old"; "$old" --version; } | hash_of)
mkdir -p "$cache" && cache=$(cd "$cache" && pwd) || exit 1

started_on() { # started_on N PROGRAM WORD...
  local number=$1
  shift
  if [ "$number" = 1 ]; then "$@"; else on_ranks "$number" "$@"; fi </dev/null
}
# training N PROGRAM COMMAND OPTION...: the options, and before them the defaults that they do not give themselves.
training() {
  local number=$1 program=$2 command=$3 defaults i line=()
  shift 3
  read -ra defaults < <(defaults_of "$command")
  defaults+=(--log-every 1)
  for ((i = 0; i < ${#defaults[@]}; i += 2)); do
    case " $* " in
      *" ${defaults[i]} "*) ;;
      *" --epochs "*) [ "${defaults[i]}" = --steps ] || line+=("${defaults[@]:i:2}") ;;
      *) line+=("${defaults[@]:i:2}") ;;
    esac
  done
  started_on "$number" "$program" "$command" --store faces --run run --threads 1 --keep 20 --log-level warn "${line[@]}" "$@"
}
# The stores and weights that cases read, made by OLD.
things=$cache/things
words_of_things="synth 8 7, pairs 4 40, mae 2, net 2"
make_things() {
  rm -rf "$things" "$things.new"
  mkdir "$things.new" && cd "$things.new" || return 1
  "$old" synth --out faces --identities 8 --images-per-identity 7 --log-level warn &&
    "$old" pairs --store faces --out pairs.txt --folds 4 --pairs 40 --log-level warn &&
    training 1 "$old" pretrain --steps 2 --seed 11 && "$old" export --from run --out mae.safetensors --log-level warn &&
    rm -r run && training 1 "$old" recognize --steps 2 --seed 12 &&
    "$old" export --from run --out net.safetensors --log-level warn && mv run trained &&
    say "$words_of_things" >.made && mv "$things.new" "$things"
}
if [ "$(cat "$things/.made" 2>/dev/null)" != "$words_of_things" ]; then
  (make_things) >"$work/things.log" 2>&1 || { cat "$work/things.log" >&2; fail "OLD cannot make the stores of the cases"; }
fi

# And what some commands read besides: a release with its private folder, and pictures.
make_more() {
  cd "$things" && rm -rf seen unseen pictures private release.new &&
    "$old" store split faces --identities 0.5 --seed 1 --out seen unseen --log-level warn &&
    "$old" unpack --store faces --to folder --out pictures --log-level warn &&
    "$old" reconstruct --store seen --from mae.safetensors --out release.new --private private --log-level warn &&
    mv release.new release
}
if [ ! -e "$things/release" ]; then
  (make_more) >"$work/more.log" 2>&1 || { cat "$work/more.log" >&2; fail "OLD cannot make the release of the cases"; }
fi

# record INTO PROGRAM FIRST COMMAND N OPTION...: runs a case in a folder of its own and leaves in INTO what is compared.
# FIRST is the program that begins a case that is stopped at half.
record() {
  local into=$1 program=$2 first=$3 command=$4 number=$5 here code after=$5
  shift 5
  here=$(mktemp -d "$work/run.XXXXXX") || return 1
  mkdir -p "$into"
  (
    cd "$here" && ln -s "$things"/* . || exit 1
    case $command in
      files) started_on "$number" "$program" "$@" --log-level warn ;;
      resume*)
        case " $* " in *" --exact "*) after=$((number % 3 + 1)) ;; esac
        training "$number" "$first" "${command#resume }" "$@" --stop-after 4
        [ $? = 76 ] && training "$after" "$program" "${command#resume }" "$@"
        ;;
      *) training "$number" "$program" "$command" "$@" ;;
    esac
  ) >"$here/log" 2>&1
  code=$?
  say $code >"$into/code"
  grep -a 'facemae: \|error\]' "$here/log" | tail -1 | sed 's/^.*\(facemae: \|error\] \)//' >"$into/said"
  if [ "$command" = files ]; then
    (cd "$here" && find out* -type f ! -path '*/.checked/*' -exec sha256sum {} + | sort -k2) >"$into/files" 2>/dev/null
  elif [ -d "$here/run" ]; then
    (
      cd "$here/run" || exit
      cp config.txt metrics.jsonl evaluations.jsonl outcome.json "$into" 2>/dev/null
      sed 's/\.a[0-9]* .* root / /' checkpoints/HISTORY >"$into/roots" 2>/dev/null
      sha256sum samples/* >"$into/pictures" 2>/dev/null
      find . -type f \( -name '*.safetensors' -printf '%p %s\n' -o ! -name VERIFIED -print \) | sed 's/tfevents.*/tfevents/' | sort >"$into/files"
    )
  fi
  rm -rf "$here"
}

one_case() { # one_case NAME COMMAND N OPTION...: prints its line
  local name=$1 command=$2 number=$3 kept mine
  shift 3
  kept=$cache/$name-$number-$(say "$words_of_things $(defaults_of "${command#resume }") $command $number $*" | hash_of)
  if [ ! -e "$kept/code" ]; then
    rm -rf "$kept.new"
    record "$kept.new" "$old" "$old" "$command" "$number" "$@"
    mv "$kept.new" "$kept"
  fi
  mine=$work/new-$name-$number
  record "$mine" "$new" "$old" "$command" "$number" "$@"
  python3 "$compare" "$kept" "$mine" "$name ranks=$number" "$tolerance" || say "DIFFERS $name ranks=$number: cannot be compared"
  case $(cat "$kept/code") in 0 | 76) ;; *) rm -rf "$kept" ;; esac # it may have been the machine's fault
}

running=0
while IFS='|' read -r name command number options; do
  if [ "$running" -ge "$at_once" ]; then wait -n; running=$((running - 1)); fi
  one_case "$name" "$command" "$number" $options </dev/null >"$work/line-$name-$number" && cat "$work/line-$name-$number" &
  running=$((running + 1))
done < <(expanded)
wait
count() { cat "$work"/line-* 2>/dev/null | grep -c "^$1 "; }
faults=$(count FAULT) differ=$(count DIFFERS)
if [ "$faults" != 0 ]; then say "$faults failed with both programs: faults of the table"; fi
say "$(count equal) equal, $(count near) near, $differ differ"
[ "$differ" = 0 ] && [ "$faults" = 0 ]
