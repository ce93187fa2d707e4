#!/usr/bin/env bash
# Submits one training as a chain of N jobs, for sites that forbid requeue and runs that need more than one time limit:
# each link waits until the one before has ended, and resumes. When the training is done, all that waits is cancelled.
#
#   slurm/chain.sh 5 -A proj -N 8 --ntasks-per-node=4 -t 24:00:00 -- pretrain --store S --run R ...
#
# The words between N and -- are sbatch's. The links have a name made from RUN, so that two runs never wait for each
# other and one run never runs twice; calling this again adds links. FACEMAE_DRY=1 says what would be submitted.
set -uo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }
fail() {
  echo "chain: $*; chain.sh --help explains" >&2
  exit 2
}
case ${1:-} in -h | --help) usage; exit 0 ;; esac
[[ ${1:-} =~ ^[1-9][0-9]{0,2}$ ]] || fail "the first word must be the number of links"
links=$1 options=()
shift
while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1") && shift; done
[ $# -gt 1 ] || fail "the command is missing: chain.sh N [sbatch options] -- pretrain --store S --run R ..."
shift
here=$(dirname "$(realpath "$0")")
# shellcheck source=lib/site.sh
. "$here/lib/site.sh"
# shellcheck source=lib/slurm.sh
. "$here/lib/slurm.sh"
[ -n "$(option run "$@")" ] || fail "only a command with --run RUN can be resumed by the next link"
run=$(folder_of "$@")
# The name and the dependency come last: they are what makes it a chain.
submit=(sbatch "${options[@]}" --job-name="$(name_of_run)" --dependency=singleton "$here/facemae.sbatch" "$@")
for ((link = 1; link <= links; link++)); do
  if [ "${FACEMAE_DRY:-0}" = 1 ]; then printf '%q ' "${submit[@]}" && echo; continue; fi
  "${submit[@]}" || { echo "chain: $((link - 1)) of $links links are submitted; scancel --name=$(name_of_run) takes them back" >&2; exit 1; }
done
