#!/usr/bin/env bash
# README's command for the tests, as it stands, in a bare Debian 13: another compiler, MPI, HDF5 and Slurm than Debian 12's.
# shellcheck disable=SC1091
set -uo pipefail
source=${FACEMAE_SOURCE:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf --one-file-system "$work"' EXIT
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then echo "SKIP: needs root and debootstrap"; exit 77; fi
. "$(dirname "$0")/bare_root.sh"
bare_root trixie || { echo "SKIP: no bare Debian 13 can be had: $(tail -1 "$work/said")"; exit 77; }
mkdir -p "$work/trixie/src"
git clone -q "$source" "$work/trixie/src/facemae" || exit 1
in_root trixie bash -c 'apt-get update -qq >/dev/null 2>&1; cd /src/facemae && scripts/test.sh' </dev/null >"$work/said" 2>&1
code=$?
grep -E '^The following tests FAILED|\(Failed\)|\*\*\*' "$work/said"
tail -n 3 "$work/said"
in_root trixie bash -c 'g++ --version | head -1; mpirun --version | head -1; dpkg-query -W -f "\${Package} \${Version}\n" libhdf5-dev slurmctld'
echo "scripts/test.sh in a bare Debian 13 ended with $code after $((SECONDS / 60)) minutes"
exit $code
