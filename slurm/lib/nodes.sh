# Nodes that are to be avoided. RUN/nodes.jsonl has one line per accusation. Hard evidence (ranks with different
# weights, a device) excludes a node at once, soft evidence (a hang, a lost peer, the pre-flight) when it comes twice
# within a week; all is forgotten after 14 days. Sourced by slurm/supervise.sh; needs `run`, `job` and lib/slurm.sh.
# shellcheck shell=bash disable=SC2154,SC2034  # `run`, `job` and `command` are the supervisor's

# accuse HOST EVIDENCE TEXT: TEXT as it is between the quotes of a JSON string. Only nodes of this job are listened to.
accuse() {
  local hard=false
  set -- "${1%%.*}" "$2" "$3"
  if ! allocated | grep -qxF "$1"; then return; fi
  case $2 in replica | device) hard=true ;; esac
  tell "node $1 is suspected: $2"
  printf '{"time":%d,"node":"%s","evidence":"%s","hard":%s,"job":"%s","text":"%s"}\n' \
    "$(date +%s)" "$1" "$2" $hard "${job:--}" "$3" >>"$run/nodes.jsonl"
}

# suspects NOW: each node accused within 14 days, and whether it is to be avoided: "1795988865 n2 yes|no", newest first
suspects() {
  [ -e "$run/nodes.jsonl" ] || return 0
  awk -v now="$1" '
    function value(key) { return match($0, "\"" key "\":\"?[^\",]*") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) : "" }
    { time = value("time") + 0; node = value("node"); sub(/"/, "", node)
      if (node == "" || now - time > 14 * 86400) next
      hard = value("hard") == "true"
      if (hard || (node in soft && time - soft[node] <= 7 * 86400)) avoid[node] = time
      if (!hard) soft[node] = time
      last[node] = time }
    END { for (node in last) print (node in avoid ? avoid[node] : last[node]), node, (node in avoid ? "yes" : "no") }' \
    "$run/nodes.jsonl" | sort -k1,1nr -k2,2
}

# avoided: the nodes that are to be avoided, by commas: at most a tenth of the partition (but one always), and never so
# many that too few are left for the job
avoided() {
  local total most needed=${fact[NumNodes]:-1}
  if [ -z "$job" ] || [ ! -e "$run/nodes.jsonl" ]; then return 0; fi
  needed=${needed%%-*}
  total=$(LC_ALL=C timeout 10 scontrol -o show partition "${fact[Partition]:-}" 2>/dev/null | sed -n 's/.*TotalNodes=\([0-9]*\).*/\1/p') ||
    return 1
  most=$((${total:-0} / 10))
  if [ $most -lt 1 ]; then most=1; fi
  if [ $((${total:-0} - ${needed:-0})) -lt $most ]; then most=$((${total:-0} - ${needed:-0})); fi
  if [ $most -lt 1 ]; then return 0; fi
  suspects "$(date +%s)" | awk '$3 == "yes" { print $2 }' | head -n $most | paste -sd,
}
names() { if [ "$1" != '(null)' ]; then LC_ALL=C scontrol show hostnames "$1" 2>/dev/null | sort -u; fi; }
# exclude JOB LIST: Slurm gives that pending job none of these nodes, nor those that its user has excluded.
# RUN/excluded.txt remembers what was added, so that it can be forgotten.
exclude() {
  local now added own ours both
  now=$(LC_ALL=C scontrol -o show job "$1" 2>/dev/null | sed -n 's/.* ExcNodeList=\([^ ]*\).*/\1/p' | head -1)
  if [ -z "$now" ]; then return; fi
  now=$(names "$now")
  added=$(sed -n "s/^$1 //p" "$run/excluded.txt" 2>/dev/null | tail -1 | tr , '\n')
  own=$(grep -vxF -f <(echo "$added") <<<"$now")
  ours=$(tr , '\n' <<<"$2" | grep -vxF -f <(echo "$own"))
  both=$(printf '%s\n' "$own" "$ours" | grep . | sort -u)
  if [ "$both" = "$now" ]; then return; fi
  both=$(paste -sd, <<<"$both")
  if patiently 60 scontrol update JobId="$1" ExcNodeList="$both"; then
    tell "job $1 avoids ${both:-no node}"
    echo "$1 $(paste -sd, <<<"$ours")" >>"$run/excluded.txt"
  fi
}

links_avoid() { # links_avoid LIST: so do the links that wait, of a chain
  local link
  if in_chain; then for link in $(links); do exclude "$link" "$1"; done; fi
}

# allocated: the nodes of this job, one a line
allocated() {
  if [ -n "${SLURM_JOB_NODELIST:-}" ]; then LC_ALL=C timeout 10 scontrol show hostnames "$SLURM_JOB_NODELIST" 2>/dev/null; fi
}
# judged: the nodes of this job, the best first: "0 n1" good, "1 n3" suspected, "2 n2" to be avoided, "3 n4" down
judged() {
  { sinfo -h -N -o '%N down' -n "$SLURM_JOB_NODELIST" -t down,fail 2>/dev/null | sort -u &&
      suspects "$(date +%s)" &&
      allocated | sed 's/^/node /'
  } | awk '$2 == "down" { worth[$1] = 3 } $3 && !($2 in worth) { worth[$2] = $3 == "yes" ? 2 : 1 }
    $1 == "node" { print worth[$2] + 0, $2 }' | sort -s -k1,1n
}
# nodes_are: good, spare or bad, as lib/decide.sh has it; FACEMAE_NODES is how many a launch takes (all, unless given).
# A node that Slurm could not keep from us, as the partition is too small, is none to be avoided.
nodes_are() {
  if [ -z "${SLURM_JOB_NODELIST:-}" ]; then echo good; return; fi
  judged | awk -v wanted="${FACEMAE_NODES:-0}" -v avoid=",$(avoided)," '
    $1 < 2 { good++ } $1 == 3 || index(avoid, "," $2 ",") { bad++ }
    END { print (good == NR ? "good" : wanted > 0 && good >= wanted ? "spare" : bad ? "bad" : "good") }'
}

# narrow COMMAND...: sets `command` to the command, on the best FACEMAE_NODES nodes where the job has more
narrow() {
  local wanted=${FACEMAE_NODES:-0} nodes=() per i on=()
  command=("$@")
  if [ "$wanted" -lt 1 ] || [ -z "${SLURM_JOB_NODELIST:-}" ]; then return; fi
  mapfile -t nodes < <(judged | head -n "$wanted" | cut -d' ' -f2)
  if [ ${#nodes[@]} -lt "$wanted" ] || [ "$(allocated | wc -l)" -le "$wanted" ]; then return; fi
  per=${SLURM_NTASKS_PER_NODE:-$((${SLURM_NTASKS:-$SLURM_JOB_NUM_NODES} / SLURM_JOB_NUM_NODES))}
  for ((i = 1; i <= $#; i++)); do
    case ${*:i:1} in
      srun | */srun) on=(--nodes="$wanted" --ntasks=$((wanted * per)) --nodelist="$(IFS=, && echo "${nodes[*]}")") ;;
      mpiexec.hydra | */mpiexec.hydra) on=(-n $((wanted * per)) -ppn "$per" -hosts "$(IFS=, && echo "${nodes[*]}")") ;;
      mpirun | */mpirun) on=(-n $((wanted * per)) --host "$(printf "%s:$per\n" "${nodes[@]}" | paste -sd,)") ;;
      *) continue ;;
    esac
    command=("${@:1:i}" "${on[@]}" "${@:i+1}")
    return
  done
}

# preflight: the program's own look at all nodes (FACEMAE_PREFLIGHT, a command as words), 30 s at most. Whom it names
# is suspected; what else becomes of it is no matter.
preflight() {
  local words=() node code said=$run/.preflight
  read -ra words <<<"${FACEMAE_PREFLIGHT:-}"
  if [ ${#words[@]} = 0 ]; then return; fi
  timeout -k 2 28 "${words[@]}" >"$said" 2>/dev/null &
  attend $! TERM 0
  case $code in 0 | 75) ;; *) tell "the pre-flight gave no verdict ($code): ${words[*]}" ;; esac
  while read -r node; do accuse "$node" doctor "named by the pre-flight"; done < <(grep -xF -f <(allocated) "$said" | sort -u)
  rm -f "$said"
}
