# What RUN says, read without a fork: Slurm's TERM goes to what bash forks, too, and an answer would be missing. Each
# function sets the variable INTO. Sourced by slurm/supervise.sh; needs `run`.
# shellcheck shell=bash disable=SC2154  # `run` is the supervisor's

# found PATTERN: looks for it in RUN/outcome.json
found() {
  local outcome=''
  read -r -d '' outcome 2>/dev/null <"$run/outcome.json"
  [[ $outcome =~ $1 ]]
}
# number NAME INTO: that number, nothing where there is none
number() { if found "\"$1\" *: *([0-9]+)"; then printf -v "$2" %s "${BASH_REMATCH[1]}"; else printf -v "$2" ''; fi; }
# text NAME INTO: that text, as it is between its quotes
text() {
  if found "\"$1\" *: *\"(([^\"\\]|\\\\.)*)\""; then printf -v "$2" %s "${BASH_REMATCH[1]}"; else printf -v "$2" ''; fi
}
# hosts INTO: an array of the nodes that the outcome names
hosts() {
  # shellcheck disable=SC2034  # a reference
  local -n names_into=$1
  names_into=()
  if found '"hosts" *: *\[([^]]*)\]'; then IFS=' ,"' read -ra names_into <<<"${BASH_REMATCH[1]//[\", ]/ }"; fi
}
was_asked() { found '"asked" *: *true'; } # somebody asked for the stop

# kind CODE INTO: as lib/decide.sh has it
kind() {
  case $1 in
    0) printf -v "$2" complete ;;
    2 | 65 | 66 | 67 | 93) printf -v "$2" final ;;
    76) printf -v "$2" stopped ;;
    *) printf -v "$2" lost ;;
  esac
}

# committed INTO: the newest start that committed something and its newest step, "-1 -1" when there is none. Sorted by
# start first: after a damaged checkpoint was abandoned, lower steps than before are progress.
committed() {
  local name of_start at_step newest_start=-1 newest_step=-1
  for name in "$run"/checkpoints/s*.a*/COMMIT; do
    [ -e "$name" ] || continue
    name=${name%/COMMIT} name=${name##*/s}
    of_start=$((10#${name#*.a})) at_step=$((10#${name%%.*}))
    if [ "$of_start" -gt "$newest_start" ] || { [ "$of_start" = "$newest_start" ] && [ "$at_step" -gt "$newest_step" ]; }; then
      newest_start=$of_start newest_step=$at_step
    fi
  done
  printf -v "$1" %s "$newest_start $newest_step"
}
