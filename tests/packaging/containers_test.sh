#!/usr/bin/env bash
# The container files call one script and do nothing else. With `bare`: their lines, one by one, in a bare Debian 12, up to
# a doctor that passes.
# shellcheck disable=SC1091,SC2015,SC2016
set -uo pipefail
source=${FACEMAE_SOURCE:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf --one-file-system "$work"' EXIT
faults=0
miss() { echo "FAILED: $1"; tail -c 2000 "$work/said"; echo; faults=$((faults + 1)); }
skip() { echo "SKIP: $*"; exit 77; }

run_lines() { # run_lines: what each file executes while it builds, with no option given
  sed -n 's/^RUN //p' "$source/containers/Dockerfile" | sed 's/ \${OPTIONS}//; s/ && /\n/g' >"$work/of_docker"
  awk '/^%/ { on = $1 == "%post"; next } on && NF { sub(/^ +/, ""); print }' "$source/containers/facemae.def" |
    sed 's/ {{ options }}//' >"$work/of_apptainer"
}
run_lines

if [ "${1:-}" = bare ]; then
  if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then skip "needs root and debootstrap"; fi
  . "$(dirname "$0")/bare_root.sh"
  bare_root bookworm || skip "no bare Debian 12 can be had: $(tail -1 "$work/said")"
  mkdir -p "$work/bookworm/src/facemae"
  git -C "$source" archive HEAD | tar -C "$work/bookworm/src/facemae" -x
  while read -r line; do
    echo "+ $line"
    in_root bookworm sh -c "$line" </dev/null >"$work/said" 2>&1 || miss "$line"
  done <"$work/of_docker"
  in_root bookworm sh -c "$(sed -n 's/^HEALTHCHECK CMD //p' "$source/containers/Dockerfile")" >"$work/said" 2>&1 || miss "the doctor passes"
  in_root bookworm mpirun --bind-to none --oversubscribe -n 2 facemae doctor --quick >"$work/said" 2>&1 || miss "the doctor passes on two ranks"
  in_root bookworm sh -c '! command -v g++ && ! command -v cmake && [ ! -e /src/facemae ]' >"$work/said" 2>&1 || miss "compilers and sources are gone"
  du -sxm "$work/bookworm" | awk '{ print "the image has " $1 " MiB" }'
  exit $((faults > 0))
fi

printf 'bash /src/facemae/containers/install.sh\nrm -rf /src/facemae\n' >"$work/wanted"
for file in of_docker of_apptainer; do
  diff "$work/wanted" "$work/$file" >"$work/said" || miss "$file calls install.sh, and removes what was copied"
done
grep -qx 'HEALTHCHECK CMD facemae doctor --quick' "$source/containers/Dockerfile" || miss "the image's health is the doctor's"
awk '/^%/ { on = $1 == "%test"; next } on && NF { print $0 }' "$source/containers/facemae.def" | grep -qx ' *facemae doctor --quick' ||
  miss "and Apptainer's test is"
install=$source/containers/install.sh
says() { # says CODE WHAT TEXT COMMAND...
  "${@:4}" >"$work/said" 2>&1
  [ $? = "$1" ] && grep -qE -- "$3" "$work/said" || miss "$2"
}
says 0 "help teaches" '--prefix DIR' "$install" --help
says 2 "an unknown option is told" 'unknown option --nothing' "$install" --nothing
says 1 "in a checkout it touches nothing" 'runs in an image' "$install" --prefix "$work/installed"
[ $faults = 0 ] && echo "containers: all as promised"
exit $((faults > 0))
