#!/usr/bin/env bash
# Installs facemae into the image that is being built, from the sources around this script, and leaves nothing else
# there. containers/Dockerfile and containers/facemae.def call it and do nothing else.
#
# usage: containers/install.sh [option...]
#
#   --prefix DIR   where it goes (default /opt/facemae); LibTorch of PyPI goes to DIR/wheels
#   --cuda WHICH   LibTorch with CUDA 13.0, 12.8 or 12.6 (default: for CPUs); no toolkit is needed
#   -h, --help     this text
#
# The base is Debian 12 or Ubuntu 24.04 or newer. What it has already is used: its mpicc on PATH instead of Debian's Open
# MPI, the torch of its python3 (2.7 or newer) instead of PyPI's, and NCCL and CUDA beside that torch or in its toolkit.
# Compilers and headers that were installed for building are removed again; the libraries that the program loads stay.
# Needs root and the network.
set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"

prefix=/opt/facemae cuda=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) once "$1"; prefix=$(realpath -m "${2:?--prefix needs a folder}"); shift ;;
    --cuda) once "$1"; cuda=${2:?--cuda needs 13.0, 12.8 or 12.6}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) say "install.sh: unknown option $1; containers/install.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done
# shellcheck disable=SC2154  # of lib.sh
[ "$root" = /src/facemae ] || fail "it removes what only building needs, packages too, so it runs in an image that is being built," \
  "from /src/facemae, where the container files copy the sources"
[ "$(id -u)" = 0 ] || fail "it installs packages, so it needs root: call it while an image is built"
command -v apt-get >/dev/null || fail "this base has no apt-get: take Debian 12, Ubuntu 24.04 or newer, or an image made from them"

# A folder of the host may have brought its builds along, which were configured for other places.
rm -rf "$root/build" "$root/.deps"
export PIP_NO_CACHE_DIR=1 CCACHE_DIR=${CCACHE_DIR:-$root/build/ccache} # nothing of them stays in the image
mapfile -t before < <(apt-mark showmanual)

# --- build -------------------------------------------------------------------------------------------------------------
torch=$(python3 -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' 2>/dev/null || true)
if [ -n "$torch" ]; then export TORCH_DIR=$torch; fi
"$root/scripts/setup.sh" ${cuda:+--cuda "$cuda"}
if [ -z "$torch" ]; then
  mkdir -p "$prefix"
  mv "$root/.deps/wheels" "$prefix/wheels"
  export TORCH_DIR=$prefix/wheels/torch
fi
"$root/scripts/build.sh" --no-setup
cmake --install "$root/build/release" --prefix "$prefix" --strip
ln -sf "$prefix/bin/facemae" /usr/local/bin/facemae

# --- what only building needed -----------------------------------------------------------------------------------------
mapfile -t files < <({ ldd "$prefix/bin/facemae" | awk '$2 == "=>" && $3 != "not" { print $3 }'; command -v mpirun; } | xargs realpath)
mapfile -t needed < <(dpkg-query -S "${files[@]/#*\//*/}" 2>/dev/null | sed 's/: .*//' | sort -u) # by name: /lib may be /usr/lib
apt-mark auto '.*' >/dev/null
apt-mark manual "${before[@]}" "${needed[@]}" >/dev/null
apt-get -q autoremove -y --purge >/dev/null
if [ -z "$torch" ]; then rm -rf "${TORCH_DIR:?}"/{include,bin,test}; fi
rm -rf "$root/build" "$root/.deps" /var/lib/apt/lists/*
facemae --version
