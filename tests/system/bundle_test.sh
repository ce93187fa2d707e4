#!/usr/bin/env bash
# A bundle of the built program: it is moved, joined to LibTorch, and takes its libraries from nowhere else; what is
# missing or too old is told. With `packed`: the archive's size, and the one that carries Open MPI on two ranks.
# shellcheck disable=SC1091,SC2154,SC2016  # of lib.sh; other shells expand
. "$(dirname "$0")/lib.sh"
skip() { echo "SKIP: $*"; exit 77; }
command -v patchelf >/dev/null || skip "no patchelf here"
! readelf -d "$facemae" | grep -qE 'NEEDED.*lib[at]san' || skip "nobody moves a program with a sanitizer"
torch=$(readelf -d "$facemae" | sed -n 's/.*RUNPATH.*\[\(.*\)\]/\1/p' | tr : '\n' | grep '/torch/lib$' | head -1)
torch=${torch%/lib}
[ -n "$torch" ] || skip "LibTorch is not of a wheel"
bare() { env -i PATH=/usr/bin:/bin HOME="$work" "$@"; }

if [ "${1:-}" = packed ]; then
  ends_with 0 "the archive is packed" 'runs from glibc 2\.[0-9]+ on, with LibTorch 2\.[0-9]+ and libmpi' "$SOURCE/scripts/bundle.sh" --no-build \
    --build "$BUILD" --out "$work/site.tar.xz"
  check "it has 40 MiB at most" test "$(stat -c %s site.tar.xz)" -le $((40 << 20))
  mkdir unpacked
  tar -C unpacked -xf site.tar.xz
  check "and one folder of the program's name" test -x unpacked/facemae-*/bin/facemae
  [[ $(mpirun --version) == *"(Open MPI) 4."* ]] || finish
  ends_with 0 "one that carries Open MPI is made" '' "$SOURCE/scripts/bundle.sh" --no-build --build "$BUILD" --with-mpi --out "$work/a place/mpi"
  b="$work/a place/mpi"
  ends_with 0 "LibTorch is joined" '' bare "$b/bin/facemae" --link-torch "$torch"
  ends_with 0 "the program has the carried MPI, none of the machine's" "mpi.library .*\($b/libexec/../lib/libmpi.so.40\)" bare "$b/bin/facemae" doctor --quick --all
  bare "$b/bin/facemae" synth --out faces --identities 6 --images-per-identity 4 --log-level warn
  run() { # run NAME OPTION-OF-MPIRUN...: a few steps on two ranks
    bare OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_tcp_if_include=lo \
      OMPI_MCA_oob_tcp_if_include=lo "$place/bin/mpirun" --bind-to none --oversubscribe -n 2 "${@:2}" "$place/bin/facemae" pretrain --store faces --run "$1" --steps 2 \
      --batch 6 --model tiny --patch 28 --lr 1e-3 --embedder-size 16 --embedder-width 4 --threads 1 --log-every 1
  }
  place=$b
  ends_with 0 "two ranks train under the carried mpirun" 'on 2 rank' run one
  # Another host starts orted by the prefix, with nothing of our environment; ssh is a shell here, which knows no host.
  place=$work/moved
  mv "$b" "$place"
  printf '#!/bin/sh\necho "$2" >asked; shift 2; exec env -i PATH=/usr/bin:/bin HOME=%s OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 sh -c "$*"\n' "$work" >ssh
  chmod +x ssh
  ends_with 0 "moved, its daemon starts on another host" 'on 2 rank' run two --host localhost:1,elsewhere:1 --mca plm rsh \
    --mca plm_rsh_agent "$work/ssh"
  check "by ssh" equal "$(cat asked)" elsewhere
  check "with the same losses" equal "$(losses one)" "$(losses two)"
  finish
fi

ends_with 0 "a bundle is made" 'runs from glibc' "$SOURCE/scripts/bundle.sh" --no-build --build "$BUILD" --out "$work/made"
mkdir "a place"
mv made "a place/facemae"
b="$work/a place/facemae"
mpi=$(dirname "$(ldd "$facemae" | awk '$1 ~ /^libmpi/ { print $3 }')") # the site's, which a module would bring
site() { bare LD_LIBRARY_PATH="$mpi" "$@"; }

# --- LibTorch ------------------------------------------------------------------------------------------------------------
ends_with 2 "without LibTorch it says how to join one" 'carries no LibTorch.*--link-torch' site "$b/bin/facemae" --version
ends_with 2 "another folder is refused" 'has no lib/libtorch_cpu.so' site "$b/bin/facemae" --link-torch "$work"
mkdir -p other/lib && touch other/lib/libtorch_cpu.so && echo "__version__ = '2.4.1+cu121'" >other/version.py
ends_with 2 "another version too" 'is LibTorch 2\.4, and this bundle is built for 2\.[0-9]+' site TORCH_DIR="$work/other" "$b/bin/facemae" --version
check "nothing was joined" test ! -e "$b/torch"
ends_with 0 "TORCH_DIR serves for once" '^facemae [0-9]' site TORCH_DIR="$torch" "$b/bin/facemae" --version
ends_with 0 "LibTorch is joined" '' site "$b/bin/facemae" --link-torch "$torch"
mv "$b" "$work/elsewhere"
b=$work/elsewhere
ends_with 0 "moved once more it runs" 'LibTorch' site "$b/bin/facemae" --version
ln -s ../elsewhere/bin/facemae "a place/linked"
ends_with 0 "by a link, too" 'LibTorch' site "$work/a place/linked" --version

# --- libraries -------------------------------------------------------------------------------------------------------------
# Stand-ins that would be missed at once: the loader would find no symbol in them.
mkdir false
for library in "$b"/lib/libhdf5*.so.* "$b"/lib/libarchive.so.*; do
  cc -shared -fPIC -x c - -o "false/${library##*/}" -Wl,-soname,"${library##*/}" <<<'int nothing;'
done
ends_with 0 "others in LD_LIBRARY_PATH change nothing" '' bare LD_LIBRARY_PATH="$work/false:$mpi" "$b/bin/facemae" synth --out faces --identities 2 \
  --images-per-identity 2
check "and are told apart by the plain program" test "$(LD_LIBRARY_PATH=$work/false ldd -r "$facemae" 2>&1 | grep -c 'undefined symbol')" -gt 0
# All that is mapped comes with the bundle, LibTorch or MPI, or is of glibc's or the compiler's family.
sed "s|^exec \"\$here/libexec/facemae\".*|LD_TRACE_LOADED_OBJECTS=1 exec \"\$here/libexec/facemae\"|" "$b/bin/facemae" >"$b/bin/trace"
site sh "$b/bin/trace" | awk '$2 == "=>" { print $1, $3 }' >loaded
ldd "$mpi"/libmpi.so.* | awk '$2 == "=>" { print $1 }' | sort -u >of_mpi
from_elsewhere() {
  grep -vE " ($b/libexec/../lib|$b/torch|$torch/..)/|^lib(c|m|dl|pthread|rt|resolv|util|stdc\+\+|gcc_s|mpi)\.so" loaded | awk '
    NR == FNR { mpi[$1]; next } !($1 in mpi)' of_mpi -
}
check "everything is loaded" test "$(wc -l <loaded)" -gt 40
check "nothing else of this machine is" equal "$(from_elsewhere)" ''
ends_with 2 "without the site's MPI it says so" 'libmpi.*is not found.*module.*--with-mpi' bare sh -c "
  sed 's|/lib64 /usr/lib64 /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu|/nowhere|; s|ldconfig -p|true|; s|command -v mpirun|false|' '$b/bin/facemae' >'$b/bin/no-mpi'
  sh '$b/bin/no-mpi' --version"

# --- glibc, and being the program -------------------------------------------------------------------------------------------
mkdir old none
printf '#!/bin/sh\necho glibc 2.28\n' >old/getconf
printf '#!/bin/sh\nexit 1\n' | tee none/getconf none/ldd >/dev/null
chmod +x old/* none/*
ends_with 2 "an older glibc is refused in a sentence" "C library is glibc 2\.28, and this bundle runs from 2\.[0-9]+ on" env PATH="$work/old:$PATH" "$b/bin/facemae" --version
ends_with 2 "and another C library" 'has no glibc' env PATH="$work/none:$PATH" "$b/bin/facemae" --version
printf '#!/bin/sh\necho $$ >pid; trap "exit 76" TERM; while :; do sleep 0.05; done\n' >"$b/libexec/stand-in"
chmod +x "$b/libexec/stand-in"
sed 's|libexec/facemae|libexec/stand-in|' "$b/bin/facemae" >"$b/bin/stand-in"
chmod +x "$b/bin/stand-in"
site "$b/bin/stand-in" &
job=$!
for _ in $(seq 200); do [ ! -s pid ] || break; sleep 0.05; done
check "the starter becomes the program" test -s pid -a "$(cat pid)" -gt 0
kill -TERM "$(cat pid)"
wait $job
check "with its signals and exit code" equal $? 76

# --- what is beside ----------------------------------------------------------------------------------------------------------
module=$(echo "$b"/share/facemae/modulefiles/facemae/*)
check "the module file names no place" test "$(grep -c "$work\|/tmp" "$module")" = 0
if command -v tclsh >/dev/null; then
  check "and finds its own" equal "$(tclsh <<<"set ModulesCurrentModulefile {$module}; $(grep '^set here' "$module"); puts \$here")" "$b"
fi
unset FACEMAE
FACEMAE_DRY=1 bash "$b/share/facemae/slurm/facemae.sbatch" pretrain --run here >dry.out
check "the template starts the bundle's program" grep -q "^command: srun .* $b/bin/facemae pretrain --run here$" dry.out
finish
