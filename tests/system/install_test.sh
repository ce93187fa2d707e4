#!/usr/bin/env bash
# An installed program runs, and the batch template lies beside it.
. "$(dirname "$0")/lib.sh"
ends_with 0 "cmake --install works" '' cmake --install "$BUILD" --prefix "$work/installed"
ends_with 0 "the installed program finds its libraries" 'LibTorch [0-9]' "$work/installed/bin/facemae" --version
ends_with 0 "and works" '' "$work/installed/bin/facemae" synth --out faces --identities 2 --images-per-identity 2
check "with the batch template and its supervisor" test -x "$work/installed/share/facemae/slurm/supervise.sh" -a \
  -e "$work/installed/share/facemae/slurm/pretrain.sbatch"
check "which looks for both where they are" grep -q 'share/facemae/slurm/supervise.sh program=$FACEMAE/bin/facemae' \
  "$work/installed/share/facemae/slurm/pretrain.sbatch"
finish
