# What makes a program run elsewhere than where it was built: its libraries collected, and Open MPI carried. Sourced after
# lib.sh by bundle.sh and gpu_kit.sh.
# shellcheck shell=bash disable=SC2034,SC2154  # for those who source it; root is of lib.sh

# Families of libraries that are never carried beside the others, as what their file names begin with.
of_glibc='^(ld-linux|lib(c|m|dl|pthread|rt|resolv|util|nss_[a-z]*)\.so)'
of_gcc='^lib(stdc\+\+|gcc_s)\.so'
of_torch='^lib(torch[a-z_]*|c10[a-z_]*|gomp|cudart|cupti|nccl)\.so'
of_driver='^lib(cuda|nvidia-[a-z]*|nvidia_[a-z]*)\.so'
of_fabric='^lib(ibverbs|rdmacm|mlx[45]|efa|psm2|psm_infinipath|fabric|uc[mpst])\.so'
of_mpi='^lib(mpi|mpich|mpifort|open-rte|open-pal|opal|pals)[^.]*\.so'

# needed FILE: the names of the libraries that it asks for itself.
needed() { readelf -d "$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# closure STOP FILE...: name and path of each library that the files load, but neither those whose names match STOP nor
# what only these load. The loader of this machine finds them.
closure() {
  local stop=$1 file name
  local -A path=() seen=()
  shift
  while read -r name file; do path[$name]=$file; done < <(ldd "$@" 2>/dev/null | awk '
    $2 == "=>" && $3 ~ /^\// { print $1, $3 } $1 ~ /^\/.*ld-linux/ { sub(/.*\//, "", $1); print $1, "/lib64/" $1 }')
  local queue=("$@")
  while [ ${#queue[@]} -gt 0 ]; do
    file=${queue[0]} queue=("${queue[@]:1}")
    for name in $(needed "$file"); do
      if [ -n "${seen[$name]:-}" ] || [[ $name =~ $stop ]]; then continue; fi
      seen[$name]=yes
      [ -n "${path[$name]:-}" ] || fail "$file needs $name, which this machine's loader does not find: load the modules that it was built with"
      echo "$name ${path[$name]}"
      queue+=("${path[$name]}")
    done
  done
}

# newest SYMBOLS FILE...: the newest version that the files ask for, such as 2.36 of GLIBC_.
newest() {
  local symbols=$1
  shift
  readelf -V "$@" 2>/dev/null | grep -oE "\b${symbols}[0-9.]+" | sort -uV | tail -1 | sed "s/$symbols//"
}

# find_own FOLDER FILE...: lets them look for libraries in FOLDER, seen from their own, by DT_RPATH, which LD_LIBRARY_PATH does not override and which holds for libraries of libraries.
find_own() {
  local folder=$1
  shift
  patchelf --force-rpath --set-rpath "\$ORIGIN${folder:+/$folder}" "$@"
}

# copy_plugins FROM TO: without those for fabrics, whose libraries belong to a machine's drivers.
copy_plugins() {
  local file
  for file in "$1"/*.so; do
    ldd "$file" 2>/dev/null | sed 's/^[[:space:]]*//' | grep -E "$of_fabric" >/dev/null || cp -L "$file" "$2/"
  done
}

# carry_open_mpi FOLDER: plugins and texts of Open MPI 4 and of its PMIx into mpi/ and pmix/ of the folder, and
# mpi/variables.sh, which tells both where these are. Libraries are for closure, programs for the caller.
carry_open_mpi() {
  local to=$1 info pmix home
  info=$(dirname "$(realpath "$(command -v mpirun)")")/ompi_info
  open_mpi() { "$info" --path "$1" --parsable | sed -n 's/^path:[a-z]*://p'; }
  mkdir -p "$to"/{mpi,pmix}/{plugins,share} "$to/mpi/etc"
  copy_plugins "$(open_mpi pkglibdir)" "$to/mpi/plugins"
  cp -L "$(open_mpi pkgdatadir)"/*.txt "$to/mpi/share/"
  : >"$to/mpi/etc/openmpi-mca-params.conf" # the machine's own would name fabrics that are not here
  pmix=$(ldd "$(open_mpi pkglibdir)"/mca_pmix_ext3x.so 2>/dev/null | awk '$1 ~ /^libpmix/ { print $3 }' || true)
  if [ -n "$pmix" ]; then
    home=$(dirname "$(realpath "$pmix")")
    if [ -d "$home/pmix" ]; then copy_plugins "$home/pmix" "$to/pmix/plugins"; fi
    find /usr/share/pmix* "$home/../share/pmix" -name '*.txt' -exec cp -Lt "$to/pmix/share/" {} + 2>/dev/null || true
  fi
  cp "$root/packaging/bundle/mpi_variables.sh" "$to/mpi/variables.sh"
}
