# Bare Debian systems in folders, for tests of what needs nothing installed. Sourced by bash after `work` is set; needs
# root, debootstrap and a Debian mirror, or FACEMAE_BARE_ROOTS: a folder with such systems by their names (bookworm ...).
# shellcheck shell=bash disable=SC2154,SC2016  # `work` is the test's

# bare_root SUITE: a fresh one in $work/SUITE, which knows this machine's ways to package registries.
bare_root() {
  local root=$work/$1 base=${FACEMAE_BARE_ROOTS:-$work/bases}/$1 mirror
  if [ ! -e "$base/etc/debian_version" ]; then
    mirror=$(grep -hoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1)
    mkdir -p "${base%/*}"
    debootstrap --variant=minbase "$1" "$base" ${mirror:+"${mirror% }"} >"$work/said" 2>&1 || return
  fi
  mkdir "$root"
  cp -a "$base/." "$root"
  cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
  local file
  for file in /etc/hosts /etc/resolv.conf /etc/pip.conf /etc/ssl/certs /usr/local/share/ca-certificates; do
    [ ! -e "$file" ] || { mkdir -p "$root${file%/*}" && cp -aT "$file" "$root$file"; }
  done
}

# in_root SUITE COMMAND...: runs it there with an empty environment; what it mounts ends with it. BIND=FROM:TO shows a
# folder of this machine.
in_root() {
  local registries
  mapfile -t registries < <(env | grep -iE '^(https?_proxy|no_proxy|pip_|ssl_cert|requests_ca)')
  unshare -m bash -c 'root=$1
    mount --bind "$root" "$root" # a mount of its own, in which tests can make mounts of theirs
    for folder in proc sys dev; do mount --rbind /$folder "$root/$folder"; done
    if [ -n "$BIND" ]; then mkdir -p "$root${BIND#*:}"; mount --bind "${BIND%%:*}" "$root${BIND#*:}"; fi
    exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"' \
    in_root "$work/$1" OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1 \
    "${registries[@]}" chroot "$work/$1" "${@:2}"
}
