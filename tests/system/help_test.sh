#!/usr/bin/env bash
# What the program says of itself: commands in groups, help of every command and verb in lines that fit, and no option
# that is described by "of ..."; and that every number of every command is refused when it is none, or too large to be meant.
. "$(dirname "$0")/lib.sh"
listed() { awk '/^  [a-z]+  +[a-z]/ { print $1 }'; }
# described: the description of each option in a help text, which begins in column 27 of its line or of the next one.
described() {
  awk '/^  --/ { waiting = 1; text = substr($0, 27); if (substr($0, 25, 2) == "  " && text ~ /^[^ (]/) { print text; waiting = 0 } next }
    waiting && substr($0, 1, 26) == sprintf("%26s", "") && substr($0, 27, 1) != " " { print substr($0, 27); waiting = 0 }'
}
told() { # told WORD...: the help of a command or verb goes into texts/
  "$facemae" "$@" --help >"texts/$(IFS=-; echo "$*")" </dev/null || miss "facemae $* --help"
}
mkdir texts
"$facemae" --help >commands
commands=$(sed -n '/^Data:/,/^A first run/p' commands | listed)
for command in $commands; do
  told "$command"
  grep -q " VERB" "texts/$command" || continue
  for verb in $(listed <"texts/$command"); do told "$command" "$verb"; done
done
check "commands come in three groups" equal "$(grep '^[A-Z].*:$' commands | head -3 | tr '\n' ' ')" "Data: Training: Using a model: "
check "and all are found" test "$(wc -w <<<"$commands")" -ge 16
cat texts/* | described >descriptions
check "descriptions are found" test "$(wc -l <descriptions)" -gt 200
check "each option has one" equal "$(wc -l <descriptions)" "$(cat texts/* | grep -c '^  --')"
check "none begins with \"of\"" equal "$(grep -i '^of ' descriptions)" ""
check "in a pipe no line is longer than 100 letters, but for commands to copy" \
  equal "$(cat commands texts/* | grep -Ev '(^|  )(facemae|mpirun) ' | awk 'length > 100')" ""

numbers() { awk -v type="$2" '/^  --/ && $2 == type { print $1 }' "texts/$1"; } # numbers TEXT TYPE: N whole ones, X others
refused() { # refused TEXT WHOLE OTHER: no number of the command takes these values
  local name words=()
  for name in $(numbers "$1" N); do words+=("$name=$2"); done
  for name in $(numbers "$1" X); do words+=("$name=$3"); done
  [ ${#words[@]} -gt 0 ] || return 0
  "$facemae" ${1/-/ } "${words[@]}" >said 2>&1
  equal $? 2 || return
  for name in $(numbers "$1" N) $(numbers "$1" X); do
    grep -qE -- "^( |facemae:)? *$name(: \"| must be)" said || { echo "  $name is taken"; return 1; }
  done
}
for text in $(cd texts && grep -lE '^  --[a-z0-9-]+ [NX]( |$)' *); do
  check "$text takes no number that is too large to be meant" refused "$text" 99999999999999999999 1e300
  check "$text takes only finite numbers in digits" refused "$text" 1e3 nan
done
"$facemae" pretrain --help >again
check "in a pipe help is the same every time" cmp again texts/pretrain
finish
