#!/usr/bin/env bash
# Recipes are planned for the sets that they are for, with their networks: some of each kind, or with FACEMAE_RECIPES=all, all.
. "$(dirname "$0")/lib.sh"
recipes=$SOURCE/recipes
chosen="ms1mv3_mbf casia_r18_adaface webface42m_vit_t_pfc03"
[ "${FACEMAE_RECIPES:-}" != all ] || chosen=$(cd "$recipes" && ls | grep -v '^facemae_')
number() { grep -oE "$2" <<<"$1" | head -1 | grep -oE '[0-9,]+' | head -1; }
for recipe in $chosen; do
  heading=$(grep '^#' "$recipes/$recipe" | tr -d '\n#')
  people=$(number "$heading" '\(?[0-9,]+ (people|labels)') images=$(number "$heading" '[0-9,]+ images')
  ranks=$(number "$heading" 'mpirun -n [0-9]+')
  batch=$(sed -n 's/^batch = //p' "$recipes/$recipe")
  "$facemae" recognize --config "$recipes/$recipe" --run run --dry-run --assume-identities "${people//,/}" \
    --assume-images "${images//,/}" --assume-ranks "$ranks" --log-level warn >plan 2>&1
  check "$recipe is planned" equal "$?" 0
  check "for $people people, $images images" grep -q "^store  *$images images, $people identities" plan
  check "in steps of $batch" grep -q "^steps  *[0-9,]* of $batch images" plan
  check "on $ranks ranks" grep -q "^ranks  *$ranks assumed" plan
done
"$facemae" synth --out faces --identities 32 --images-per-identity 128 --log-level warn 2>/dev/null
for recipe in facemae_tiny_cpu $([ "${FACEMAE_RECIPES:-}" != all ] || echo facemae_base facemae_large); do
  "$facemae" pretrain --config "$recipes/$recipe" --store faces --run run --dry-run --log-level warn >plan 2>&1
  check "$recipe is planned" equal "$?" 0
  check "in its steps" grep -q "^steps  *[0-9,]* of $(sed -n 's/^batch = //p' "$recipes/$recipe") images" plan
done
finish
