#!/usr/bin/env bash
# Older releases of LibTorch that `scripts/setup.sh --cuda` may choose: the whole tree compiles against their CPU side, and
# the unit and ranked tests pass. Takes a build of half an hour for each; FACEMAE_TORCH_VERSIONS names some of them.
set -uo pipefail
source=${FACEMAE_SOURCE:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
# release:CUDA runtime:CUPTI, all of PyPI
versions=${FACEMAE_TORCH_VERSIONS:-2.7.1:12.6.77:12.6.80 2.10.0:12.8.90:12.8.90}
git clone -q "$source" "$work/src" || exit 1
cd "$work/src" || exit 1
for version in $versions; do
  IFS=: read -r torch runtime cupti <<<"$version"
  mkdir "$work/$torch"
  python3 -m pip download -q --no-deps -d "$work/$torch" "torch==$torch" "nvidia-cuda-runtime-cu12==$runtime" "nvidia-cuda-cupti-cu12==$cupti" \
    >"$work/said" 2>&1 || { echo "SKIP: pip has no torch $torch: $(tail -1 "$work/said")"; exit 77; }
  for wheel in "$work/$torch"/*.whl; do
    python3 -m zipfile -e "$wheel" "$work/$torch/wheels" && rm "$wheel"
  done
  SECONDS=0
  if cmake --preset release -B "$work/build" -DTORCH_DIR="$work/$torch/wheels/torch" -DFACEMAE_CUDA=OFF >"$work/said" 2>&1 &&
    cmake --build "$work/build" -j "$(nproc)" >"$work/said" 2>&1; then
    echo "passed: the tree compiles against LibTorch $torch ($((SECONDS / 60)) min)"
  else
    echo "FAILED: the tree against LibTorch $torch"
    grep -E 'error|Error' "$work/said" | head -20
    faults=1
    rm -rf "$work/build" "${work:?}/$torch"
    continue
  fi
  # system, slurm, packaging and mpi are of the program around it.
  if ctest --test-dir "$work/build" -j "$(nproc)" -LE 'full|checks' -E '^(system|slurm|packaging|mpi)' --output-on-failure >"$work/said" 2>&1; then
    echo "passed: its unit and ranked tests with LibTorch $torch: $(grep 'tests passed' "$work/said")"
  else
    echo "FAILED: tests with LibTorch $torch"
    sed -n '/The following tests FAILED/,$p' "$work/said" | head -20
    faults=1
  fi
  rm -rf "$work/build" "${work:?}/$torch"
done
exit $faults
