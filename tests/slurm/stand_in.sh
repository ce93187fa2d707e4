#!/usr/bin/env bash
# A program that a supervisor takes for facemae: it makes steps, commits every fifth, goes on where an earlier start
# ended, and stops on notice, by RUN/end_time and by RUN/stop. Its weights follow from its steps alone.
#
#   stand_in.sh pretrain --run RUN --steps N     steps of $FACEMAE_STEP_SECONDS (0.1)
#   stand_in.sh doctor ...                       names the host $FACEMAE_BAD_HOST
#
# RUN/bad: "HOST EVIDENCE STEP": a start that has this host among its nodes ends there with a verdict on it.
# RUN/wrong: a start ends with 2. RUN/deaf: it does not look at RUN/end_time.
set -uo pipefail
if [ "$1" = doctor ]; then
  if [ "${SLURM_PROCID:-0}" = 0 ] && [ -n "${FACEMAE_BAD_HOST:-}" ]; then echo "$FACEMAE_BAD_HOST"; exit 75; fi
  exit 0
fi
run=$3 steps=$5 told=
trap 'told=yes' USR1 USR2 TERM
exec {never}<> <(:)
rank=${OMPI_COMM_WORLD_RANK:-${SLURM_PROCID:-0}}
hostname >"$run/host.$rank"

start=0
while [ -e "$run/checkpoints/fence/$start" ]; do start=$((start + 1)); done
if [ "$rank" != 0 ]; then # the others end with rank 0
  while ! [ -e "$run/over" ] || [ "$run/over" -ot "$run/host.$rank" ]; do read -r -t 0.2 -u "$never"; done
  exit 0
fi
rm -f "$run/over"
mkdir -p "$run/checkpoints/fence"
: >"$run/checkpoints/fence/$start"
nodes=${OMPI_MCA_orte_nodes:-${SLURM_STEP_NODELIST:-}}
step=0 weights=1
for commit in "$run"/checkpoints/s*/COMMIT; do # the last one is the newest
  if [ -e "$commit" ]; then read -r step weights <"$commit"; fi
done
echo "start $start at step $step on $nodes" >>"$run/starts"

outcome() { # outcome CODE MORE
  printf '{"start":%d,"code":%d,"kind":"x","step":%d%s,"reason":"as told"}\n' "$start" "$1" "$step" "$2" >"$run/.outcome" &&
    mv "$run/.outcome" "$run/outcome.json"
}
end() {
  outcome "$@"
  : >"$run/over"
  exit "$1"
}
commit() {
  local folder
  folder=$(printf '%s/checkpoints/s%09d.a%02d' "$run" "$step" "$start")
  mkdir -p "$folder" && echo "$step $weights" >"$folder/.COMMIT" && mv "$folder/.COMMIT" "$folder/COMMIT"
}
outcome 75 ''
if [ -e "$run/wrong" ]; then end 2 ''; fi
bad_host='' evidence='' bad_step=0
if [ -e "$run/bad" ]; then read -r bad_host evidence bad_step <"$run/bad"; fi
case ",$(scontrol show hostnames "$nodes" 2>/dev/null | paste -sd,)," in *",$bad_host,"*) ;; *) bad_host='' ;; esac
while [ "$step" -lt "$steps" ]; do
  asked=false
  printf -v now '%(%s)T' -1 # no process of its own, which Slurm's TERM would end
  if [ -e "$run/stop" ]; then told=yes asked=true; fi
  if [ -e "$run/end_time" ] && [ ! -e "$run/deaf" ] && read -r last <"$run/end_time" && [ $((last - now)) -lt 10 ]; then told=yes; fi
  if [ -n "$told" ]; then commit; end 76 ",\"asked\":$asked"; fi
  if [ -n "$bad_host" ] && [ "$step" -ge "$bad_step" ]; then end 75 ",\"hosts\":[\"$bad_host\"],\"evidence\":\"$evidence\""; fi
  read -r -t "${FACEMAE_STEP_SECONDS:-0.1}" -u "$never"
  step=$((step + 1)) weights=$(((weights * 1103515245 + 12345 + step) % 2147483648))
  if [ $((step % 5)) = 0 ]; then commit; fi
done
commit
echo "$weights" >"$run/weights"
end 0 ''
