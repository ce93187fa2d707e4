# How facemae is started on this site: what facemae.sbatch and study.sbatch share. Needs `here`, the folder slurm/.
# A site file is a shell script of assignments; slurm/sites/ has some to copy:
#   LAUNCH      starts the ranks, inside of the job           CONTAINER  words before the program: a container
#   PROGRAM     the program, where it is another one          MODULES    what `module load` loads
#   NOTICE      the signal that LAUNCH passes on (USR2)       export ...
# shellcheck shell=bash disable=SC2154  # `here` is the script's

# option NAME WORD...: what --NAME has among the words
option() {
  local name=--$1
  while shift && [ $# -gt 0 ]; do
    case $1 in "$name") echo "${2:-}"; return ;; "$name="*) echo "${1#*=}"; return ;; esac
  done
}
# folder_of WORD...: where the supervisor of that command keeps its notes: RUN, or a folder of its own
folder_of() {
  local run out
  run=$(option run "$@")
  out=$(option out "$@")
  if [ -z "$run" ] && [ "$1" = compare ] && [ -n "$out" ]; then run=$out/tasks/${SLURM_ARRAY_TASK_ID:-0}; fi
  realpath -m "${run:-facemae-jobs/${SLURM_JOB_ID:-0}}"
}
# site_file RUN: FACEMAE_SITE (a file, or a name in slurm/sites/), that of the run, that of the user, or openmpi-srun
site_file() {
  local file
  for file in "${FACEMAE_SITE:-}" "$here/sites/${FACEMAE_SITE:-}.env" "$1/site.env" "${HOME:-}/.config/facemae/site.env"; do
    if [ -f "$file" ]; then echo "$file"; return; fi
    if [ "$file" = "$here/sites/${FACEMAE_SITE:-}.env" ] && [ -n "${FACEMAE_SITE:-}" ]; then
      echo "facemae: FACEMAE_SITE=$FACEMAE_SITE is neither a file nor one of: $(basename -s .env "$here"/sites/*.env | paste -sd' ')" >&2
      exit 2
    fi
  done
  echo "$here/sites/openmpi-srun.env"
}
load_modules() {
  local script
  if [ -z "$MODULES" ]; then return; fi
  set +eu # their functions know no strictness
  for script in /etc/profile.d/lmod.sh /etc/profile.d/modules.sh; do
    # shellcheck disable=SC1090
    if ! type module >/dev/null 2>&1 && [ -e $script ]; then . $script; fi
  done
  # shellcheck disable=SC2086  # several words
  module load $MODULES || { echo "facemae: module load $MODULES failed" >&2; exit 2; }
  set -eu
}

# run_command WORD...: supervises `facemae WORD...` in this job, or says with FACEMAE_DRY=1 what it would run
run_command() {
  local run site launch=() container=() command=()
  if [ $# = 0 ]; then echo "facemae: which command? sbatch [options] $here/facemae.sbatch pretrain --store S --run R ..." >&2; exit 2; fi
  case $1:$(option run "$@") in pretrain: | recognize:) echo "facemae: --run must be among the words of $1" >&2; exit 2 ;; esac
  run=$(folder_of "$@")
  site=$(site_file "$run")
  PROGRAM=${here%/slurm}/build/release/facemae
  if [ ! -e "$PROGRAM" ]; then PROGRAM=${here%/share/facemae/slurm}/bin/facemae; fi # an installed one
  local LAUNCH='' CONTAINER='' MODULES='' NOTICE=USR2
  # srun of Slurm 22.05 and newer does not take the job's --cpus-per-task over: LAUNCH passes it on.
  local cores=$((${SLURM_CPUS_ON_NODE:-1} * ${SLURM_JOB_NUM_NODES:-1} / ${SLURM_NTASKS:-${SLURM_JOB_NUM_NODES:-1}}))
  export SLURM_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-$((cores > 0 ? cores : 1))}
  # shellcheck disable=SC1090
  . "$site"
  if [ "$1" = compare ]; then LAUNCH=''; fi # it starts processes of its own
  read -ra launch <<<"$LAUNCH"
  read -ra container <<<"$CONTAINER"
  command=("${launch[@]}" "${container[@]}" "$PROGRAM" "$@")
  if [ "${FACEMAE_DRY:-0}" = 1 ]; then
    printf 'site: %s\nrun: %s\nmodules: %s\ncommand:' "$site" "$run" "$MODULES"
    printf ' %q' "${command[@]}"
    echo
    exit
  fi
  mkdir -p "$run"
  if ! [ "$site" -ef "$run/site.env" ]; then cp "$site" "$run/site.env"; fi # its later starts take the same
  load_modules
  export FACEMAE_NOTICE=$NOTICE
  if [ -n "$LAUNCH" ]; then export FACEMAE_PREFLIGHT="${launch[*]} ${container[*]} $PROGRAM doctor --quick --bad-nodes"; fi
  exec "$here/supervise.sh" "$run" -- "${command[@]}"
}
