#!/usr/bin/env bash
# Killed every few seconds and moved between numbers of ranks, a run under --exact ends in the calm run's bits.
# FACEMAE_SOAK_SECONDS: how long (20; scripts/test.sh --full takes 600).
. "$(dirname "$0")/lib.sh"
"$facemae" synth --out faces --identities 5 --images-per-identity 6 --log-level warn 2>/dev/null || exit 1
ends_with 0 "kills on changing numbers of ranks leave the calm run's bits" "the calm run's root" \
  python3 "$here/soak.py" "$facemae" faces "${FACEMAE_SOAK_SECONDS:-20}"
cat said
finish
