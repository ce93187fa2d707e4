#!/usr/bin/env bash
# scripts/cuda_choice.sh: which LibTorch each driver, GPU and machine gets, and what is said where none fits.
set -uo pipefail
choose=${FACEMAE_SOURCE:?}/scripts/cuda_choice.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0 rows=0
miss() { echo "FAILED: $*"; faults=$((faults + 1)); }

# driver, lowest and highest capability, machine, the CUDA that is chosen (none: exit code 1)
while read -r driver capability machine wanted; do
  [ -n "$driver" ] || continue
  rows=$((rows + 1))
  said=$("$choose" "$driver" "$capability" "$machine" 2>"$work/why")
  code=$?
  if [ "$wanted" = none ]; then
    { [ $code = 1 ] && [ -z "$said" ]; } || miss "$driver $capability $machine: exit code $code, \"$said\" instead of none"
    grep -q 'cuda-compat' "$work/why" || miss "$driver $capability $machine: no remedy in: $(cat "$work/why")"
  else
    { [ $code = 0 ] && [ "${said%% *}" = "$wanted" ]; } || miss "$driver $capability $machine: \"$said\" instead of $wanted"
    [ "$(wc -l <<<"$said")" = 1 ] || miss "$driver $capability $machine: not told in one line"
    [[ $said == *"driver $driver"* ]] || miss "$driver $capability $machine: no reason in: $said"
  fi
done <<'T'
580.65.06   7.5      x86_64   13.0
580.65.06   8.0      x86_64   13.0
580.65.06   8.9      x86_64   13.0
580.65.06   9.0      x86_64   13.0
580.65.06   10.0     x86_64   13.0
580.65.06   12.0     x86_64   13.0
580.65.06   7.0      x86_64   12.8
580.65.06   6.1      x86_64   12.6
580.65.06   5.0      x86_64   12.6
580.65.06   3.7      x86_64   none
590.44      8.6      x86_64   13.0
610.12.01   12.1     x86_64   13.0
1000.1      9.0      x86_64   13.0
579.99      9.0      x86_64   12.8
570.86.15   10.0     x86_64   12.8
570.86.15   9.0      x86_64   12.8
550.54.15   8.0      x86_64   12.8
535.129.03  8.0      x86_64   12.8
535.129.03  7.5      x86_64   12.8
535.129.03  7.0      x86_64   12.8
535.129.03  6.0      x86_64   12.6
525.60.13   9.0      x86_64   12.8
525.60.13   5.2      x86_64   12.6
525         8.0      x86_64   12.8
524.99      8.0      x86_64   none
520.61.05   8.0      x86_64   none
470.256.02  7.0      x86_64   none
99.1        8.0      x86_64   none
580.65.06   7.0-9.0  x86_64   12.8
580.65.06   7.5-12.0 x86_64   13.0
535.129.03  6.1-8.0  x86_64   12.6
580.65.06   6.1-10.0 x86_64   none
580.65.06   -        x86_64   12.8
590.44      -        x86_64   13.0
535.129.03  -        x86_64   12.8
510.47.03   -        x86_64   none
580.65.06   9.0      aarch64  13.0
580.65.06   -        aarch64  13.0
580.65.06   7.0      aarch64  none
570.86.15   9.0      aarch64  none
580.65.06   7.0      ppc64le  none
T
[ $rows -ge 30 ] || miss "only $rows rows were tried"

# What this machine has, by a stand-in of nvidia-smi.
mkdir "$work/bin"
smi() { printf '#!/bin/sh\ncat <<T\n%s\nT\n' "$1" >"$work/bin/nvidia-smi" && chmod +x "$work/bin/nvidia-smi"; }
here() { PATH=$work/bin:$PATH "$choose" 2>&1; }
if [ "$(uname -m)" = x86_64 ]; then
  smi $'535.129.03, 8.0\n535.129.03, 8.0'
  [[ $(here) == "12.8 "*"driver 535.129.03, compute capability 8.0 (CUDA 13.0 needs driver 580)" ]] || miss "two alike: $(here)"
  smi $'580.65.06, 9.0\n580.65.06, 7.0'
  [[ $(here) == "12.8 "*"compute capability 7.0-9.0"* ]] || miss "of two kinds: $(here)"
  smi '580.65.06, [N/A]'
  [[ $(here) == "12.8 "*"Volta"* ]] || miss "capability unknown: $(here)"
fi
if [ ! -e /proc/driver/nvidia/version ]; then
  smi 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'
  said=$(here)
  code=$?
  { [ $code = 1 ] && [[ $said == *"srun --gpus=1 nvidia-smi"*"--cuda driver VERSION"* ]]; } || miss "no driver: $code, $said"
fi
for wrong in "new" "580 eight" "580 8" "580 8.0 x86_64 more"; do
  # shellcheck disable=SC2086  # several words
  "$choose" $wrong >/dev/null 2>&1
  [ $? = 2 ] || miss "\"$wrong\" is not refused as wrong usage"
done

# Set-up asks by the same function, and says what it does before anything is fetched.
mkdir -p "$work/tree/scripts" "$work/tree/packaging"
cp "$FACEMAE_SOURCE"/scripts/*.sh "$FACEMAE_SOURCE"/scripts/*.txt "$work/tree/scripts/"
cp "$FACEMAE_SOURCE/packaging/dependencies.txt" "$work/tree/packaging/"
printf '#!/bin/sh\necho "pip $*" >&2\nexit 1\n' >"$work/bin/python3"
chmod +x "$work/bin/python3"
setup() { PATH=$work/bin:$PATH TORCH_DIR='' CMAKE_PREFIX_PATH='' "$work/tree/scripts/setup.sh" --no-system "$@" 2>&1; }
said=$(setup --cuda driver 535.129.03 capability 6.1)
[[ $said == *"LibTorch 2.7.1 with CUDA 12.6: driver 535.129.03, compute capability 6.1"* ]] || miss "set-up does not tell its choice: $said"
[ "$(uname -m)" != x86_64 ] || [[ $(setup --cuda driver 535.129.03) == *"LibTorch 2.10.0 with CUDA 12.8"* ]] || miss "set-up without a capability"
setup --cuda driver 470.1 >/dev/null
[ $? = 1 ] || miss "set-up goes on where no LibTorch fits"
[[ $(setup --cuda 11.8) == *"only with 13.0 12.8 12.6"* ]] || miss "set-up does not list what there is"
setup --cuda driver >/dev/null
[ $? = 2 ] || miss "set-up takes a driver without a version"

[ $faults = 0 ] && echo "cuda_choice: $rows rows as promised"
exit $((faults > 0))
