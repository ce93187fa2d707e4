#!/usr/bin/env bash
# Makes the man page and the completion for bash of what the program says of itself: facemae help all.
#
# usage: scripts/manual.sh PROGRAM FOLDER
#
#   PROGRAM      a built facemae
#   FOLDER       where man/man1/facemae.1 and bash-completion/completions/facemae go: share/ of an installation
#   -h, --help   this text
#
# cmake --install calls it, so that both always tell of the program that is installed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
case ${1:-} in
  -h | --help) usage; exit 0 ;;
  '' | -*) say "manual.sh: wants a program and a folder; scripts/manual.sh --help explains" >&2; exit 2 ;;
esac
program=$1 folder=${2:?a folder}
mkdir -p "$folder/man/man1" "$folder/bash-completion/completions"
texts=$("$program" help all)

# --- the man page: a section for each page of help, as it is set for a pipe ---------------------------------------------
version=$("$program" --version | sed -n '1s/^facemae //p')
{
  say ".TH FACEMAE 1 \"\" \"facemae $version\" \"User Commands\""
  say ".SH NAME"
  say "facemae \- FaceMAE training on MPI clusters, from faces to a measured release"
  sed 's/\\/\\e/g; s/-/\\-/g; s/^\./\\\&./; s/^'"'"'/\\\&'"'"'/' <<<"$texts" | awk -v RS='\f' '
    { sub(/\n+$/, "")
      title = "DESCRIPTION"
      if (NR > 1) { match($0, /^facemae [a-z]+( [a-z]+)?/); title = toupper(substr($0, RSTART, RLENGTH)) }
      printf ".SH %s\n.nf\n%s\n.fi\n", title, $0 }'
} >"$folder/man/man1/facemae.1"

# --- the completion: commands, their verbs, and the options of each; other words are files ------------------------------
# "KEY|WORD WORD...": of the key "" the commands, of "store" its verbs, of "store verify" and "synth" their options.
words_of() {
  awk -v RS='\f' '
    { split($0, head, /[ :\n]/)
      key = head[2]
      verbs = NR == 1
      if (NR == 1) key = ""
      else if ($0 ~ /^facemae [a-z]+:/) { verbs = 1; group = key }
      else if (key == group) key = key " " head[3]
      words = NR == 1 ? "help --version" : verbs ? "--help" : ""
      lines = split($0, line, "\n")
      for (i = 1; i <= lines; i++)
        if (verbs ? match(line[i], /^  [a-z]+  +[a-z]/) : match(line[i], /^  --[a-z0-9-]+/)) { split(line[i], part, " "); words = words " " part[1] }
      print key "|" words }' <<<"$texts"
}
{
  cat <<'T'
# Completion of facemae for bash, made of its own help.
_facemae() {
  local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]:-} second=${COMP_WORDS[2]:-} words
  if [ "$COMP_CWORD" -lt 2 ]; then first=; fi
  if [ "$COMP_CWORD" -lt 3 ]; then second=; fi
  case "$first $second" in
T
  words_of | awk -F'|' '
    $1 ~ / / { printf "    \"%s\") words=\"%s\" ;;\n", $1, $2; next }
    { later = later sprintf("    \"%s \"%s) words=\"%s\" ;;\n", $1, $1 == "" ? "" : "*", $2) } # after the verbs, whose names are longer
    END { printf "%s", later }'
  cat <<'T'
    *) words= ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  if [ "$COMP_CWORD" -gt 1 ] && [[ $word != -* ]]; then mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word"); fi
}
complete -o filenames -F _facemae facemae
T
} >"$folder/bash-completion/completions/facemae"
