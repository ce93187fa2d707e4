#!/usr/bin/env bash
# Checks what you have changed, before you commit it: format, architecture, and the unit tests of the folders that differ.
#
# usage: scripts/check.sh [option...]
#
#   format         clang-format 14 on the C++ files that differ (scripts/lint.sh --fix FILE... rewrites them)
#   build          only the test programs that are needed
#   architecture   tests/architecture over the whole tree
#   tests          for a change in data/store/: the suites in tests/unit/data/store/ and tests/ranked/data/store/; in
#                  scripts/ and .github/: the scripts' own test; in slurm/: slurm_supervise and slurm_decide; in packaging/ and cmake/: packaging; in app/ and tests/system/:
#                  the program is built, and runs system/bad_input or the tests that were changed
#
# options
#   --base REF     what differs from this commit, and what is not committed [where this branch left main; on main: HEAD]
#   --preset NAME  dev (default) or release, which is faster from nothing where much sees LibTorch: built in build/NAME
#   -h, --help     this text
#
# Folders that only depend on a changed one are not tested, nor is anything linted or run under a sanitizer: continuous
# integration does that, with scripts/test.sh --checks. Where the programs have been built before it takes a minute or
# two; the first time, folders that see LibTorch take longer. The last line is
#   N passed, N failed
# and the exit code is 0 only if nothing failed. It counts GoogleTest tests, scripts, and one each for format and build.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

base= preset=dev
while [ $# -gt 0 ]; do
  case $1 in
    --base) once "$1"; base=${2:?--base needs a commit}; shift ;;
    --preset) once "$1"; preset=${2:?--preset needs a name}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) say "check.sh: unknown option $1; scripts/check.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done
case $preset in dev | release) ;; *) say "check.sh: --preset is dev or release, not $preset" >&2; exit 2 ;; esac

cd "$root" || exit 1
git rev-parse --verify --quiet HEAD >/dev/null || fail "$root is no git repository with a commit: nothing to compare with"
if [ -n "$base" ]; then
  git rev-parse --verify --quiet "$base^{commit}" >/dev/null ||
    { say "check.sh: there is no commit $base; git branch -a lists branches" >&2; exit 2; }
else
  base=HEAD
  if [ "$(git symbolic-ref --quiet --short HEAD)" != main ]; then
    for main in main origin/main; do
      if left=$(git merge-base HEAD $main 2>/dev/null); then base=$left; break; fi
    done
  fi
fi
mapfile -d '' -t changed < <({
  git diff --name-only --no-renames -z "$base"
  git ls-files --others --exclude-standard -z
} | sort -zu)
say "== ${#changed[@]} files differ from $(git log -1 --format='%h %s' "$base")"

passed=0 failed=0 faults=() results=$root/build/check
rm -rf "$results"
mkdir -p "$results"
verdict() { # verdict NAME CODE: counts one that is not a program of tests
  if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); faults+=("failed $1"); fi
}

# tests_of FOLDER: "PROGRAM FILE" for each test file of tests/unit/FOLDER and tests/ranked/FOLDER, as CMake has them.
tests_of() {
  local kind lists
  for kind in unit ranked; do
    lists=tests/$kind/${1%%/*}/CMakeLists.txt
    [ -e "$lists" ] || continue
    awk -v under="tests/$kind/${1%%/*}/" -v folder="tests/$kind/$1/" '
      /^ *#/ { next }
      { gsub(/[()]/, " & ")
        for (i = 1; i <= NF; i++) {
          if ($i ~ /^facemae_(ranked_)?test$/) program = $(i + 2)
          file = under $i
          if ($i ~ /_test\.cpp$/ && program ~ /^[a-z0-9_]+$/ && index(file, folder) == 1 && substr(file, length(folder) + 1) !~ /\//)
            print program, file
        } }' "$lists"
  done
}
# suites_in FILE...: a GoogleTest filter for the suites that these files define.
suites_in() {
  sed -n 's/^\(TYPED_\)\{0,1\}TEST\(_[FP]\)\{0,1\}(\([A-Za-z0-9_]*\),.*/\3/p' "$@" | sort -u |
    awk '{ printf "%s%s.*:%s/*:*/%s.*:*/%s/*", (NR > 1 ? ":" : ""), $1, $1, $1, $1 }'
}

cpp=() folders=() scripts=() targets=(architecture)
for file in "${changed[@]}"; do
  case $file in *.h | *.cpp) if [ -e "$file" ]; then cpp+=("$file"); fi ;; esac
  folder=$(dirname "${file#tests/unit/}")
  folder=${folder#tests/ranked/}
  if grep -q "^$folder:" cmake/arrows.txt; then folders+=("$folder"); fi
  case $file in
    scripts/* | .github/*) scripts+=(scripts) ;;
    slurm/*) scripts+=(slurm_supervise slurm_decide) ;;
    packaging/* | cmake/* | tests/packaging/*) scripts+=('packaging/[a-z_]*') ;;
    app/*) scripts+=(system/bad_input) targets+=(facemae) ;;
    tests/system/*_test.sh) scripts+=("system/$(basename "$file" _test.sh)") targets+=(facemae) ;;
  esac
done
case " ${targets[*]} " in *" facemae "*) targets+=(failing_disk test_picture) ;; esac
programs=() files=()
while read -r folder; do
  [ -n "$folder" ] || continue
  found=$(tests_of "$folder")
  if [ -z "$found" ]; then say "== $folder/ has no tests in tests/unit or tests/ranked"; continue; fi
  while read -r program file; do
    programs+=("$program")
    if [ -e "$file" ]; then files+=("$file"); fi
  done <<<"$found"
done < <(printf '%s\n' "${folders[@]}" | sort -u)
mapfile -t programs < <(printf '%s\n' "${programs[@]}" | grep . | sort -u)
mapfile -t targets < <(printf '%s\n' "${targets[@]}" "${programs[@]}" | sort -u)

if [ ${#cpp[@]} = 0 ]; then
  say "== format: no C++ file differs"
elif format=$(clang_format); then
  say "== format: ${#cpp[@]} files"
  unformatted=$("$format" --dry-run --Werror "${cpp[@]}" 2>&1 | sed -n 's/^\([^:]*\):.* error: .*/\1/p' | sort -u)
  if [ -n "$unformatted" ]; then say "not formatted; this does it:  scripts/lint.sh --fix $(paste -sd' ' <<<"$unformatted")"; fi
  verdict format "$([ -z "$unformatted" ]; echo $?)"
else
  say "== format: not checked, clang-format 14 is not here; scripts/setup.sh --checks installs it"
fi

# run_tests NAME REGEX: the CTest entries whose whole names match.
run_tests() {
  local counted p f
  ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --no-tests=error -R "^($2)\$" -LE full \
    --test-output-size-passed 4000000 --test-output-size-failed 4000000 --output-junit "$results/$1.xml" 2>&1 |
    grep -v '^Internal ctest changing\|^ *Start \|^Label Time\|^Test project\|^$'
  [ -e "$results/$1.xml" ] || { verdict "$1: ctest left no result" 1; return; }
  counted=$(awk -f scripts/count_tests.awk "$results/$1.xml")
  mapfile -t -O ${#faults[@]} faults < <(grep -v '^total ' <<<"$counted")
  read -r _ p f _ < <(grep '^total ' <<<"$counted")
  passed=$((passed + p)) failed=$((failed + f))
}
one_of() { printf '%s\n' "$@" | sort -u | paste -sd'|'; }

say "== build/$preset: ${targets[*]}"
start=$SECONDS
build=()
for target in "${targets[@]}"; do build+=(--target "$target"); done
scripts/build.sh --preset "$preset" --tests --no-setup "${build[@]}" >"$results/build.log" 2>&1
code=$?
if [ $code != 0 ]; then
  grep -v '^\[[0-9/]*\] ' "$results/build.log"
  say "the build failed; all that it said is in build/check/build.log"
fi
verdict build $code
say "built in $((SECONDS - start)) s"
if [ $code = 0 ]; then
  say "== $(one_of architecture "${scripts[@]}" | tr '|' ' ')"
  run_tests architecture "$(one_of architecture "${scripts[@]}")"
  if [ ${#programs[@]} -gt 0 ]; then
    say "== ${programs[*]}: what is in ${files[*]}"
    export GTEST_FILTER
    GTEST_FILTER=$(suites_in "${files[@]}")
    run_tests tests "($(one_of "${programs[@]}"))(/ranks=[0-9]+)?"
  fi
fi
say
if [ ${#faults[@]} -gt 0 ]; then printf '%s\n' "${faults[@]}"; fi
say "$passed passed, $failed failed"
[ $failed = 0 ]
