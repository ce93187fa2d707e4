#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034,SC2012,SC2016
# The templates and site files: sbatch takes them, and what FACEMAE_DRY=1 says is what then runs, word by word. A stand-in
# takes the place of the program, and of apptainer; pyxis is no part of this Slurm, so its site file is only read.
set -uo pipefail
source=${FACEMAE_SOURCE:?}
. "$source/tests/slurm/cluster.sh"
. "$source/tests/slurm/jobs.sh"
cluster_enter "$@"
cluster_up 6
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
steps=600 options=
prefix_of "$source/tests/slurm/stand_in.sh" 'srun --mpi=none'
templates=$FACEMAE/share/facemae/slurm
mkdir "$cluster/bin"
printf '#!/bin/sh\nwhile [ "$1" != facemae ]; do shift; done\nshift\nexec "%s/bin/facemae" "$@"\n' "$FACEMAE" >"$cluster/bin/apptainer"
chmod +x "$cluster/bin/apptainer"
export PATH=$cluster/bin:$PATH

for file in "$source"/slurm/*.sbatch "$source/slurm/chain.sh"; do [ "$(wc -l <"$file")" -lt 60 ] || die "$file is too long"; done
for file in "$source"/slurm/sites/*.env; do [ "$(wc -l <"$file")" -lt 25 ] || die "$file is too long"; done
[ "$(wc -l <"$source/slurm/supervise.sh")" -lt 300 ] || die "supervise.sh is too long"

accepted() { "$@" 2>&1 | grep -q 'sbatch: Job [0-9]* to start at' || die "sbatch refuses: $*: $("$@" 2>&1)"; }
run=$cluster/run
# shellcheck disable=SC2046  # several words
accepted sbatch --test-only -A proj -N 2 -t 1 "$templates/facemae.sbatch" $(train "$run")
# shellcheck disable=SC2046
accepted "$templates/chain.sh" 1 --test-only -N 2 -t 1 -- $(train "$run")
train "$run" >"$cluster/study.txt"
accepted "$templates/study.sbatch" --test-only -t 1 "$cluster/study.txt"

refused() { # refused WHAT TEXT COMMAND...
  local said code
  said=$("${@:3}" 2>&1)
  code=$?
  [ $code = 2 ] || die "$1 ends with $code: $said"
  grep -q -- "$2" <<<"$said" || die "$1 says: $said"
}
seq 1002 >"$cluster/long.txt"
refused "a study that is too long for an array" "MaxArraySize" "$templates/study.sbatch" "$cluster/long.txt"
refused "a study without a file" "the last word must be a file" "$templates/study.sbatch" -N 2
refused "a chain without its length" "number of links" "$templates/chain.sh" -N 2 -- pretrain --run x
refused "a chain of what cannot resume" "--run RUN" "$templates/chain.sh" 2 -- pack --out x
refused "a site that is not there" "openmpi-srun" env FACEMAE_SITE=nowhere FACEMAE_DRY=1 bash "$templates/facemae.sbatch" pack --out x
refused "no command" "which command" bash "$templates/facemae.sbatch"
refused "a template far from its folder" "export FACEMAE" env -u FACEMAE bash -c "cd / && bash -s pretrain" <"$templates/facemae.sbatch"

words() { sed -n 's/^command: //p' "$1" | xargs printf '%s\n'; } # of FACEMAE_DRY
same_words() { # same_words SITE NODE: as a job that says it, and as one that does it
  local site=$1 run="$cluster/site-$1" launcher=srun job process
  case $site in *mpirun) launcher=mpirun ;; esac
  export FACEMAE_SITE=$site
  job=$(FACEMAE_DRY=1 submit "$run" -w "$2" -o "$run/dry")
  wait_until 60 "the dry run of $site" over "$job"
  [ ! -e "$run/supervisor.txt" ] || die "the dry run of $site started something"
  job=$(submit "$run" -w "$2")
  wait_until 60 "a start by $site" reached "$run" 5
  process=$(processes_of "$job" "$launcher.*pretrain" | while read -r p; do
    if [ "$(tr '\0' '\n' <"/proc/$p/cmdline" | head -n 1)" = $launcher ]; then echo "$p" && break; fi
  done)
  [ "$(tr '\0' '\n' <"/proc/$process/cmdline")" = "$(words "$run/dry")" ] ||
    die "$site runs $(tr '\0' ' ' <"/proc/$process/cmdline"), and not what $run/dry says: $(cat "$run/dry")"
  cmp -s "$run/site.env" "$source/slurm/sites/$site.env" || die "the site file of $site is not in its run"
  echo "$site: said $(words "$run/dry" | wc -l) words, and ran them"
}
tried=(openmpi-srun openmpi-mpirun mpich-srun cray apptainer) pids=()
for i in "${!tried[@]}"; do same_words "${tried[i]}" "n$((i + 1))" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid" || exit 1; done
FACEMAE_SITE=pyxis FACEMAE_DRY=1 HOME=/me bash "$templates/facemae.sbatch" pack --store 'a b' --out x >"$cluster/dry"
words "$cluster/dry" | grep -qx -- '--container-image=/me/facemae.sqsh' || die "pyxis: $(cat "$cluster/dry")"
words "$cluster/dry" | grep -qx 'a b' || die "words are torn: $(cat "$cluster/dry")"

# A study by itself: the user's quotes stay.
echo "pretrain --run '$cluster/a b' --steps 5" >"$cluster/study.txt"
job=$(FACEMAE_DRY=1 FACEMAE_SITE=openmpi-srun "$templates/study.sbatch" 2>&1 "$cluster/study.txt")
[[ $job = "sbatch --array=0-0 "* ]] || die "the study says $job"
job=$(FACEMAE_SITE=openmpi-srun "$templates/study.sbatch" --parsable -w n6 -o "$cluster/study.out" "$cluster/study.txt")
wait_until 60 "the study" over "${job}_0"
[ -e "$cluster/a b/weights" ] || die "the study did not train: $(cat "$cluster/study.out")"
echo "templates, chain, study and ${#tried[@]} site files: what they say is what runs, after $SECONDS s"
