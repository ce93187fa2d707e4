#!/usr/bin/env bash
# An installed program runs, and beside it lie the batch template, a module file, a man page and completion for bash.
. "$(dirname "$0")/lib.sh"
ends_with 0 "cmake --install works" '' cmake --install "$BUILD" --prefix "$work/installed"
ends_with 0 "the installed program finds its libraries" 'LibTorch [0-9]' "$work/installed/bin/facemae" --version
# Where this machine's loader finds libraries (ld.so.conf, LD_LIBRARY_PATH) is no proof: each must lie in a folder that
# the program names, or in one of the distribution's own.
found_by_itself() {
  local library folder missing=0
  mapfile -t folders < <(readelf -d "$1" | sed -n 's/.*\(RUNPATH\|RPATH\).*\[\(.*\)\]/\2/p' | tr : '\n')
  for library in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    for folder in "${folders[@]}" /lib /usr/lib /lib64 /usr/lib64 "/lib/$(g++ -print-multiarch)" "/usr/lib/$(g++ -print-multiarch)"; do
      [ ! -e "$folder/$library" ] || continue 2
    done
    echo "  $library is in none of: ${folders[*]}"
    missing=1
  done
  return $missing
}
check "each of its libraries lies where it says itself" found_by_itself "$work/installed/bin/facemae"
ends_with 0 "and works" '' "$work/installed/bin/facemae" synth --out faces --identities 2 --images-per-identity 2
# The man page and the completion tell of every command, and of each option where it belongs.
share=$work/installed/share
"$facemae" help all >pages
commands=$("$facemae" --help | sed -n '/^Data:/,/^A first run/p' | awk '/^  [a-z]+  +[a-z]/ { print $1 }')
check "all commands are found" test "$(wc -w <<<"$commands")" -ge 16
page() { awk -v RS='\f' -v head="facemae $1" '{ next_letter = substr($0, length(head) + 1, 1) } index($0, head) == 1 && next_letter ~ /[ :\n]/ { printf "%s", $0; exit }' pages; }
check "each command's help is a page of help all" equal "$(page pretrain)" "$("$facemae" help pretrain)"
in_manual() { # in_manual COMMAND: its heading, and all its options in that section
  local section=${1^^} option
  awk -v section=".SH FACEMAE $section" '$0 == section { inside = 1; next } /^\.SH/ { inside = 0 } inside' "$share/man/man1/facemae.1" | sed 's/\\-/-/g' >section
  for option in $(page "$1" | awk '/^  --/ { print $1 }'); do
    grep -qE "^  $option( |$)" section || { echo "  $1 $option is not in the man page"; return 1; }
  done
  [ -s section ]
}
for command in $commands; do check "the man page has $command" in_manual "$command"; done
if command -v man >/dev/null && command -v groff >/dev/null; then
  check "man finds no fault in it" equal "$(man --warnings -E UTF-8 -l "$share/man/man1/facemae.1" 2>&1 >/dev/null)" ""
fi
completed() { # completed WORD...: what bash offers for the last one, as one line
  bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _facemae; echo "${COMPREPLY[*]}"' \
    "$share/bash-completion/completions/facemae" facemae "$@"
}
check "commands are completed" equal "$(completed '' | tr ' ' '\n' | sort | tr '\n' ' ')" "$(printf '%s\n' help --version $commands | sort | tr '\n' ' ')"
check "by their beginning" equal "$(completed recon)" reconstruct
check "verbs, too" equal "$(completed store ver)" verify
check "options of a command" equal "$(completed synth --id)" --identities
check "of a verb" equal "$(completed store verify --rep)" --repair-from
check "and files" equal "$(completed show fac | tr ' ' '\n' | grep -x faces)" faces
module=$share/facemae/modulefiles/facemae/$("$facemae" --version | sed -n 's/^facemae //p')
check "the module file names the place" grep -qF "prepend-path PATH {$work/installed/bin}" "$module"

templates=$work/installed/share/facemae/slurm
check "with the batch template and its supervisor" test -x "$templates/supervise.sh" -a -x "$templates/chain.sh" -a \
  -e "$templates/facemae.sbatch" -a -e "$templates/lib/decide.sh" -a -e "$templates/sites/openmpi-srun.env"
check "and the recipes" test -e "$work/installed/share/facemae/recipes/ms1mv3_r50"
unset FACEMAE # in templates it is the prefix, not the program
FACEMAE_DRY=1 bash "$templates/facemae.sbatch" pretrain --run here >dry.out
check "the template starts the program beside it" grep -q "^command: srun .* $work/installed/bin/facemae pretrain --run here$" dry.out

# A study of facemae compare by the template, as one task of an array outside of Slurm.
"$facemae" synth --out all --identities 12 --images-per-identity 4 --log-level warn
mkdir task-faces
"$facemae" store split all --identities 0.34 --seed 1 --out task-faces/held-out rest --log-level warn
"$facemae" store split rest --identities 0.5 --seed 2 --out task-faces/train task-faces/unseen --log-level warn
"$facemae" pairs --store task-faces/held-out --out task-faces/pairs.txt --pairs 20 --folds 2 --log-level warn
ends_with 0 "the template starts a task of a study" 'facemae audit --real stores/unseen' env SLURM_ARRAY_TASK_ID=0 \
  SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 bash "$templates/facemae.sbatch" compare --train task-faces/train \
  --unseen task-faces/unseen --held-out task-faces/held-out --pairs task-faces/pairs.txt --attacks all --task auto \
  --budget minutes --arms real,facemae --dry-run --out study
check "and it wrote its protocol" test -s "$work/study/protocol.json"
finish
