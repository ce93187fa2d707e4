#!/usr/bin/env bash
# From nothing to a run that was interrupted once and is done, by an ordinary user, in half an hour: the lines under
# "On a cluster" in README.md, typed as they stand there, in a bare Debian 12 on which the site has installed compilers, MPI,
# HDF5, the small libraries and a Slurm of two nodes. Prints the minutes of each line.
# The host is the root of the outer half, a Debian of its own that of the inner one. FACEMAE_BARE_ROOTS as in
# tests/packaging/bare_root.sh.
# shellcheck disable=SC1091,SC2015
set -uo pipefail
limit=1800 user=visitor
source=${FACEMAE_SOURCE:?}

if [ "${1:-}" != inside ]; then
  for tool in debootstrap pivot_root git slurmctld; do
    PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
  done
  [ "$(id -u)" = 0 ] || { echo "SKIP: a root folder of its own needs root"; exit 77; }
  work=$(mktemp -d /var/tmp/facemae-half-hour.XXXXXX) && chmod 755 "$work" || exit 1
  trap 'rm -rf --one-file-system "$work"' EXIT
  . "$source/tests/packaging/bare_root.sh"
  bare_root bookworm || { echo "SKIP: no bare Debian 12 can be had: $(tail -1 "$work/said")"; exit 77; }
  root=$work/bookworm
  git clone -q --bare "$source" "$root/srv/facemae.git" && git clone -q "$source" "$root/srv/site" || exit 1
  mapfile -t indexes < <(env | grep -iE '^(https?_proxy|no_proxy|pip_[a-z_]*|ssl_cert[a-z_]*)=')
  # shellcheck disable=SC2016  # expanded in the new root
  unshare --mount --pid --fork --kill-child --propagation private bash -c '
    mount --bind "$0" "$0" && cd "$0" && mkdir old || exit 1
    for place in sys dev; do mount --rbind "/$place" "$place" || exit 1; done
    mount -t proc proc proc && pivot_root . old && cd / && umount -l old || exit 1
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 FACEMAE_SOURCE=/srv/site "$@" \
      bash /srv/site/tests/slurm/half_hour_test.sh inside' "$root" "${indexes[@]}"
  exit $?
fi

# What README says.
mapfile -t lines < <(awk '/^## /{ at = $0 == "## On a cluster" } /^```/ { fence = !fence; next } at && fence { sub(/ +# .*/, ""); print }' \
  "$source/README.md" | sed 's,REPOSITORY,/srv/facemae.git,')
times=/srv/times
type_line() { # type_line N: as the user, in the folder that the lines before led to
  local began=$SECONDS
  echo "\$ ${lines[$1]}"
  # shellcheck disable=SC2016
  runuser -u $user -- env HOME=/home/$user USER=$user bash -c '
    cd "$(cat ~/.at 2>/dev/null || echo ~)" && if [ -e ~/.path ]; then PATH=$(cat ~/.path); fi
    eval "$1"; code=$?; pwd >~/.at; echo "$PATH" >~/.path; exit $code' bash "${lines[$1]}" >/srv/said 2>&1 </dev/null
  local code=$?
  echo "$1 $((SECONDS - began))" >>$times
  tail -n 3 /srv/said
  [ $code = 0 ] || { tail -n 30 /srv/said; echo "FAILED: line $(($1 + 1)) ended with $code"; exit 1; }
}

if [ "${FACEMAE_CLUSTER_INSIDE:-}" != yes ]; then # what the site did before the user came
  if [ ${#lines[@]} -lt 7 ] || [ ${#lines[@]} -gt 10 ]; then echo "FAILED: README has ${#lines[@]} lines there"; exit 1; fi
  (apt-get update && cd /srv/site && scripts/setup.sh --slurm && apt-get install -y --no-install-recommends git) >/srv/site.log 2>&1 ||
    { tail -20 /srv/site.log; echo "FAILED: the site"; exit 1; }
  rm -rf /srv/site/.deps
  git config --system --add safe.directory '*'
  useradd --create-home $user
  if runuser -u $user -- sudo -n true 2>/dev/null; then echo "FAILED: the user can become root"; exit 1; fi
  # The login node reaches package indexes, the cluster below has a network of its own.
  for n in 0 1 2; do type_line $n; done
fi
. "$source/tests/slurm/cluster.sh"
cluster_enter inside
cluster_up 2
run=/home/$user/facemae/run
steps_done() { [ "$(sed -n 's/^{"step":\([0-9]*\),.*/\1/p' $run/metrics.jsonl 2>/dev/null | tail -1)" -ge "$1" ] 2>/dev/null; }
for ((n = 3; n < ${#lines[@]}; n++)); do
  waited=$SECONDS
  case ${lines[$n]} in
    scancel*) wait_until 300 "twenty steps" steps_done 20 ;;
    *status*) wait_until 60 "a start" test -e $run/outcome.json ;;
  esac
  if ((n == ${#lines[@]} - 1)); then
    wait_until 900 "the requeued job's end" grep -q '"code":0' $run/outcome.json
  fi
  echo "$n $((SECONDS - waited))" >>$times
  type_line $n
done
grep -q '"action":"requeue"' $run/supervisor.jsonl || die "nothing was requeued"
[ -d $run/exits/00000001 ] || die "it was one start"
job_ended() { [ -z "$(squeue -h)" ]; }
wait_until 60 "the job's end" job_ended
awk '{ seconds[$1] += $2; all += $2 } END { for (n = 0; n in seconds; n++) printf "%5.1f min  line %d\n", seconds[n] / 60, n + 1; printf "%5.1f min in all\n", all / 60; exit !(all <= '$limit') }' $times ||
  die "more than half an hour"
