#!/usr/bin/env bash
# Runs the project's tests: installs what is missing, builds, tests; with --checks also sanitizers, fuzzing and lint.
#
# usage: scripts/test.sh [option...]
#
#   set-up    scripts/setup.sh --tests --nccl-headers --interop (installs what is missing, or lists it)
#   build     everything, preset release, in build/release
#   tests     ctest in build/release: unit, ranked (1 to 4 MPI processes), faults, Slurm, architecture
#
# options
#   --checks       also, for those who change the code:
#                  long tests (label checks);
#                  races: ThreadSanitizer over the tests that use nothing of LibTorch, in build/tsan;
#                  fuzz: libFuzzer over everything that parses foreign bytes, a few seconds for each target, and
#                  AddressSanitizer and UndefinedBehaviorSanitizer over the same tests as for races, in build/fuzz;
#                  skipped without clang. Both are built during the tests, at the lowest priority, and skipped where
#                  the same programs passed before;
#                  lint: scripts/lint.sh, clang-format, and clang-tidy on files that use nothing of LibTorch
#   --full         all of that, long counts and very long tests (label full), AddressSanitizer +
#                  UndefinedBehaviorSanitizer over everything, ThreadSanitizer over checkpoints, and a million inputs
#                  for each fuzz target
#   --only REGEX   builds, then runs the CTest entries whose names match (no races, no fuzz, no lint)
#   --no-setup     does not call scripts/setup.sh
#   -h, --help     this text
#
# Every minute (FACEMAE_SAY_EVERY seconds) it reports what it is doing. The last line is
#   N passed, N failed, N skipped
# and the exit code is 0 only if nothing failed. It counts GoogleTest tests (a ranked program once per number of ranks),
# scripts, and one for each other stage (set-up, build, lint). Skipped tests are listed with their reasons. On two cores
# it takes under 30 minutes from nothing, an hour with --checks, and ten minutes when run again. Logs and JUnit files:
# build/test/.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

checks=no full=no only= setup=yes
while [ $# -gt 0 ]; do
  case $1 in
    --checks) checks=yes ;;
    --full) full=yes checks=yes ;;
    --only) once "$1"; only=${2:?--only needs a regular expression}; shift ;;
    --no-setup) setup=no ;;
    -h | --help) usage; exit 0 ;;
    *) say "test.sh: unknown option $1; scripts/test.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done

cd "$root" || exit 1
results=$root/build/test
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0 skipped=0 stages=()

# doing: what the stage is at, from what it has said: the tests that run, or the last line.
doing() {
  awk '/^ *Start +[0-9]+: / { running[$3] = 1; tests = 1 }
    /Test +#[0-9]+: / { sub(/.*Test +#[0-9]+: /, ""); delete running[$1]; ended++ }
    NF { last = $0 }
    END {
      if (!tests) { print substr(last, 1, 100); exit }
      for (name in running) names = names " " name
      print ended + 0 " tests have ended, now:" names
    }' "$results/now" 2>/dev/null
}
exec {never}<> <(:) # nothing ever comes here: a pause without a process that would outlive us
# stage NAME COMMAND...: runs it, says every minute what it is at, keeps the time; returns its exit code.
stage() {
  local name=$1 start=$SECONDS code ticker
  shift
  say "== $name"
  : >"$results/now"
  while ! read -r -t "${FACEMAE_SAY_EVERY:-60}" -u "$never"; do
    say "-- $(date +%H:%M), minute $((SECONDS / 60)): $name, for $(((SECONDS - start) / 60)) min: $(doing)"
  done &
  ticker=$!
  "$@" 2>&1 | tee "$results/now"
  code=${PIPESTATUS[0]}
  kill $ticker && wait $ticker 2>/dev/null
  stages+=("$(printf '%-28s %4d s  %s' "$name" $((SECONDS - start)) "$([ $code = 0 ] && echo ok || echo "exit $code")")")
  return $code
}
# verdict NAME CODE: counts a stage as one test.
verdict() {
  case $2 in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)); echo "skipped $1" >>"$results/list" ;;
    *) failed=$((failed + 1)); echo "failed $1" >>"$results/list" ;;
  esac
}
# count FILE.xml: adds what a ctest run found; a run that left no file has failed.
count() {
  local counted p f s
  [ -e "$1" ] || { verdict "$(basename "$1" .xml): ctest left no result" 1; return; }
  counted=$(awk -f scripts/count_tests.awk "$1")
  grep -v '^total ' <<<"$counted" | sed "s/^\(failed\|skipped\) /&[$(basename "$1" .xml)] /" >>"$results/list"
  read -r _ p f s < <(grep '^total ' <<<"$counted")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}
at_once=$(($(nproc) + 2)) # tests of the whole program wait half of their time
[ "$at_once" -ge 4 ] || at_once=4
run_ctest() { # run_ctest NAME FOLDER OPTION...
  local name=$1 folder=$2
  shift 2
  "${aslr[@]}" ctest --test-dir "$folder" -j "$at_once" --output-on-failure --no-tests=error \
    --test-output-size-passed 4000000 --test-output-size-failed 4000000 --output-junit "$results/$name.xml" "$@" 2>&1 |
    tee "$results/$name.log"
}
finish() {
  say
  printf '%s\n' "${stages[@]}"
  if [ -s "$results/list" ]; then sort -u "$results/list"; fi
  say "$passed passed, $failed failed, $skipped skipped"
  [ $failed = 0 ]
  exit
}
aslr=()
sanitizer_tests() { # sanitizer_tests NAME TARGET CTEST_OPTION...
  local name=$1 target=$2 code
  shift 2
  stage "$name build" scripts/build.sh --tests --no-setup --preset "$name" --target "$target"
  code=$?
  if [ $code != 0 ]; then verdict "$name build" $code; fi
  local what
  what=$(echo "$* ${GTEST_FILTER:-}" && find "build/$name" -type f -executable ! -path '*/CMakeFiles/*' -exec sha256sum {} + | sort)
  if [ $code = 0 ] && [ "$what" = "$(cat "build/$name/passed" 2>/dev/null)" ]; then
    say "== $name tests: passed before, with the same programs"
    echo "skipped $name tests: they passed before, with the same programs" >>"$results/list"
    skipped=$((skipped + 1))
    return
  fi
  # ThreadSanitizer of g++ 12 cannot map its shadow where a kernel scatters addresses too widely.
  if setarch -R true 2>/dev/null; then aslr=(setarch -R); fi
  rm -f "build/$name/passed"
  if stage "$name tests" run_ctest "$name" "build/$name" "$@" && [ $code = 0 ]; then echo "$what" >"build/$name/passed"; fi
  count "$results/$name.xml"
  aslr=()
}

options=(--tests --nccl-headers --interop)
if [ $checks = yes ]; then options+=(--checks); fi
if [ $setup = yes ]; then
  stage set-up scripts/setup.sh "${options[@]}"
  code=$?
  verdict set-up $code
  [ $code = 0 ] || finish
fi
stage build scripts/build.sh --tests --no-setup
verdict build $?
select=(-LE 'full|checks')
if [ $checks = yes ]; then select=(-LE full); fi
if [ $full = yes ]; then
  select=()
  # What tests have in two sizes.
  export FACEMAE_FULL=1 FACEMAE_CRASH_STATES=20000 FACEMAE_FLIPS=100000 FACEMAE_SAVES=1000 FACEMAE_SOAK_SECONDS=600
fi
if [ -n "$only" ]; then select+=(-R "$only"); fi
build_beside() { # the same builds below tell of their faults
  nice -n 19 scripts/build.sh --tests --no-setup --preset tsan --target torch_free_tests && fuzz_compiler >/dev/null &&
    nice -n 19 scripts/build.sh --tests --no-setup --preset fuzz --target all
}
ended() { while kill -0 "$1" 2>/dev/null; do read -r -t 1 -u "$never" || :; done; }
if [ $checks = yes ] && [ -z "$only" ]; then
  set -m # a process group of its own, which ends with this script
  build_beside >"$results/sanitizers-build.log" 2>&1 &
  beside=$!
  set +m
  trap 'kill -- "-$beside" 2>/dev/null' EXIT
fi
stage tests run_ctest release build/release "${select[@]}"
count "$results/release.xml"
if [ $checks = no ] || [ -n "$only" ]; then finish; fi
stage "rest of sanitizers' builds" ended "$beside"

unset FACEMAE_FULL FACEMAE_CRASH_STATES FACEMAE_FLIPS FACEMAE_SAVES FACEMAE_SOAK_SECONDS
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS:-}
speed=*Speed* # sanitizers make slow what those tests time
one_thread=Crash.*:Corruption.*:Scale.*:SynthPeople.*:PackRestart.KilledAt*:CompactStoreTest.GoesOn* # long, and nobody to race with
export GTEST_FILTER="-$speed:$one_thread"
sanitizer_tests tsan torch_free_tests -L torch_free -LE full
if [ $full = yes ]; then # asynchronous saves, as far as it sees through
  TSAN_OPTIONS+=:suppressions=$root/tests/tsan_suppressions.txt sanitizer_tests tsan checkpoint_tests -R '^checkpoint_tests$'
fi
export GTEST_FILTER="-$speed"
if [ $full = yes ]; then
  # Open MPI and LibTorch keep memory until the process ends, which is no leak of ours.
  ASAN_OPTIONS=detect_leaks=0:detect_odr_violation=0:${ASAN_OPTIONS:-} sanitizer_tests asan all -LE 'slurm|full'
fi
if fuzz_compiler >/dev/null; then
  depth=(-LE full)
  if [ $full = yes ]; then depth=(); fi
  sanitizer_tests fuzz all "${depth[@]}"
else
  echo "skipped fuzz: no clang++ with libFuzzer here; scripts/setup.sh --tests installs it" >>"$results/list"
  skipped=$((skipped + 1))
fi
stage lint scripts/lint.sh
verdict lint $?
finish
