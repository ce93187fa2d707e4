#!/usr/bin/env bash
# Chooses the LibTorch for a driver and its GPUs, from scripts/cuda_choices.txt: prints the CUDA version, then why.
#
# usage: scripts/cuda_choice.sh [DRIVER [CAPABILITY [MACHINE]]]
#
#   DRIVER       version of NVIDIA's driver, such as 535.129.03      [that of this machine]
#   CAPABILITY   compute capability of the GPUs, such as 8.0; of several kinds, the lowest and the highest as 7.0-9.0; -
#                where it is not known: then Volta (7.0) or newer is assumed, as far as the driver still drives it
#   MACHINE      x86_64 or aarch64                                  [that of this machine]
#
# Where a login node has no GPU, this shows both on a node that has one (Slurm: srun --gpus=1 before it):
#   nvidia-smi --query-gpu=driver_version,compute_cap --format=csv,noheader
#
# Exit codes: 0 chosen; 1 none fits, or nothing is known of the driver: stderr says why and what to do; 2 wrong usage.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

ask='nvidia-smi --query-gpu=driver_version,compute_cap --format=csv,noheader'
case ${1:-} in -h | --help) usage; exit 0 ;; esac
[ $# -le 3 ] || { say "cuda_choice.sh: at most three words; --help explains them" >&2; exit 2; }
driver=${1:-} capability=${2:--} machine=${3:-$(uname -m)}

driver_of_kernel() { sed -n '1s/.*Module[^0-9]*\([0-9][0-9.]*\).*/\1/p' /proc/driver/nvidia/version 2>/dev/null; }
if [ -z "$driver" ]; then
  if gpus=$($ask 2>/dev/null) && [[ $gpus == [0-9]* ]]; then
    driver=${gpus%%,*}
    capability=$(cut -d, -f2 <<<"$gpus" | tr -d " " | grep -E '^[0-9]+\.[0-9]+$' | sort -uV | sed -n '1p;$p' | uniq | paste -sd-)
    capability=${capability:--}
  else
    driver=$(driver_of_kernel)
  fi
  [ -n "$driver" ] || fail "this machine has no NVIDIA driver. A login node often has none: see what a node with GPUs has," \
    "  srun --gpus=1 $ask" "  and give it: scripts/setup.sh --cuda driver VERSION capability X.Y"
fi
[[ $driver =~ ^[0-9]+(\.[0-9]+)*$ ]] ||
  { say "cuda_choice.sh: $driver is no version of a driver, which looks like 535.129.03" >&2; exit 2; }
[[ $capability =~ ^(-|[0-9]+\.[0-9]+(-[0-9]+\.[0-9]+)?)$ ]] ||
  { say "cuda_choice.sh: $capability is no compute capability, which looks like 8.0, or 7.0-9.0 for several kinds" >&2; exit 2; }

major=${driver%%.*}
what="driver $driver"
if [ "$capability" != - ]; then
  what+=", compute capability $capability"
elif [ "$machine" = x86_64 ] && [ "$major" -lt 590 ]; then
  capability=7.0 what+=", GPUs taken for Volta (7.0) or newer" # drivers before 590 also drive older ones
else
  capability=7.5 what+=", GPUs taken for Turing (7.5) or newer"
fi
lowest=${capability%-*} highest=${capability#*-}
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$2" ]; } # at_least A B: A >= B

reasons=
while read -r cuda torch least from to machines _; do
  [[ $cuda == [0-9]* ]] || continue
  why=
  if [[ ,$machines, != *,$machine,* ]]; then why="has no wheel for $machine"
  elif [ "$major" -lt "$least" ]; then why="needs driver $least"
  elif ! at_least "$lowest" "$from"; then why="has no code for GPUs below $from"
  elif [ "$to" != - ] && ! at_least "$to" "$highest"; then why="has no code for GPUs above $to"; fi
  if [ -z "$why" ]; then
    say "$cuda LibTorch $torch with CUDA $cuda: $what${reasons:+ (${reasons%; })}"
    exit 0
  fi
  reasons+="CUDA $cuda $why; "
done <"$root/scripts/cuda_choices.txt"

fail "no LibTorch of PyPI fits $what on $machine: ${reasons%; }." \
  "Ask the site for a newer driver or its forward compatibility package (cuda-compat), use a PyTorch of the site" \
  "(TORCH_DIR) or a container that carries the package, or build for CPUs: scripts/setup.sh --cpu."
