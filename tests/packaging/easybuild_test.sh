#!/usr/bin/env bash
# EasyBuild resolves every dependency of both easyconfigs without building, and says so when one is not to be had. Needs
# Lmod and PyPI's easybuild, which is put into a folder of its own: the package index.
set -uo pipefail
source=${FACEMAE_SOURCE:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
init=/usr/share/lmod/lmod/init/bash
[ -e $init ] || { echo "SKIP: no Lmod here: apt-get install lmod"; exit 77; }
{ python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet --disable-pip-version-check easybuild==5.4.1; } >"$work/said" 2>&1 ||
  { echo "SKIP: easybuild cannot be had from a package index: $(tail -1 "$work/said")"; exit 77; }
faults=0
eb() { # eb FOLDER FILE: its dry run, with the easyconfigs of the folder before EasyBuild's own
  # shellcheck disable=SC1090  # Lmod's
  (. $init && export HOME=$work EASYBUILD_PREFIX=$work/prefix &&
    "$work/venv/bin/python" -m easybuild.main "$1/$2" --dry-run --robot="$1:$work/venv/easybuild/easyconfigs" \
      --allow-use-as-root-and-accept-consequences) >"$work/said" 2>&1
}
miss() { echo "FAILED: $1"; tail -5 "$work/said"; faults=$((faults + 1)); }
for file in facemae-0.1.0-foss-2024a.eb facemae-0.1.0-foss-2024a-CUDA-12.6.0.eb; do
  eb "$source/packaging/easybuild" $file || miss "$file: a dependency is not to be had"
  count=$(grep -c '^ \* \[' "$work/said")
  [ "$count" -gt 100 ] || miss "$file: only $count modules"
  while read -r name; do
    grep -q "(module: $name/" "$work/said" || miss "$file: $name is not among what would be installed"
  done < <(sed -n "s/^    ('\([A-Za-z0-9_-]*\)', '.*/\1/p" "$source/packaging/easybuild/$file")
  echo "$file: $count modules"
done
mkdir "$work/less"
sed "s/('ISA-L', '[0-9.]*')/('ISA-L', '0.0')/" "$source/packaging/easybuild/facemae-0.1.0-foss-2024a.eb" >"$work/less/facemae-0.1.0-foss-2024a.eb"
cp "$source/packaging/easybuild"/libexif* "$work/less/"
if eb "$work/less" facemae-0.1.0-foss-2024a.eb || ! grep -q ISA-L "$work/said"; then miss "a version that nobody has is noticed"; fi
[ $faults = 0 ] && echo "easybuild: every dependency of both files is resolved"
exit $((faults > 0))
