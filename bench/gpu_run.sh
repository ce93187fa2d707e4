#!/usr/bin/env bash
# Tests and measures facemae on this machine's GPU, against PyTorch, and prints one table; gpu_kit.json has the same.
#
# usage: run.sh [option...]
#
#   PYTHON=...         a Python with torch for CUDA (default python3)
#   --out FILE         where the figures go as JSON (default gpu_kit.json in this folder)
#   --only REGEX       the parts whose names match
#   --minutes N        what all parts may take together (default 8); those that no time is left for are told
#   --list             the names of the parts
#   -h, --help         this text
#
# Each part has a limit of its own; one that fails, or cannot run here, says why in the table and the others go on.
# Exit codes: 0 every part ran well; 1 a part failed or ran out of time; 77 none failed, some could not run here;
# 2 the kit cannot start on this machine, and why.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'run.sh: %s\n' "$*" >&2; }
case " $* " in *" -h "* | *" --help "*) awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; exit 0 ;; esac

[ "$(uname -sm)" = "Linux x86_64" ] || { say "this kit is for x86-64 Linux, not $(uname -sm)"; exit 2; }
python=${PYTHON:-python3}
command -v "$python" >/dev/null || { say "there is no $python here: set PYTHON to a Python with torch for CUDA"; exit 2; }
needs() { sed -n "s/^$1 //p" "$here/NEEDS"; }
older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]; }

# Where torch and the libraries of its packages lie; found without importing it.
found=$("$python" - <<'python'
import glob, importlib.util, os, re, sys
spec = importlib.util.find_spec("torch")
if spec is None or not spec.submodule_search_locations:
    sys.exit("has no torch: install it (pip install torch), or set PYTHON to one that has it")
home = list(spec.submodule_search_locations)[0]
text = open(os.path.join(home, "version.py")).read()
version = re.search(r"__version__ = '([^']*)'", text).group(1)
if not os.path.exists(os.path.join(home, "lib", "libc10_cuda.so")):
    sys.exit(f"has torch {version} without CUDA: install the one for CUDA 13")
nvidia = importlib.util.find_spec("nvidia")
places = [os.path.join(home, "lib")]
for root in (nvidia.submodule_search_locations if nvidia else []):
    places += sorted(glob.glob(os.path.join(root, "*", "lib")))
for name in ("libnccl.so.2", "libcudart.so.13"):
    if not any(os.path.exists(os.path.join(place, name)) for place in places):
        sys.exit(f"has torch {version}, but {name} is in none of its packages: " + ", ".join(places))
print(version)
print(":".join(places))
python
) || { say "$python $(tail -1 <<<"${found:-}") (see above)"; exit 2; }
version=$(head -1 <<<"$found")
[[ $version == "$(needs torch)".* ]] || { say "$python has torch $version; the kit was built against $(needs torch), whose C++ interface differs: pip install torch==$(needs torch).*"; exit 2; }
export LD_LIBRARY_PATH=$(tail -1 <<<"$found")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

# The system's C and C++ libraries where they are new enough, else the kit's own with their loader.
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/.* //')
glibc=${glibc:-$(ldd --version 2>/dev/null | sed -n '1s/.* //p')}
libstdcxx=$("$python" -c '
import ctypes, re
try: ctypes.CDLL("libstdc++.so.6")
except OSError: print(0); raise SystemExit
path = next(line.split()[-1] for line in open("/proc/self/maps") if "libstdc++.so.6" in line)
print(max(re.findall(rb"GLIBCXX_(3\.[0-9.]+)", open(path, "rb").read()), key=lambda v: [int(n) for n in v.split(b".")]).decode())' 2>/dev/null)
for library in "glibc ${glibc:-0}" "libstdc++ ${libstdcxx:-0}"; do
  read -r name has <<<"$library"
  if older "$has" "$(needs "$name")"; then
    say "this machine's $name is ${has/#0/missing}, the kit needs $(needs "$name"): it uses its own"
    export FACEMAE_KIT_LOADER=$here/glibc/ld-linux-x86-64.so.2
  fi
done

. "$here/mpi/variables.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=self,vader OMPI_MCA_oob_tcp_if_include=lo \
  OMPI_MCA_plm=isolated # one host, which may have no ssh
export PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/gpu_parts.py" --kit "$here" "$@"
