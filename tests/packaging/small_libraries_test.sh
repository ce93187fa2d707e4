#!/usr/bin/env bash
# scripts/small_libraries.sh on stand-ins of its tarballs: what it takes from a mirror, what it refuses, that it goes on.
set -uo pipefail
scripts=${FACEMAE_SOURCE:?}/scripts
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
miss() { echo "FAILED: $1"; head -c 2000 "$work/said"; faults=$((faults + 1)); }
small() { "$scripts/small_libraries.sh" --list "$work/list" --mirror "$work/mirror" --prefix "$work/libraries" "$@" >"$work/said" 2>&1; }
ends_with() { # ends_with CODE WHAT TEXT NAME...
  small "${@:4}"
  local code=$?
  { [ $code = "$1" ] && grep -qE -- "$3" "$work/said"; } || miss "$2: exit code $code instead of $1, or not \"$3\""
}

# A library of one function, which is built as xxhash and as libwebp are.
mkdir -p "$work/mirror" "$work/tree/one/cmake_unofficial"
cat >"$work/tree/one/CMakeLists.txt" <<'T'
cmake_minimum_required(VERSION 3.5)
project(one LANGUAGES C)
file(WRITE ${CMAKE_BINARY_DIR}/one.c "int one(void) { return 1; }\n")
add_library(one ${CMAKE_BINARY_DIR}/one.c)
install(TARGETS one LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
T
cp "$work/tree/one/CMakeLists.txt" "$work/tree/one/cmake_unofficial/"
tar -C "$work/tree" -czf "$work/mirror/xxhash-1.0.tar.gz" one
cp "$work/mirror/xxhash-1.0.tar.gz" "$work/mirror/libwebp-2.0.tar.gz"
echo "not a release" >"$work/mirror/libzip-3.0.tar.xz"
sum=$(sha256sum <"$work/mirror/xxhash-1.0.tar.gz")
printf '%s\n' "# name version checksum address" "xxhash 1.0 ${sum%% *} https://example.org/x.tar.gz" \
  "libwebp 2.0 ${sum%% *} https://example.org/w.tar.gz" "libzip 3.0 ${sum%% *} https://example.org/z.tar.xz" \
  "spdlog 4.0 ${sum%% *} https://example.org/s.tar.gz" >"$work/list"

ends_with 0 "one of a mirror is built" 'xxhash 1\.0, [0-9]+ s' xxhash
[ -e "$work/libraries/lib/libone.so" ] || miss "as a shared library in lib/"
ends_with 0 "and not again" 'xxhash 1\.0 was built before' xxhash
ends_with 1 "what is no release is refused" 'libzip-3\.0\.tar\.xz is not the release that is pinned: its SHA-256' libwebp libzip
[ -e "$work/libraries/.built/libwebp-2.0" ] || miss "while others are built"
ends_with 1 "a mirror that lacks one is told, with the cure" 'has no spdlog-4\.0\.tar\.gz.*--print \| sh' spdlog
ends_with 2 "an unknown name is refused" 'there is no xyz' xyz
echo 'message(FATAL_ERROR "broken here")' >>"$work/tree/one/CMakeLists.txt"
tar -C "$work/tree" -czf "$work/mirror/spdlog-4.0.tar.gz" one
broken=$(sha256sum <"$work/mirror/spdlog-4.0.tar.gz")
sed -i "s/^spdlog 4.0 [0-9a-f]*/spdlog 4.0 ${broken%% *}/" "$work/list"
ends_with 1 "a failure shows what was said, and where the rest is" 'broken here' spdlog
grep -q 'could not be built; all that was said is in .*spdlog.log' "$work/said" || miss "the log is named"

# Set-up asks for what is missing and for no more: here a compiler that sees all headers but xxhash's.
mkdir -p "$work/here/scripts" "$work/here/packaging" "$work/bin"
cp "$scripts"/*.sh "$scripts"/*.txt "$work/here/scripts/"
cp "$FACEMAE_SOURCE/packaging/dependencies.txt" "$work/here/packaging/"
cp "$work/list" "$work/here/scripts/small_libraries.txt"
printf '#!/bin/sh\ncase "$*" in *"-E -P"*) cat >/dev/null; cat "%s";; *) echo 12;; esac\n' "$work/seen" >"$work/bin/g++"
awk '!/^#/ && $2 ~ /^hdr/ && $1 != "XXHASH" { print "\"" $3 "\"" }' "$FACEMAE_SOURCE/packaging/dependencies.txt" >"$work/seen"
chmod +x "$work/bin/g++"
TORCH_DIR='' CMAKE_PREFIX_PATH='' PATH=$work/bin:$PATH "$work/here/scripts/setup.sh" --no-system --small-libraries --mirror "$work/mirror" >"$work/said" 2>&1
[ "$(find "$work/here/.deps/libraries/.built" -name '*-[0-9]*' -printf '%f ')" = "xxhash-1.0 " ] || miss "set-up builds what is missing, and no more"
grep -qE '^  libxxhash-dev +xxHash +xxhash +xxhash +--small-libraries$' "$work/said" || miss "and names what is missing still"

# The list that is used: each name has a release, a checksum and an address, and --print says how to fill a mirror.
"$scripts/small_libraries.sh" --print >"$work/said" || miss "--print"
listed=$(awk '!/^#/ && NF { print $1 }' "$scripts/small_libraries.txt" | wc -l)
[ "$(grep -cE "^curl -fL -o [a-z-]+-[0-9.]+\.tar\.[gx]z https://[^ ]+ && echo '[0-9a-f]{64}  [a-z-]+-[0-9.]+\.tar\.[gx]z' \| sha256sum -c$" "$work/said")" \
  = $((listed - ($(uname -m | grep -vc x86_64)))) ] || miss "--print has a line for each"
[ $faults = 0 ] && echo "small_libraries: all as promised"
exit $((faults > 0))
