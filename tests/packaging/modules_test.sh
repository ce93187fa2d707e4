#!/usr/bin/env bash
# The module file of an installation under Lmod and under Environment Modules, whichever are here: loaded, unloaded,
# refused beside another version.
# shellcheck disable=SC2016  # other shells expand these
set -uo pipefail
source=${FACEMAE_SOURCE:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
miss() { echo "FAILED: $1"; head -c 2000 "$work/said"; echo; faults=$((faults + 1)); }

# As cmake --install writes it, with a program that only says something.
printf '#!/bin/sh\ncase $1 in help) printf "facemae: a stand-in\\n  synth        makes faces\\n\\ffacemae synth --out STORE\\n\\n  --out TEXT  folder\\n" ;; *) echo facemae 0.1.0 ;; esac\n' >"$work/program"
chmod +x "$work/program"
for version in 0.1.0 0.2.0; do
  cmake -DCMAKE_INSTALL_PREFIX="$work/a place/$version" -Dfacemae_source="$source" -Dfacemae_program="$work/program" \
    -Dfacemae_version=$version -P "$source/packaging/install.cmake" >"$work/said" 2>&1 || miss "installs"
  mkdir -p "$work/modulefiles/facemae" "$work/a place/$version/bin"
  cp "$work/a place/$version/share/facemae/modulefiles/facemae/$version" "$work/modulefiles/facemae/"
done

# In a shell of its own: init file of the module system, then what is asked; its last line is what is compared.
under() { # under INIT COMMANDS
  env -i HOME="$work" PATH="$PATH" bash -c ". '$1'; module use '$work/modulefiles'; $2" >"$work/said" 2>&1
  tail -1 "$work/said"
}
tried=0
for init in /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do
  if [ ! -e "$init" ]; then continue; fi
  tried=$((tried + 1))
  place="$work/a place/0.1.0"
  [ "$(under "$init" 'module load facemae/0.1.0; echo "$FACEMAE"')" = "$place" ] || miss "$init: FACEMAE is set"
  [[ $(under "$init" 'module load facemae/0.1.0; echo "$PATH"') == "$place/bin:"* ]] || miss "$init: the program is first on PATH"
  [[ $(under "$init" 'module load facemae/0.1.0; echo ":$MANPATH:"') == *":$place/share/man:"* ]] || miss "$init: its man page is found"
  left=$(under "$init" 'module load facemae/0.1.0; module unload facemae; echo "${FACEMAE:-none} $PATH $MANPATH"')
  [[ $left == "none "* && $left != *"$place"* ]] || miss "$init: nothing stays"
  # Lmod swaps versions of one name, Environment Modules refuses the second: never are both there.
  both=$(under "$init" 'module load facemae/0.1.0; module load facemae/0.2.0; echo "$PATH"')
  [ "$(grep -o "a place/" <<<"$both" | wc -l)" = 1 ] || miss "$init: two versions are not loaded at once"
  printf '#%%Module1.0\nsetenv OTHER yes\nconflict facemae\n' >"$work/modulefiles/other"
  under "$init" 'module load facemae/0.1.0; module load other; echo "${OTHER:-refused}"' | grep -qx refused || miss "$init: a conflict is seen"
  under "$init" 'module whatis facemae/0.1.0' >/dev/null
  grep -q "distributed training of FaceMAE" "$work/said" || miss "$init: whatis"
done
[ $tried -gt 0 ] || { echo "SKIP: neither Lmod nor Environment Modules is here: apt-get install lmod, or environment-modules"; exit 77; }
[ $faults = 0 ] && echo "modules: all as promised under $tried module system(s)"
exit $((faults > 0))
