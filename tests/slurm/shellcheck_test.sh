#!/usr/bin/env bash
# What users of Slurm run, read by shellcheck; a planted fault is seen.
set -uo pipefail
slurm=${FACEMAE_SOURCE:?}/slurm
type shellcheck >/dev/null 2>&1 || { echo "SKIP: no shellcheck: scripts/setup.sh --checks installs it"; exit 77; }
faults=0
# SC2034: files that others source set what is used there.
reads() { shellcheck -x -P SCRIPTDIR -s bash -e SC2034 "$@"; }
for file in "$slurm"/*.sh "$slurm"/*.sbatch; do reads "$file" || faults=1; done
reads "$slurm"/lib/*.sh "$slurm"/sites/*.env || faults=1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
sed 's/"\$run"/$run/' "$slurm/supervise.sh" >"$work/planted.sh"
if reads "$work/planted.sh" >/dev/null; then echo "FAILED: nobody notices a variable without quotes" && faults=1; fi
[ $faults = 0 ] && echo "shellcheck: nothing to say"
exit $faults
