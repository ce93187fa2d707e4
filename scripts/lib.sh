# What the scripts share: where the repository is, how to speak, how many compilers may run at once. Sourced by bash.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# once OPTION: fails when an option of one value is given again; which of the two was meant, nobody can know.
given=
once() {
  [[ " $given " != *" $1 "* ]] || { say "$(basename "$0"): $1 is given twice" >&2; exit 2; }
  given+=" $1"
}

# usage: the comment block at the top of the calling script is its help text.
usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

# One compiler that sees LibTorch takes up to 2 GB: fewer jobs than cores where memory is short.
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 2000000) }' /proc/meminfo)
  [ "${memory:-1}" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}

# clang_format: the command of clang-format 14, by which this tree is formatted; fails when there is none.
clang_format() {
  local name
  for name in clang-format-14 clang-format; do
    if command -v "$name" >/dev/null && "$name" --version | grep -q 'version 14\.'; then
      echo "$name"
      return
    fi
  done
  return 1
}

# fuzz_compiler: the first clang++ that can link a libFuzzer program (CXX, when that is one); fails when there is none.
fuzz_compiler() {
  local name program='extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
  for name in "${CXX:-}" clang++ clang++-{14,15,16,17,18,19,20}; do
    [ -n "$name" ] && command -v "$name" >/dev/null || continue
    if "$name" -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null <<<"$program" 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  return 1
}
