#!/usr/bin/env bash
# facemae doctor where a rank is stopped: within a minute it is named, whether it joined before or not.
. "$(dirname "$0")/lib.sh"
lost() { # lost WHAT RULE TEXT OPTION...
  local what=$1 rule=$2 text=$3 begun=$SECONDS
  shift 3
  FACEMAE_FAILPOINT=$rule ranks 3 doctor "$@" >said 2>errors
  equal $? 75 || miss "$what: the exit code"
  check "$what is told" grep -qE "$text" said
  check "in time, also on a busy machine (after $((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 90
  check "nothing of it stays" equal "$(find . -name '.shared*')" ""
}
lost "a rank that joined and is stopped" "doctor.facts@1=stop" "^problem  mpi.answers  .*does not answer" --run r --quick
check "and its host is named" grep -qx "A run would not work with $(hostname); nothing else is in its way." said
lost "the same without a run" "doctor.facts@2=stop" "^$(hostname)$" --quick --bad-nodes
lost "the first rank" "doctor.facts@0=stop" "^problem  mpi.answers  .*does not answer" --run r --quick
lost "a rank that never joined" "world.join@2=stop" "^problem  mpi.answers  .*does not answer" --run r
finish
