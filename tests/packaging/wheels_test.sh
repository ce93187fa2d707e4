#!/usr/bin/env bash
# Every wheel that scripts/setup.sh pins is there: pip resolves it without installing, and LibTorch's have the CUDA and
# NCCL that docs/SITES.md says. Needs the package index.
set -uo pipefail
source=${FACEMAE_SOURCE:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
# report MACHINE OPTION...: "name version" of all that pip would install
report() {
  local machine=$1 platforms=() minor
  shift
  for ((minor = 39; minor >= 17; minor--)); do platforms+=(--platform "manylinux_2_${minor}_$machine"); done
  python3 -m pip install --quiet --disable-pip-version-check --dry-run --ignore-installed --target "$work/none" --report "$work/report" \
    --only-binary=:all: --python-version 3.12 "${platforms[@]}" --platform "manylinux2014_$machine" --platform any "$@" 2>"$work/said" &&
    python3 -c 'import json, sys; [print(i["metadata"]["name"], i["metadata"]["version"]) for i in json.load(open(sys.argv[1]))["install"]]' "$work/report"
}
miss() { echo "FAILED: $1"; tail -3 "$work/said"; faults=$((faults + 1)); }
report x86_64 --no-deps wheel >"$work/found" || { echo "SKIP: no package index in reach of pip"; exit 77; }

wheels=0
while read -r cuda torch _ _ _ machines headers; do
  [[ $cuda == [0-9]* ]] || continue
  for machine in ${machines//,/ }; do
    if [ "$machine" = "$(uname -m)" ]; then
      report "$machine" "torch==$torch" >"$work/found" || { miss "torch $torch for $machine"; continue; }
      grep -qE "^nvidia-cuda-runtime(-cu12)? ${cuda//./\\.}\." "$work/found" || miss "torch $torch is not of CUDA $cuda"
      nccl=$(sed -n 's/^nvidia-nccl-cu1[23] //p' "$work/found")
      grep -qE "\| ${torch//./\\.} \| ${cuda//./\\.} \| ${nccl//./\\.} \|" "$source/docs/SITES.md" || miss "docs/SITES.md has no torch $torch with CUDA $cuda and NCCL $nccl"
    else # of other machines the wheels alone: markers of dependencies are those of this one
      report "$machine" --no-deps "torch==$torch" >"$work/found" || miss "torch $torch for $machine"
    fi
    IFS=, read -ra pins <<<"$headers"
    report "$machine" --no-deps "${pins[@]}" >"$work/found" || miss "headers of CUDA $cuda for $machine"
    wheels=$((wheels + 1))
  done
done <"$source/scripts/cuda_choices.txt"
mapfile -t pins < <(sed -n 's/^\(cupti\|cudart\|nccl\)=\(nvidia.*\)$/\2/p' "$source/scripts/setup.sh")
[ ${#pins[@]} = 3 ] || miss "the pins of the CPU's LibTorch are not found in scripts/setup.sh"
report "$(uname -m)" --no-deps "${pins[@]}" >"$work/found" || miss "${pins[*]}"
[ $wheels -ge 4 ] || miss "only $wheels LibTorches were looked at"
[ $faults = 0 ] && echo "wheels: all pinned ones are there"
exit $((faults > 0))
