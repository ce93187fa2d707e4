#!/usr/bin/env bash
# Nodes that have disks of their own under the path of a run or of a store: told within seconds, exit 2, nothing begun.
. "$(dirname "$0")/lib.sh"
if ! { [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; }; then
  echo "SKIP: a disk of its own for one rank needs root and mount namespaces"
  exit 77
fi
"$facemae" synth --out faces --identities 6 --images-per-identity 7 --log-level warn 2>/dev/null || exit 1
"$facemae" pretrain --store faces --run model --steps 1 --batch 6 --model tiny --patch 28 --embedder-size 16 --embedder-width 4 \
  --threads 1 --log-level warn >model.log 2>&1 || exit 1
cat >node.sh <<'node'
#!/usr/bin/env bash
# node.sh PATH COMMAND...: rank 1 has a disk of its own at PATH.
path=$1
shift
[ "$OMPI_COMM_WORLD_RANK" = 1 ] || exec "$@"
exec unshare -m bash -c 'mount -t tmpfs none "$0" && exec "$@"' "$path" "$@"
node
apart() { mkdir -p "$1" && on_ranks 3 bash node.sh "$work/$1" "$facemae" "${@:2}"; }
# A mount that a failing command leaves behind would go with its namespace.
train() { # train RUN OPTION...
  pretrain=(pretrain --store faces --run "$1" --steps 3 --batch 6 --model tiny --patch 28 --embedder-size 16 --embedder-width 4 --threads 1)
  apart "$1" "${pretrain[@]}" "${@:2}"
}
begun=$SECONDS
ends_with 2 "training is refused where rank 1 has a disk of its own" "run run is not one folder for all ranks.*rank 1 on $(hostname)" train run
check "within seconds (after $((SECONDS - begun)))" test $((SECONDS - begun)) -lt 30
check "rank 2, which shares, is not named" test -z "$(grep 'rank 2' said)"
check "nothing was begun" test -z "$(ls run/checkpoints 2>/dev/null)"
ends_with 2 "so is packing" "out out is not one folder for all ranks.*rank 1 on" \
  apart out synth --out out --identities 6 --images-per-identity 7
check "without a store" test ! -e out/manifest.h5
mkdir rebuilt
ends_with 2 "so is rebuilding" "out rebuilt is not one folder for all ranks.*rank 1 on" \
  apart rebuilt reconstruct --store faces --from model --out rebuilt --private private --shard-images 8
check "before the release has begun" test ! -e private
ends_with 2 "so is embedding, before weights are read" "folder of --out away/e.npy is not one folder for all ranks.*rank 1 on" \
  apart away embed --from nowhere --store faces --out away/e.npy
check "nothing is left of it" test -z "$(ls -A away)"
ends_with 0 "where all share, the same goes well" "" on_ranks 3 "$facemae" "${pretrain[@]}"
check "nothing of the look stays" test -z "$(ls -A run | grep shared)"
finish
