# What the supervisor concludes: pure functions, facts in, words out. They ask nobody and change nothing.
# tests/slurm/decide_test.sh has a table of every combination. Sourced by slurm/supervise.sh.
# shellcheck shell=bash disable=SC2034,SC2209  # `cause`, `action` and `because` are the results

# why_it_ends STATE REASON PREEMPTED RESTARTED: sets `cause` to why Slurm ends the job.
#   STATE      JobState of `scontrol -o show job`; empty where nobody answered
#   REASON     its Reason
#   PREEMPTED  yes if it has a PreemptTime
#   RESTARTED  yes if its Restarts is above the number with which this start of the job began
# cause: none (it goes on) | preempted | limit | requeued (by somebody else) | cancelled | unknown
why_it_ends() {
  case $4:$3:$2:$1 in
    yes:*) cause=requeued ;;
    *:yes:*:RUNNING | *:yes:*:COMPLETING | *:PREEMPTED) cause=preempted ;;
    *:TimeLimit:RUNNING | *:TimeLimit:COMPLETING | *:TIMEOUT) cause=limit ;;
    *:RUNNING) cause=none ;;
    *:COMPLETING | *:CANCELLED) cause=cancelled ;;
    *) cause=unknown ;;
  esac
}

# decide CODE CAUSE ASKED NOTICE COMMITTED CHAIN IDLE NODES: sets `action`, and `because` to the reason in words.
#   CODE       complete (0) | final (2 65 66 67 93) | stopped (76) | lost (75 and all else) | alive: the command has not
#              ended, and Slurm kills it in a moment
#   CAUSE      of why_it_ends
#   ASKED      yes if somebody asked for the stop (RUN/stop)
#   NOTICE     yes if Slurm gave notice of the job's end
#   COMMITTED  yes if a checkpoint was committed since this start of the job
#   CHAIN      no | last | waits: the job is a link of a chain, and another one waits
#   IDLE       yes if as many starts in a row as may be committed nothing
#   NODES      good | spare | bad: a node is to be avoided, which spare nodes allow, or do not
# action: finish (exit with the command's code) | wait (for Slurm to end the job) | requeue | leave (exit: the next link
# resumes, or nobody does) | stuck (exit with 93) | again (start again here)
decide() {
  local code=$1 cause=$2 asked=$3 notice=$4 committed=$5 chain=$6 idle=$7 nodes=$8
  if [ "$code" = complete ]; then action=finish because="the training is done"; return; fi
  case $cause in
    requeued) action=wait because="somebody has requeued the job"; return ;;
    cancelled) action=wait because="the job was cancelled"; return ;;
    unknown) action=wait because="Slurm does not say why the job ends"; return ;;
  esac
  if [ "$code" = final ]; then
    action=finish because="starting again would not help"
    if [ "$cause" != none ]; then action=wait; fi
  elif [ "$asked" = yes ] && [ "$code" = stopped ]; then
    action=leave because="somebody asked for the stop"
  elif [ "$code" = alive ] && [ "$cause" = none ]; then
    action=wait because="the ranks have not ended"
  elif [ "$cause" != none ]; then # preempted, or out of time
    because="the job is preempted"
    if [ "$cause" = limit ]; then because="the job is out of time"; fi
    if [ "$chain" != no ]; then
      action=wait because+=", and the chain goes on"
      if [ "$code" = stopped ]; then action=leave; fi
    elif [ "$committed" = yes ]; then
      action=requeue because+=", and has committed something"
    else
      action=wait because+=", and committed nothing"
    fi
  elif [ "$idle" = yes ]; then
    action=stuck because="too many starts in a row committed nothing"
  elif [ "$code" = stopped ] || [ "$notice" = yes ]; then
    action=requeue because="the ranks stopped in time"
    if [ "$code" = lost ]; then because="a start was lost after notice"; fi
    if [ "$chain" != no ]; then action=leave because+=", and the chain goes on"; fi
  elif [ "$nodes" = bad ] && [ "$chain" != last ]; then
    action=requeue because="a node is to be avoided, and there is no spare one"
    if [ "$chain" = waits ]; then action=leave; fi
  else
    action=again because="a start was lost"
    if [ "$nodes" = spare ]; then because+=", and a spare node takes a bad one's place"; fi
  fi
}
