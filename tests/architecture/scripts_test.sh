#!/usr/bin/env bash
# The scripts' own promises: tests are counted right, help teaches, a wrong option and a missing package are told.
set -uo pipefail
scripts=${FACEMAE_SOURCE:?}/scripts
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
expect() { # expect WHAT WANTED GOT
  if [ "$2" != "$3" ]; then
    printf 'FAILED: %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3"
    faults=$((faults + 1))
  fi
}
contains() { # contains WHAT NEEDLE TEXT
  case $3 in *"$2"*) ;; *) expect "$1" "...$2..." "$3" ;; esac
}

# A CTest tree of entries that end in every way, run by the real ctest and counted.
say_test() { # say_test NAME EXIT: a program that prints standard input
  cat >"$work/$1.txt"
  echo "cat $work/$1.txt; exit $2" >"$work/$1.sh"
  echo "add_test($1 bash $work/$1.sh)" >>"$work/CTestTestfile.cmake"
}
say_test good 0 <<'T'
[       OK ] A.One (0 ms)
[==========] 12 tests from 2 test suites ran. (3 ms total)
[  PASSED  ] 12 tests.
T
say_test mixed 1 <<'T'
[       OK ] B.One (0 ms)
b_test.cpp:7: Skipped
no faces & no <data> here
[  SKIPPED ] B.Two (0 ms)
[  FAILED  ] B.Three (0 ms)
[==========] 3 tests from 1 test suite ran. (3 ms total)
[  PASSED  ] 1 test.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] B.Two
[  FAILED  ] 1 test, listed below:
[  FAILED  ] B.Three
T
say_test another_rank_failed 1 <<'T'
[       OK ] C.One (0 ms)
[==========] 1 test from 1 test suite ran. (3 ms total)
[  PASSED  ] 1 test.
T
say_test crash 134 <<'T'
[       OK ] D.One (0 ms)
[ RUN      ] D.Two
T
say_test script_good 0 </dev/null
say_test script_bad 3 </dev/null
say_test script_skipped 77 <<'T'
SKIP: no Slurm here
T
{
  echo "set_tests_properties(script_skipped PROPERTIES SKIP_RETURN_CODE 77)"
  echo "add_test(absent $work/no_such_program)"
  echo "add_test(slow sleep 30)"
  echo "set_tests_properties(slow PROPERTIES TIMEOUT 1)"
} >>"$work/CTestTestfile.cmake"
ctest --test-dir "$work" -j 4 --output-junit "$work/out.xml" >/dev/null 2>&1
counted=$(awk -f "$scripts/count_tests.awk" "$work/out.xml")
# passed: 12 good, 1 mixed, 1 another rank, 1 before the crash, 1 script; failed: mixed, another rank, crash, script,
# absent, slow; skipped: one of mixed, one script
expect "the totals" "total 16 6 2" "$(grep '^total' <<<"$counted")"
contains "a GoogleTest skip keeps its reason" "skipped B.Two: no faces & no <data> here" "$counted"
contains "a script's skip keeps its reason" "skipped script_skipped: no Slurm here" "$counted"
for name in "mixed B.Three" another_rank_failed crash script_bad absent slow; do
  contains "a failure is named" "failed $name" "$counted"
done

# The test command itself, over that tree, with set-up, build, lint and the fuzz compiler replaced by their exit codes.
mkdir -p "$work/tree/scripts" "$work/tree/build/release" "$work/tree/build/tsan" "$work/tree/build/fuzz" "$work/no_clang"
for name in clang++ clang++-{14..20}; do ln -s "$(type -P false)" "$work/no_clang/$name"; done
export CXX=true
cp "$scripts"/{test.sh,lib.sh,count_tests.awk} "$work/tree/scripts/"
for stage in setup build lint; do
  printf '#!/bin/sh\necho ran %s "$@"\nexit ${%s_code:-0}\n' $stage $stage >"$work/tree/scripts/$stage.sh"
  chmod +x "$work/tree/scripts/$stage.sh"
done
whole() { # whole: runs it; sets said and code
  said=$("$work/tree/scripts/test.sh" "$@" 2>&1)
  code=$?
}
cp "$work/CTestTestfile.cmake" "$work/tree/build/release/"
{ echo "add_test(good bash $work/good.sh)"; echo "set_tests_properties(good PROPERTIES LABELS torch_free)"
  echo "add_test(script_bad bash $work/script_bad.sh)"; } >"$work/tree/build/tsan/CTestTestfile.cmake"
{ echo "add_test(fuzz/one bash $work/script_good.sh)"; echo "add_test(fuzz/one/million bash $work/script_bad.sh)"
  echo "set_tests_properties(fuzz/one/million PROPERTIES LABELS full)"; } >"$work/tree/build/fuzz/CTestTestfile.cmake"
whole
expect "exit code with failures" 1 $code
# 2 stages, 16 of the tree above
expect "the last line with failures" "18 passed, 6 failed, 2 skipped" "$(tail -1 <<<"$said")"
contains "where a failure was" "failed [release] script_bad" "$said"
case $said in *"== lint"* | *fuzz* | *tsan*) expect "no checks unless asked for" none "$said" ;; esac
contains "set-up is asked for what tests need" "ran setup --tests --nccl-headers --interop"$'\n' "$said"
whole --checks
expect "exit code of checks with failures" 1 $code
# as before, lint, the 12 labelled torch_free and one that fuzzes
expect "the last line with failures of checks" "32 passed, 6 failed, 2 skipped" "$(tail -1 <<<"$said")"
contains "set-up is asked for what checks need" "ran setup --tests --nccl-headers --interop --checks"$'\n' "$said"
lint_code=77 whole --only '^(good|script_good)$'
expect "exit code of a good selection" 0 $code
expect "the last line of a good selection" "15 passed, 0 failed, 0 skipped" "$(tail -1 <<<"$said")"
echo "set_tests_properties(good PROPERTIES LABELS checks)" >>"$work/tree/build/release/CTestTestfile.cmake"
whole --no-setup
expect "long tests wait for --checks" "5 passed, 6 failed, 2 skipped" "$(tail -1 <<<"$said")"
cp "$work/tree/build/tsan/CTestTestfile.cmake" "$work/tree/build/release/"
sed -i /script_bad/d "$work/tree/build/release/CTestTestfile.cmake"
export lint_code=77
whole --checks # as before, without what failed
expect "the last line where sanitizers have nothing new" "14 passed, 0 failed, 3 skipped" "$(tail -1 <<<"$said")"
contains "why they were skipped" "skipped tsan tests: they passed before, with the same programs" "$said"
new_programs() { for name in tsan fuzz; do cp "$work/good.sh" "$work/tree/build/$name/$1" && chmod +x "$work/tree/build/$name/$1"; done; }
new_programs first
whole --checks
expect "the last line where lint cannot run" "27 passed, 0 failed, 1 skipped" "$(tail -1 <<<"$said")"
new_programs second
CXX=false PATH="$work/no_clang:$PATH" whole --checks
expect "the last line where nothing can fuzz" "26 passed, 0 failed, 2 skipped" "$(tail -1 <<<"$said")"
contains "why nothing fuzzed" "skipped fuzz: no clang++ with libFuzzer" "$said"
export lint_code=0 build_code=1
whole --checks
expect "the last line when the build fails" "27 passed, 3 failed, 0 skipped" "$(tail -1 <<<"$said")"
export setup_code=1
whole
expect "the last line when set-up fails" "0 passed, 1 failed, 0 skipped" "$(tail -1 <<<"$said")"
expect "exit code when set-up fails" 1 $code
export build_code=0 setup_code=0
unset lint_code build_code setup_code

printf '#!/bin/sh\necho compiling a.cpp\nsleep 2.5\n' >"$work/tree/scripts/build.sh"
FACEMAE_SAY_EVERY=1 whole --no-setup --only good
contains "what takes long is told" "minute 0: build, for 0 min: compiling a.cpp" "$said"

# What of CUDA's headers lacks is told before anything is compiled, with its package. A root of its own keeps a toolkit
# of this machine out of sight.
cuda=$work/cuda/nvidia
mkdir -p "$work/cuda/torch/lib" "$cuda/cu13/lib" "$cuda/cu13/include/crt" "$cuda/cu13/include/nv" "$cuda/nccl/lib" "$cuda/nccl/include"
parts=(cu13/include/cuda_runtime_api.h cu13/include/crt/host_config.h cu13/include/nv/target nccl/include/nccl.h
  nccl/lib/libnccl.so.2 cu13/lib/libcudart.so.13)
packages=(nvidia-cuda-runtime nvidia-cuda-crt nvidia-cuda-cccl nvidia-nccl nvidia-nccl nvidia-cuda-runtime)
touch "$work/cuda/torch/lib/libc10_cuda.so" "${parts[@]/#/$cuda/}"
for i in "${!parts[@]}"; do
  rm "$cuda/${parts[$i]}"
  said=$(env -u CUDA_HOME -u NCCL_HOME cmake -DFACEMAE_TORCH_HOME="$work/cuda/torch" -Dtorch_lib="$work/cuda/torch/lib" \
    -DFACEMAE_CUDA=AUTO -DCMAKE_FIND_ROOT_PATH="$work/cuda" -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
    -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -P "$scripts/../cmake/Nccl.cmake" 2>&1)
  expect "exit code without ${parts[$i]}" 1 $?
  name=${parts[$i]#*/*/}
  contains "what lacks without ${parts[$i]}" "$name (of the PyPI package ${packages[$i]}," "$said"
  expect "and nothing else" 1 "$(grep -c 'of the PyPI package' <<<"$said")"
  touch "$cuda/${parts[$i]}"
done

for twice in "test.sh --only a --only b" "build.sh --preset dev --preset asan" "demo.sh --out a --out b" "check.sh --base a --base b" \
  "check.sh --preset dev --preset dev"; do
  said=$("$scripts"/$twice 2>&1) # shellcheck disable=SC2086
  expect "exit code of $twice" 2 $?
  contains "$twice is told" "is given twice" "$said"
done

# What clang-tidy has passed is remembered by the content of all that a file reaches.
looked_at() { PATH="$work/tools:$PATH" "$work/form/scripts/lint.sh" 2>&1 | sed -n 's/.*clang-tidy on \([0-9]* of [0-9]*\).*/\1/p'; }
mkdir -p "$work/tools" "$work/form/scripts" "$work/form/build/release"
(cd "$work/form" && mkdir core cluster data model checkpoint evaluation trainer app bench tests && touch .clang-tidy)
for name in clang-tidy-14 clang-format-14; do ln -s "$(type -P true)" "$work/tools/$name"; done
cp "$scripts"/{lint.sh,lib.sh,source_location_for_clang.h} "$work/form/scripts/"
echo '#include "core/b.h"' >"$work/form/core/a.cpp"
echo '#include "core/c.h"' >"$work/form/core/b.h"
touch "$work/form/core/c.h"
printf '[\n{\n  "command": "g++ -c core/a.cpp",\n  "file": "%s/form/core/a.cpp"\n}\n]\n' "$work" >"$work/form/build/release/compile_commands.json"
expect "a new file is looked at" "1 of 1" "$(looked_at)"
expect "nothing is when nothing has changed" "0 of 1" "$(looked_at)"
echo "// another" >"$work/form/core/c.h"
expect "a header that a header includes counts" "1 of 1" "$(looked_at)"

# What a contributor runs before a commit, in a small repository: format, build and tests of what differs.
repository() { git -C "$work/change" -c user.name=t -c user.email=t@example.org "$@"; }
checked() { # checked OPTION...: runs it; sets said, code, last, and built: the targets
  said=$("$work/change/scripts/check.sh" "$@" 2>&1)
  code=$? last=$(tail -1 <<<"$said") built=$(cat "$work/change/build/targets" 2>/dev/null)
}
entry() { # entry NAME: a CTest entry that says which suites it was asked for
  echo "add_test($1 bash -c \"echo '[  PASSED  ] 3 tests.'; echo $1 \\\$GTEST_FILTER >>../../build/ran\")" >>"$work/change/build/dev/CTestTestfile.cmake"
}
if ! command -v git >/dev/null; then echo "no git here: check.sh and the hook were not tried"; else
  mkdir -p "$work/change"/{scripts/hooks,cmake,data/{store,image},app,slurm,tests/{unit,ranked}/data/store,build/dev/tests/architecture,tools}
  cp "$scripts"/{check.sh,lib.sh,count_tests.awk} "$work/change/scripts/" && cp "$scripts/hooks/pre-commit" "$work/change/scripts/hooks/"
  cat >"$work/change/scripts/build.sh" <<'B'
#!/bin/sh
echo "$*" | sed 's/--preset dev --tests --no-setup//; s/ *--target */ /g; s/^ //' >"$(dirname "$0")/../build/targets"
exit ${build_code:-0}
B
  chmod +x "$work/change/scripts/build.sh"
  # A clang-format of version 14 that dislikes tabs.
  cat >"$work/change/tools/clang-format-14" <<'B'
#!/bin/sh
case "$*" in *--version*) echo "version 14.0.6"; exit ;; esac
case "$*" in *--assume-filename*) ! grep -q "$(printf '\t')"; exit ;; esac
for file in "$@"; do case $file in -*) ;; *) grep -q "$(printf '\t')" "$file" && echo "$file:1:1: error: tab" ;; esac; done
true
B
  chmod +x "$work/change/tools/clang-format-14"
  PATH=$work/change/tools:$PATH
  cd "$work/change" || exit 1
  printf '%s\n' 'data/image:' 'data/store: data/image' 'app: data' >cmake/arrows.txt
  printf '%s\n' 'facemae_test(data_tests' '  SOURCES store/store_test.cpp image/image_test.cpp)' 'facemae_test(kill SOURCES store/kill_test.cpp)' >tests/unit/data/CMakeLists.txt
  echo 'facemae_ranked_test(store_ranked RANKS 1 2 SOURCES store/share_test.cpp)' >tests/ranked/data/CMakeLists.txt
  echo 'TEST(Store, Opens) {' >tests/unit/data/store/store_test.cpp
  echo 'TEST_P(Killed, GoesOn) {' >tests/unit/data/store/kill_test.cpp
  echo 'TYPED_TEST(Share, Adds) {' >tests/ranked/data/store/share_test.cpp
  printf '%s\n' build tools >.gitignore
  touch data/store/store.cpp data/image/image.cpp app/main.cpp slurm/supervise.sh
  for name in architecture data_tests kill store_ranked/ranks=1 store_ranked/ranks=2 scripts slurm_supervise slurm_decide system/bad_input; do entry $name; done
  { repository init -q -b main && repository add . && repository commit -qm first; } || expect "a repository can be made" yes no

  checked
  expect "exit code when nothing differs" "0 4 passed, 0 failed" "$code $last"
  expect "nothing but the architecture is built when nothing differs" architecture "$built"
  printf '// x\n' >>data/store/store.cpp
  rm -f build/ran
  checked
  expect "the last line of a change in one folder" "0 17 passed, 0 failed" "$code $last" # format, build, five entries of three
  expect "what a change in one folder builds" "architecture data_tests kill store_ranked" "$built"
  contains "its suites are asked for" "data_tests Killed.*:Killed/*:*/Killed.*:*/Killed/*:Share.*:" "$(cat build/ran)"
  case $(cat build/ran) in *scripts* | *slurm* | *bad_input*) expect "nothing else is run" none "$(cat build/ran)" ;; esac
  contains "what ran is told" "/kill_test.cpp tests/ranked/data/store/share_test.cpp" "$said"
  printf '\tint x;\n' >data/store/new.h
  checked
  expect "the last line with a file not formatted" "1 16 passed, 1 failed" "$code $last"
  contains "how it is formatted is told" "scripts/lint.sh --fix data/store/new.h" "$said"
  rm data/store/new.h
  build_code=1 checked
  expect "the last line when nothing builds" "1 1 passed, 1 failed" "$code $last"
  contains "what failed is told" "failed build" "$said"
  repository commit -qam second
  checked
  expect "on main, what is committed is not looked at" "0 4 passed, 0 failed" "$code $last"
  checked --base HEAD~1
  expect "unless a base is given" "0 17 passed, 0 failed" "$code $last"
  repository switch -qc topic && repository rm -q slurm/supervise.sh && repository mv app/main.cpp app/other.cpp && repository commit -qam third
  checked
  contains "on a branch, what it changed is looked at" "app/ has no tests" "$said"
  expect "a change of the program and of slurm/" "architecture facemae failing_disk test_picture" "$built"
  expect "the last line of it" "0 14 passed, 0 failed" "$code $last"
  checked --base no-such-commit
  expect "exit code for a base that is not there" 2 $code
  checked --preset asan
  expect "exit code for a preset that is not for this" 2 $code

  printf '#!/bin/sh\nexit ${architecture_code:-0}\n' >build/dev/tests/architecture/architecture
  chmod +x build/dev/tests/architecture/architecture
  repository config core.hooksPath scripts/hooks
  printf 'int a;\n' >data/store/a.h
  repository add data/store/a.h && printf '\tint a;\n' >data/store/a.h
  repository commit -qm "staged is well" 2>/dev/null || expect "the hook looks at what is staged" passes refuses
  repository add data/store/a.h
  said=$(repository commit -qm "staged is not" 2>&1) && expect "the hook refuses what is not formatted" refuses passes
  contains "and says the cure" "scripts/lint.sh --fix data/store/a.h" "$said"
  printf 'int b;\n' >data/store/a.h && repository add data/store/a.h
  said=$(architecture_code=1 repository commit -qm "no arrow" 2>&1) && expect "the hook asks the architecture test" refuses passes
  contains "and says so" "breaks a rule of tests/architecture" "$said"
  cd "$work" || exit 1
fi

for script in "$scripts"/*.sh; do
  bash -n "$script" || expect "$script parses" yes no
  [ "$(basename "$script")" != lib.sh ] || continue
  [ -x "$script" ] || expect "$script is executable" yes no
  contains "$script --help" usage: "$("$script" --help 2>&1)"
  "$script" --no-such-option >/dev/null 2>&1
  expect "exit code of $script for a wrong option" 2 $?
done

# Set-up where nothing is installed: an empty PATH but for the shell's own tools.
mkdir "$work/bin"
for tool in bash awk cat dirname basename id nproc sed sort cut head env; do
  ln -s "$(command -v $tool)" "$work/bin/$tool"
done
said=$(env -i PATH="$work/bin" "$work/bin/bash" "$scripts/setup.sh" --tests --no-system 2>&1)
expect "exit code of set-up with packages missing" 1 $?
for package in g++ cmake libhdf5-dev libgtest-dev "apt-get install -y" ISA-L nlohmann-json libboost-devel --small-libraries; do
  contains "set-up names what is missing" "$package" "$said"
done
said=$(env -i PATH="$PATH" TORCH_DIR="$work" "$scripts/setup.sh" --no-system 2>&1)
expect "exit code of set-up with a wrong TORCH_DIR" 1 $?
contains "set-up explains TORCH_DIR" "torch.__path__" "$said"

[ $faults = 0 ] && echo "scripts: all as promised"
exit $((faults > 0))
