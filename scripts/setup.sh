#!/usr/bin/env bash
# Installs what facemae needs on Debian 12 or newer, Ubuntu 24.04 or newer; on other systems it checks what is missing.
#
# usage: scripts/setup.sh [option...]
#
# It does this, and no more:
#   1. Looks for compilers, libraries and tools (by header and command, so modules, conda and Spack count too) and
#      installs what is missing with apt-get, as root or through sudo. Without either, it prints what to install.
#   2. Puts LibTorch into .deps/ of this repository, from the PyPI wheel of torch. The program itself runs no Python.
# Running it again takes about a second when everything is installed. Only .deps/, .venv*/ and apt packages are touched.
#
# An existing LibTorch or PyTorch (2.7 or newer) is used when TORCH_DIR names it (the folder with include/ and lib/; for
# a wheel, .../site-packages/torch) or when it is on CMAKE_PREFIX_PATH; then LibTorch is not downloaded.
#
# options
#   --cpu            CPU-only LibTorch, 1.2 GB unpacked (default; keeps a CUDA one that is already installed)
#   --cuda [WHICH]   LibTorch with CUDA and NCCL, 4.6 GB; needs an NVIDIA driver at run time, no CUDA toolkit. WHICH is
#                    auto (default): by driver and GPUs of this machine;
#                    driver VERSION [capability X.Y]: by those of the nodes that have GPUs, as this shows them there:
#                      nvidia-smi --query-gpu=driver_version,compute_cap --format=csv,noheader
#                    13.0, 12.8 or 12.6: the one with that CUDA (scripts/cuda_choice.sh --help, scripts/cuda_choices.txt)
#   --nccl-headers   adds the headers of NCCL and CUDA to the CPU one, so that the NCCL back end is compiled on machines
#                    without a GPU
#   --tests          adds what scripts/test.sh needs: GoogleTest, Google Benchmark, and (optional; without them the
#                    tests that need them are skipped) a small Slurm, git, zip, HDF5's tools, patchelf, a browser for the
#                    report's page
#   --checks         adds what scripts/test.sh --checks needs, also optional: clang-format, clang-tidy, clang with
#                    libFuzzer, Lmod, MPICH (beside Open MPI, which Debian's alternatives keep as the default)
#   --onnx           adds OpenCV's dnn, 43 MB unpacked: then audits take embedders of others as ONNX files
#   --slurm          adds slurmctld, slurmd, slurm-client, munge: the tests start a two-node Slurm of their own
#   --bench          makes .venv-bench: Python with torch, numpy, pillow, h5py, safetensors, tensorboard (comparisons)
#   --interop        makes .venv: Python with numpy, h5py, pillow, safetensors, tensorboard, onnxruntime (tests in which
#                    others read our files), and .venv-mxnet, where Python is old enough for MXNet
#   --no-system      never calls apt-get: lists everything that is missing, by the names that Debian, modules
#                    (EasyBuild), Spack and conda-forge have for it, and exits with 1
#   --small-libraries  builds what modules rarely have into .deps/libraries, without root, from tarballs with pinned
#                    checksums (scripts/small_libraries.sh --help lists them); four minutes at most on two cores
#   --mirror DIR     takes these tarballs from DIR and fetches nothing, for sites without internet
#   -h, --help       this text
#
# On a cluster: load compiler, MPI and HDF5 modules first; scripts/setup.sh --no-system  then lists what is still
# missing. docs/SITES.md has the ways that a site may have, side by side.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

torch_version=2.11.0 # of --cpu; those of --cuda are in scripts/cuda_choices.txt
cupti=nvidia-cuda-cupti==13.0.85
cudart=nvidia-cuda-runtime==13.0.96
# Since CUDA 13 the runtime's wheel lacks headers that its own include: crt/host_config.h and nv/target are in these two
# (13.0.88 and 13.0.85 are the releases of toolkit 13.0.2, as the runtime's 13.0.96 is).
headers=(nvidia-cuda-crt==13.0.88 nvidia-cuda-cccl==13.0.85)
nccl=nvidia-nccl-cu13==2.28.9
wheels=$root/.deps/wheels

cuda=no nccl_headers=no tests=no checks=no slurm=no bench=no interop=no onnx=no system=yes small=no mirror=
while [ $# -gt 0 ]; do
  case $1 in
    --cpu) cuda=no ;;
    --cuda)
      cuda=auto
      case ${2:-} in
        auto) shift ;;
        [0-9]*) cuda=$2; shift ;;
        driver)
          [[ ${3:-} == [0-9]* ]] || { say "setup.sh: --cuda driver needs its version, such as 535.129.03" >&2; exit 2; }
          cuda="driver $3 -"
          shift 2
          if [ "${2:-}" = capability ]; then
            cuda="${cuda% -} ${3:?setup.sh: capability needs a number such as 8.0}"
            shift 2
          fi ;;
      esac ;;
    --nccl-headers) nccl_headers=yes ;;
    --tests) tests=yes ;;
    --checks) checks=yes ;;
    --onnx) onnx=yes ;;
    --slurm) slurm=yes ;;
    --bench) bench=yes ;;
    --interop) interop=yes ;;
    --no-system) system=no ;;
    --small-libraries) small=yes ;;
    --mirror) once "$1"; mirror=${2:?--mirror needs a folder}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) say "setup.sh: unknown option $1; scripts/setup.sh --help lists them" >&2; exit 2 ;;
  esac
  shift
done

# Which LibTorch with CUDA: its version and the wheels of its headers.
if [ "$cuda" != no ] && [ -z "${TORCH_DIR:-}" ]; then
  case $cuda in
    auto) choice=$("$root/scripts/cuda_choice.sh") ;;
    driver*) read -r _ driver capability <<<"$cuda" && choice=$("$root/scripts/cuda_choice.sh" "$driver" "$capability") ;;
    *) choice="$cuda LibTorch with CUDA $cuda: as asked for" ;;
  esac || exit
  say "setup.sh: ${choice#* }"
  cuda=${choice%% *}
  read -r torch_version cuda_headers < <(awk -v cuda="$cuda" '$1 == cuda { print $2, $7 }' "$root/scripts/cuda_choices.txt") ||
    { say "setup.sh: there is no LibTorch with CUDA $cuda to be fetched, only with" \
      "$(awk '/^[0-9]/ { print $1 }' "$root/scripts/cuda_choices.txt" | paste -sd' ')" >&2; exit 2; }
  IFS=, read -ra headers <<<"$cuda_headers"
fi

# --- 1. what must be there: Debian package, then how to see it: cmd:NAME, hdr:NAME or file:PATTERN (several: any) ----
dependencies=$root/packaging/dependencies.txt
required="
$(awk '!/^#/ && NF && $2 != "-" { print $3, $2 }' "$dependencies")
"
if [ "$onnx" = yes ]; then required+="
libopencv-dnn-dev             hdr:opencv2/dnn.hpp,opencv4/opencv2/dnn.hpp
"; fi
optional="
ccache                        cmd:ccache
"
if [ "$tests" = yes ]; then
  required+="
libgtest-dev                  hdr:gtest/gtest.h
libgmock-dev                  hdr:gmock/gmock.h
libbenchmark-dev              hdr:benchmark/benchmark.h
"
  optional+="
git                           cmd:git
chromium                      cmd:chromium,chromium-browser,google-chrome
zip                           cmd:zip
hdf5-tools                    cmd:h5dump
patchelf                      cmd:patchelf
"
fi
if [ "$checks" = yes ]; then optional+="
clang-format                  cmd:clang-format,clang-format-14
clang-tidy                    cmd:clang-tidy,clang-tidy-14
clang-14                      cmd:clang++,clang++-14,clang++-15,clang++-16,clang++-17,clang++-18,clang++-19,clang++-20
lmod                          file:/usr/share/lmod/lmod/init/bash
mpich                         cmd:mpicc.mpich
libmpich-dev                  file:/usr/include/*/mpich/mpi.h
shellcheck                    cmd:shellcheck
libclang-rt-14-dev            file:/usr/lib/llvm-*/lib/clang/*/include/fuzzer/FuzzedDataProvider.h
"; fi
slurm_packages="
slurmctld                     cmd:slurmctld
slurmd                        cmd:slurmd
slurm-client                  cmd:srun
munge                         cmd:munged
iproute2                      cmd:ip
"
if [ "$slurm" = yes ]; then required+=$slurm_packages; elif [ "$tests" = yes ]; then optional+=$slurm_packages; fi

using_torch= # an installed LibTorch that we shall not replace
if [ -n "${TORCH_DIR:-}" ]; then
  [ -e "$TORCH_DIR/include/torch/csrc/api/include/torch/torch.h" ] ||
    fail "TORCH_DIR=$TORCH_DIR holds no include/torch/csrc/api/include/torch/torch.h. For a wheel it is the folder" \
      "that  python3 -c 'import torch; print(torch.__path__[0])'  prints. Unset it to have LibTorch downloaded."
  using_torch=$TORCH_DIR
else
  IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    if [ -e "$prefix/include/torch/csrc/api/include/torch/torch.h" ]; then using_torch=$prefix; fi
  done
fi

has_wheel() { # has_wheel NAME [VERSION]
  compgen -G "$wheels/$1-${2:-*}.dist-info" >/dev/null
}
has_pinned() { # has_pinned NAME==VERSION...: wheels under the names that pip gives their folders
  local pin name
  for pin in "$@"; do
    name=${pin%==*}
    has_wheel "${name//-/_}" "${pin#*==}" || return
  done
}
has_cuda() { has_wheel 'nvidia_cublas*'; }
wanted=() # groups of wheels to be installed
if [ -z "$using_torch" ]; then
  if [ "$cuda" != no ]; then
    { has_pinned "torch==$torch_version" && has_cuda; } || wanted+=(cuda)
    has_pinned "${headers[@]}" || wanted+=(headers)
  elif ! { has_wheel torch && has_cuda; }; then
    has_pinned "torch==$torch_version" "$cupti" "$cudart" || wanted+=(cpu)
    if [ "$nccl_headers" = yes ]; then
      has_pinned "$nccl" || wanted+=(nccl)
      has_pinned "${headers[@]}" || wanted+=(headers)
    fi
  fi
  if has_wheel torch && ! has_wheel torch "$torch_version" && [ ${#wanted[@]} -gt 0 ]; then
    say "setup.sh: another LibTorch is in .deps/wheels, and is replaced"
    rm -rf "$wheels"
    wanted=(cpu)
    if [ "$cuda" != no ]; then wanted=(cuda headers); elif [ "$nccl_headers" = yes ]; then wanted+=(nccl headers); fi
  fi
fi
venv_ready() { [ -e "$root/$1/.complete" ]; }
venvs=()
if [ "$bench" = yes ] && ! venv_ready .venv-bench; then venvs+=(.venv-bench); fi
if [ "$interop" = yes ] && ! venv_ready .venv; then venvs+=(.venv); fi
if [ "$interop" = yes ] && ! venv_ready .venv-mxnet && python3 -c 'import sys; sys.exit(sys.version_info >= (3, 12))' 2>/dev/null; then
  venvs+=(.venv-mxnet) # its last version has no newer Python
fi
if [ ${#wanted[@]} -gt 0 ] || [ ${#venvs[@]} -gt 0 ]; then
  required+="
python3                       cmd:python3
python3-pip                   pip:
"
fi
if [ ${#venvs[@]} -gt 0 ]; then required+="
python3-venv                  venv:
"; fi

# Debian's HDF5 and others hide under the multiarch folder; prefixes of modules and Spack are honoured.
include_flags=()
IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}:${HDF5_ROOT:-}:${HDF5_DIR:-}:${BOOST_ROOT:-}:${CONDA_PREFIX:-}"
for prefix in "${prefixes[@]}" "$root/.deps/libraries"; do
  if [ -n "$prefix" ] && [ -d "$prefix/include" ]; then include_flags+=(-isystem "$prefix/include"); fi
done

# missing LIST: the packages of LIST that are not there, one preprocessor run for all headers.
missing() {
  local package probe kind names name source='' seen found=''
  while read -r package probe; do
    [[ $probe == hdr:* ]] || continue
    IFS=, read -ra names <<<"${probe#*:}"
    source+="#if $(printf '__has_include(<%s>) || ' "${names[@]}")0"$'\n'"\"$package\""$'\n#endif\n'
  done <<<"$1"
  if command -v g++ >/dev/null; then
    found=$(g++ -E -P -x c++ "${include_flags[@]}" - <<<"$source" 2>/dev/null || true)
  fi
  while read -r package probe; do
    [ -n "$package" ] || continue
    kind=${probe%%:*} seen=no
    IFS=, read -ra names <<<"${probe#*:}"
    case $kind in
      hdr) if grep -qxF "\"$package\"" <<<"$found"; then seen=yes; fi ;;
      cmd) for name in "${names[@]}"; do
          if command -v "$name" >/dev/null || [ -x "/usr/sbin/$name" ] || [ -x "/sbin/$name" ]; then seen=yes; fi
        done ;;
      file) for name in "${names[@]}"; do if compgen -G "$name" >/dev/null; then seen=yes; fi; done ;;
      pip) if python3 -m pip --version >/dev/null 2>&1; then seen=yes; fi ;;
      venv) if python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then seen=yes; fi ;;
    esac
    if [ $seen = no ]; then echo "$package"; fi
  done <<<"$1"
}

as_root=() # how to become root; "no" when there is no way
if [ "$(id -u)" = 0 ]; then :; elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
  as_root=(sudo)
else as_root=(no); fi

ask_for() { # ask_for WHY PACKAGE...
  local why=$1 package
  shift
  {
    say "setup.sh: these are missing ($why):"
    printf '  %-30s %-16s %-16s %-16s %s\n' "Debian, Ubuntu" "module" "Spack" "conda-forge" "built here by"
    for package in "$@"; do
      awk -v package="$package" '
        $3 == package && !/^#/ { found = 1; printf "  %-30s %-16s %-16s %-16s %s\n", $3, $4, $5, $6, $7 == "yes" ? "--small-libraries" : "" }
        END { if (!found) print "  " package }' "$dependencies" | sed 's/ *$//'
    done
    say "On Debian or Ubuntu, as root:"
    say "  apt-get update && apt-get install -y --no-install-recommends $*"
    say "Elsewhere load modules (foss is EasyBuild's toolchain of compilers and MPI), or install by the other names and set"
    say "CMAKE_PREFIX_PATH; then run this script again. With --small-libraries it builds the small ones here, without root."
    say "docs/SITES.md has all ways."
  } >&2
  exit 1
}

# Small ones are built here where that was asked for, and are not missing then.
if [ "$small" = yes ]; then
  mapfile -t lacking < <(missing "$(awk '!/^#/ && $7 == "yes" { print $3, $2 }' "$dependencies")")
  if [ ${#lacking[@]} -gt 0 ]; then
    mapfile -t lacking < <(printf '%s\n' "${lacking[@]}" | awk 'NR == FNR { lacks[$1]; next } !/^#/ && $3 in lacks { print $5 }' - "$dependencies")
    "$root/scripts/small_libraries.sh" ${mirror:+--mirror "$mirror"} "${lacking[@]}" || exit
  fi
fi
mapfile -t needed < <(missing "$required")
mapfile -t wished < <(missing "$optional")
if [ ${#needed[@]} -gt 0 ]; then
  [ "$system" = yes ] || ask_for "--no-system was given" "${needed[@]}"
  command -v apt-get >/dev/null || ask_for "there is no apt-get here" "${needed[@]}"
  [ "${as_root[*]}" != no ] || ask_for "neither root nor sudo" "${needed[@]}"
fi
unasked() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; } # for what is only wished, nobody is asked a password
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }
if [ ${#needed[@]} -gt 0 ] || { [ ${#wished[@]} -gt 0 ] && [ "$system" = yes ] && unasked && command -v apt-get >/dev/null; }; then
  say "setup.sh: installing ${needed[*]} ${wished[*]}"
  apt update >/dev/null || say "setup.sh: apt-get update failed; trying with the package lists that are there" >&2
  if [ ${#needed[@]} -gt 0 ]; then
    apt install -y --no-install-recommends "${needed[@]}" ||
      fail "apt-get could not install: ${needed[*]}. Its message is above; the usual causes are no network, or a" \
        "release older than Debian 12 or Ubuntu 24.04 that lacks a package."
  fi
  for package in "${wished[@]}"; do # one by one: a release may lack one of them
    apt install -y --no-install-recommends "$package" >/dev/null 2>&1 ||
      say "setup.sh: optional package $package could not be installed; what needs it will be skipped"
  done
elif [ ${#wished[@]} -gt 0 ]; then
  say "setup.sh: optional and not installed: ${wished[*]}"
fi

version=$(cmake --version | awk 'NR == 1 { print $3 }')
[ "$(printf '%s\n3.25\n' "$version" | sort -V | head -1)" = 3.25 ] ||
  fail "cmake is $version, 3.25 or newer is needed. Try  python3 -m pip install cmake  or a module, and put it on PATH."
compiler=${CXX:-g++}
if [[ $("$compiler" --version 2>/dev/null) == *"Free Software"* ]] && [ "$("$compiler" -dumpversion | cut -d. -f1)" -lt 11 ]; then
  fail "$compiler is version $("$compiler" -dumpversion), and C++20 needs 11 or newer: load a module (module avail gcc), or" \
    "install gcc-toolset-13 and open its shell (RHEL 8 and 9: scl enable gcc-toolset-13 bash), or gcc13-c++ (SLES 15) or" \
    "g++-12 and set CC and CXX."
fi

# --- 2. LibTorch ---------------------------------------------------------------------------------------------------
# A fresh folder first, then a merge (pip --target would replace the whole nvidia/ folder that wheels share); the
# .dist-info folders, by which has_wheel knows, arrive last, so an interrupted run starts over.
fetch() { # fetch PIP_ARGUMENT...
  local incoming=$root/.deps/incoming
  rm -rf "$incoming"
  mkdir -p "$incoming" "$wheels"
  local pip=(python3 -m pip install --quiet --disable-pip-version-check --retries 2
    --no-warn-script-location --no-compile --target "$incoming")
  [ "$(id -u)" != 0 ] || export PIP_ROOT_USER_ACTION=ignore
  # Only the C++ side is used, so a wheel made for another Python will do where this one has none.
  "${pip[@]}" "$@" || "${pip[@]}" --python-version 3.12 --only-binary=:all: "$@" ||
    fail "pip could not fetch $*. Without a network: install LibTorch 2.7 or newer by hand and set TORCH_DIR."
  local entry
  for entry in "$incoming"/*; do
    case $entry in *.dist-info) continue ;; esac
    cp -alf "$entry" "$wheels/"
  done
  cp -alf "$incoming"/*.dist-info "$wheels/"
  rm -rf "$incoming"
}
parts() { case $1 in cpu) say "LibTorch, 0.5 GB" ;; cuda) say "LibTorch with CUDA, 2.5 GB" ;; nccl) say NCCL ;; headers) say "CUDA's headers" ;; esac; }
for group in "${wanted[@]}"; do
  say "setup.sh: fetching $(parts "$group") into .deps/wheels"
  case $group in
    cpu) fetch --no-deps "torch==$torch_version" "$cupti" "$cudart" ;;
    cuda) fetch "torch==$torch_version" ;;
    nccl) fetch --no-deps "$nccl" ;;
    headers) fetch --no-deps "${headers[@]}" ;;
  esac
done

# --- 3. Python, for comparisons and interoperability only ----------------------------------------------------------
for venv in "${venvs[@]}"; do
  say "setup.sh: making $venv"
  python3 -m venv --clear "$root/$venv"
  if [ "$venv" = .venv-mxnet ]; then
    "$root/$venv/bin/python" -m pip install --quiet --disable-pip-version-check mxnet==1.9.1 numpy==1.23.5 ||
      say "setup.sh: MXNet cannot be had any more: its reader is not asked" >&2
    : >"$root/$venv/.complete"
    continue
  fi
  packages=(numpy h5py pillow safetensors tensorboard "setuptools<81") # tensorboard still imports pkg_resources
  if [ "$venv" = .venv ]; then packages+=(onnxruntime); fi
  if [ "$venv" = .venv-bench ]; then packages+=("torch==$torch_version"); fi
  "$root/$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" ||
    fail "pip could not fill $venv (${packages[*]})"
  : >"$root/$venv/.complete"
done

if [ -n "$using_torch" ]; then say "setup.sh: ready, with LibTorch of $using_torch"; else say "setup.sh: ready"; fi
