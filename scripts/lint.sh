#!/usr/bin/env bash
# Checks the style of our C++ files: clang-format on all of them, clang-tidy on those that do not include LibTorch.
#
# usage: scripts/lint.sh [option...] [FILE...]
#
# options
#   --all        runs clang-tidy on every source, including those that include LibTorch
#   --fix        rewrites files: clang-format in place, and what clang-tidy can fix
#   -h, --help   this text
#
# clang-tidy reads sources in the batches in which they are compiled (reading other projects' headers takes most of the
# time), and needs a configured build (scripts/build.sh --tests; --all configures another in build/lint/tree). Files
# that passed are remembered in build/lint/ by the content of the file, of every header of ours that it reaches, and of
# .clang-tidy, so the second run takes seconds. Exit codes: 0 clean, 1 faults found, 77 nothing could be checked.
# clang-format differs between versions: this tree is formatted with version 14 (Debian 12), and no other is used.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

all=no fix=no only=()
for argument in "$@"; do
  case $argument in
    --all) all=yes ;;
    --fix) fix=yes ;;
    -h | --help) usage; exit 0 ;;
    -*) say "lint.sh: unknown option $argument; scripts/lint.sh --help lists them" >&2; exit 2 ;;
    *) only+=("$argument") ;;
  esac
done
cd "$root"
folders=(core cluster data model checkpoint evaluation trainer app bench tests)
if [ ${#only[@]} -gt 0 ]; then files=("${only[@]}"); else
  mapfile -t files < <(find "${folders[@]}" scripts -name '*.h' -o -name '*.cpp' | sort)
fi
faults=0 checked=0

if format=$(clang_format); then
  checked=1
  if [ $fix = yes ]; then "$format" -i "${files[@]}"; else
    unformatted=$("$format" --dry-run --Werror "${files[@]}" 2>&1 | sed -n 's/^\([^:]*\):.* error: .*/\1/p' | sort -u || true)
    if [ -n "$unformatted" ]; then
      faults=1
      say "lint: $(wc -l <<<"$unformatted") files are not formatted (scripts/lint.sh --fix does it):" \
        "$(head -8 <<<"$unformatted" | paste -sd' ')"
    fi
  fi
else
  say "lint: clang-format 14 is not here, formatting was not checked"
fi

tidy=$(command -v clang-tidy-14 || command -v clang-tidy || true)
tree=build/release
if [ $all = yes ] && [ -n "$tidy" ]; then # clang cannot read the precompiled headers of build/release
  tree=build/lint/tree
  cmake --preset release -B $tree -DFACEMAE_TESTS=ON -DFACEMAE_BENCH=ON >build/lint.log 2>&1 ||
    { cat build/lint.log >&2; fail "configuring $tree failed; scripts/setup.sh --tests installs what is missing"; }
  find "${folders[@]}" -name '*.proto' -exec protoc --proto_path=. --cpp_out=$tree {} +
fi
database=$root/$tree/compile_commands.json
if [ -z "$tidy" ] || [ ! -e "$database" ]; then
  say "lint: clang-tidy did not run: it is not installed, or $database is not there"
else
  checked=1
  declare -A own_sum closure
  includes_of() { sed -n "s%^ *#include \"\($root/\)\{0,1\}\([a-z_]*/[a-z_/0-9]*\.\(h\|cpp\)\)\".*%\2%p" "$1"; }
  visit() { # adds FILE and every header of ours that it reaches to `reached`
    local header
    [ -z "${closure[$1]:-}" ] && [ -e "$1" ] || return 0
    closure[$1]=1
    [ -n "${own_sum[$1]:-}" ] || own_sum[$1]=$(sha256sum <"$1")
    reached+="${own_sum[$1]}"
    for header in $(includes_of "$1"); do visit "$header"; done
  }
  mkdir -p build/lint
  mapfile -t sources < <(sed -n 's/^ *"command": "\(.*\)",$/\1/p; s/^ *"file": "\(.*\)"$/\1/p' "$database" |
    awk -v all=$all -v root="$root/" 'NR % 2 { torch = /-idirafter|cmake_pch/; next }
      index($0, root) == 1 && ($0 !~ /\/build\// || $0 ~ /\/Unity\//) && (all == "yes" || !torch) { print substr($0, length(root) + 1) }' | sort -u)
  rules=$("$tidy" --version | sha256sum)$(sha256sum <.clang-tidy)
  rules+=$(sha256sum <scripts/source_location_for_clang.h)
  todo=()
  for file in "${sources[@]}"; do
    if [ ${#only[@]} -gt 0 ]; then # the file itself, or a batch that holds it
      [[ " ${only[*]} " == *" $file "* ]] || includes_of "$file" | grep -qxF "$(printf '%s\n' "${only[@]}")" || continue
    fi
    [ -e "$file" ] || continue
    closure=() reached=
    visit "$file"
    key=$(printf '%s' "$rules$reached" | sha256sum | cut -d' ' -f1)
    if [ ! -e "build/lint/$key" ]; then todo+=("$file" "$key"); fi
  done
  say "lint: clang-tidy on $((${#todo[@]} / 2)) of ${#sources[@]} files (the rest has not changed since it passed)"
  if [ ${#todo[@]} -gt 0 ]; then
    export tidy fix tree
    # shellcheck disable=SC2016  # expanded by the inner shell
    printf '%s\n' "${todo[@]}" | xargs -d '\n' -n 2 -P "$(nproc)" bash -c '
      options=(--quiet -p $tree --extra-arg=-Wno-error "--extra-arg-before=-include$PWD/scripts/source_location_for_clang.h")
      if [ "$fix" = yes ]; then options+=(--fix); fi
      if [[ $1 == */Unity/* ]]; then options+=(--checks=-bugprone-suspicious-include); fi # a batch includes sources
      if said=$("$tidy" "${options[@]}" "$1" 2>/dev/null); then : >"build/lint/$2"; else printf "%s\n" "$said"; exit 1; fi' tidy ||
      faults=1
  fi
fi
[ $checked = 1 ] || exit 77
if [ $faults = 0 ]; then say "lint: clean"; fi
exit $faults
