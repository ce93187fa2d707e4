#!/usr/bin/env bash
# Builds the small libraries that modules of clusters rarely have, without root, into .deps/libraries of this repository.
#
# usage: scripts/small_libraries.sh [option...] [NAME...]
#
#   NAME            isa-l, libjpeg-turbo, libarchive, libexif, libsodium, libwebp, libzip, nlohmann-json, spdlog (with
#                   the fmt that it carries), xxhash                                        [all]
#   --mirror DIR    takes the tarballs from DIR and fetches nothing
#   --print         prints which tarballs are needed, where they come from and their checksums, and builds nothing: where
#                   there is internet,  scripts/small_libraries.sh --print | sh  fills the folder that it is run in
#   --prefix DIR    installs into DIR                                                       [.deps/libraries]
#   --list FILE     takes versions and checksums from FILE            [scripts/small_libraries.txt]
#   -h, --help      this text
#
# It needs a C and C++ compiler, CMake, Ninja, make, and zlib's headers. CMake of this repository finds what lies in
# .deps/libraries, after modules. On x86_64 isa-l and libjpeg-turbo want nasm, which is built first where there is none.
# What was built before is left as it is. scripts/setup.sh --small-libraries calls it with what is missing.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

mirror='' print=no prefix=$root/.deps/libraries list=$root/scripts/small_libraries.txt names=()
while [ $# -gt 0 ]; do
  case $1 in
    --mirror) once "$1"; mirror=${2:?--mirror needs a folder}; shift ;;
    --prefix) once "$1"; prefix=${2:?--prefix needs a folder}; shift ;;
    --list) once "$1"; list=${2:?--list needs a file}; shift ;;
    --print) print=yes ;;
    -h | --help) usage; exit 0 ;;
    -*) say "small_libraries.sh: unknown option $1; scripts/small_libraries.sh --help lists them" >&2; exit 2 ;;
    *) names+=("$1") ;;
  esac
  shift
done
row() { awk -v name="$1" '$1 == name { print $2, $3, $4 }' "$list"; }
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(awk '!/^#/ && NF && $1 != "nasm" { print $1 }' "$list")
for name in "${names[@]}"; do
  [ -n "$(row "$name")" ] || { say "small_libraries.sh: there is no $name in $list; --help lists the names" >&2; exit 2; }
done
if [ "$(uname -m)" = x86_64 ] && [[ " ${names[*]} " =~ \ (isa-l|libjpeg-turbo)\  ]] && { [ $print = yes ] || ! command -v nasm >/dev/null; }; then
  names=(nasm "${names[@]}")
fi
tarball() { # tarball NAME VERSION URL: its name in a mirror
  case $3 in *.tar.xz) say "$1-$2.tar.xz" ;; *) say "$1-$2.tar.gz" ;; esac
}

if [ $print = yes ]; then
  for name in "${names[@]}"; do
    read -r version sum url < <(row "$name")
    file=$(tarball "$name" "$version" "$url")
    say "curl -fL -o $file $url && echo '$sum  $file' | sha256sum -c"
  done
  exit 0
fi

export PATH=$prefix/bin:$PATH PKG_CONFIG_PATH=$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
mkdir -p "$prefix/.built" "$prefix/lib/pkgconfig" || fail "$prefix cannot be written; --prefix DIR installs elsewhere"
prefix=$(cd "$prefix" && pwd)
parallel=$((($(nproc) + 1) / 2)) # two are built at a time: their configuring uses one core each

# by_cmake SOURCE OPTION...: shared libraries, in lib/ on every system; old releases do not know CMake 4's policies.
by_cmake() {
  local source=$1
  shift
  cmake -G Ninja -S "$source" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR:STRING=lib \
    -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=ON -DCMAKE_INSTALL_RPATH_USE_LINK_PATH=ON -DCMAKE_INSTALL_RPATH="$prefix/lib" \
    -DCMAKE_POLICY_VERSION_MINIMUM=3.5 "$@" && cmake --build "$work/build" -j "$parallel" && cmake --install "$work/build"
}
by_configure() {
  (cd "$work/source" && ./configure --prefix="$prefix" --libdir="$prefix/lib" "$@" && make -j "$parallel" && make install)
}
off() { printf -- "-D$1%s=OFF\n" "${@:2}"; } # off PREFIX NAME...: options of CMake

build() { # build NAME VERSION, of what lies in $work/source
  local source=$work/source options=()
  case $1 in
    nasm) by_configure ;;
    libsodium) by_configure --disable-static ;;
    isa-l) # by its makefile without autotools, which cannot install the checksums alone
      make -C "$source" -f Makefile.unx -j "$parallel" units=crc slib isa-l.h &&
        install -D -m 755 "$source/bin/libisal.so" "$prefix/lib/libisal.so.2" && ln -sf libisal.so.2 "$prefix/lib/libisal.so" &&
        install -D -m 644 -t "$prefix/include" "$source/isa-l.h" &&
        install -D -m 644 -t "$prefix/include/isa-l" "$source"/include/crc.h "$source"/include/crc64.h &&
        printf '%s\n' "prefix=$prefix" "Name: libisal" "Description: Intelligent Storage Acceleration Library" \
          "Version: $2" "Libs: -L$prefix/lib -lisal" "Cflags: -I$prefix/include" >"$prefix/lib/pkgconfig/libisal.pc" ;;
    libjpeg-turbo) by_cmake "$source" -DENABLE_STATIC=OFF -DWITH_JAVA=OFF ;;
    libarchive) # bare: no XML, no ICU, no cryptography, no programs
      mapfile -t options < <(off ENABLE_ TEST TAR CPIO CAT UNZIP OPENSSL NETTLE MBEDTLS LIBXML2 EXPAT ICONV LIBB2 LZO LZ4 ACL XATTR PCREPOSIX PCRE2POSIX CNG)
      by_cmake "$source" "${options[@]}" ;;
    libwebp)
      mapfile -t options < <(off WEBP_BUILD_ ANIM_UTILS CWEBP DWEBP GIF2WEBP IMG2WEBP VWEBP WEBPINFO WEBPMUX EXTRAS LIBWEBPMUX)
      by_cmake "$source" "${options[@]}" ;;
    libzip)
      mapfile -t options < <(off BUILD_ TOOLS REGRESS EXAMPLES DOC && off ENABLE_ COMMONCRYPTO GNUTLS MBEDTLS OPENSSL)
      by_cmake "$source" "${options[@]}" ;;
    nlohmann-json) by_cmake "$source" -DJSON_BuildTests=OFF ;;
    spdlog) by_cmake "$source" -DSPDLOG_BUILD_SHARED=ON -DSPDLOG_BUILD_EXAMPLE=OFF ;;
    xxhash) by_cmake "$source/cmake_unofficial" -DXXHASH_BUILD_XXHSUM=OFF ;;
    libexif) # its configure script is not in the tarball and would want autotools and gettext
      cp "$root/cmake/libexif.cmake" "$source/CMakeLists.txt" && by_cmake "$source" -DVERSION="$2" ;;
    *) say "nothing is known of how to build $1"; false ;;
  esac
}

# make_one NAME: fetches, checks, unpacks, builds and installs it, in a folder of its own; a process of its own.
make_one() {
  local name=$1 version sum url file archive found log start=$SECONDS
  read -r version sum url < <(row "$name")
  if [ -e "$prefix/.built/$name-$version" ]; then say "small_libraries.sh: $name $version was built before"; return; fi
  work=$(mktemp -d) || exit 1
  trap 'rm -rf "$work"' EXIT
  file=$(tarball "$name" "$version" "$url")
  if [ -n "$mirror" ]; then
    archive=$mirror/$file
    [ -e "$archive" ] || fail "$mirror has no $file. Where there is internet,  scripts/small_libraries.sh --print | sh  fills a folder."
  else
    archive=$work/$file
    curl -fsSL --retry 2 -o "$archive" "$url" 2>"$work/said" || wget -q -O "$archive" "$url" 2>>"$work/said" ||
      fail "$file could not be fetched from $url ($(tail -1 "$work/said")). Without internet give a folder: --mirror DIR" \
        "(scripts/small_libraries.sh --print | sh  fills it elsewhere)."
  fi
  found=$(sha256sum <"$archive")
  [ "${found%% *}" = "$sum" ] || fail "$archive is not the release that is pinned: its SHA-256 is ${found%% *}, not $sum. Fetch it again."
  mkdir "$work/source"
  tar -xf "$archive" -C "$work/source" --strip-components=1 || fail "$archive cannot be unpacked; tar of this system may lack xz"
  log=$prefix/.built/$name.log
  build "$name" "$version" >"$log" 2>&1 || { tail -15 "$log" >&2; fail "$name $version could not be built; all that was said is in $log"; }
  : >"$prefix/.built/$name-$version"
  say "small_libraries.sh: $name $version, $((SECONDS - start)) s"
}

if [ "${names[0]}" = nasm ]; then # others need it
  (make_one nasm) || exit
  names=("${names[@]:1}")
fi
running=0
for name in "${names[@]}"; do
  if [ $running = 2 ]; then wait -n; else running=$((running + 1)); fi # a failure is found below
  (make_one "$name") &
done
wait
for name in "${names[@]}"; do
  read -r version _ < <(row "$name")
  [ -e "$prefix/.built/$name-$version" ] || fail "not all could be built, see above. What was built stays: run again, it goes on with the rest."
done
