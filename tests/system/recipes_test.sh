#!/usr/bin/env bash
# Recipes are planned for the sets that they are for, with their networks: some of each kind, or with FACEMAE_RECIPES=all, all.
. "$(dirname "$0")/lib.sh"
recipes=$SOURCE/recipes
chosen="ms1mv3_mbf casia_r18_adaface webface42m_vit_t_pfc03 facemae_tiny_cpu"
[ "${FACEMAE_RECIPES:-}" != all ] || chosen=$(ls "$recipes")
number() { grep -oE "$2" <<<"$1" | head -1 | grep -oE '[0-9,]+' | head -1; }
for recipe in $chosen; do
  heading=$(grep '^#' "$recipes/$recipe" | tr -d '\n#')
  command=recognize
  people=$(number "$heading" '\(?[0-9,]+ (people|labels)') images=$(number "$heading" '[0-9,]+ images')
  case $recipe in facemae_*) command=pretrain people=10,572 images=490,623 ;; esac # they are for any set
  ranks=$(number "$heading" 'mpirun -n [0-9]+')
  batch=$(sed -n 's/^batch = //p' "$recipes/$recipe")
  "$facemae" $command --config "$recipes/$recipe" --run run --dry-run --assume-identities "${people//,/}" \
    --assume-images "${images//,/}" --assume-ranks "$ranks" --log-level warn >plan 2>&1
  check "$recipe is planned" equal "$?" 0
  check "for $people people, $images images" grep -q "^store  *$images images, $people identities" plan
  check "in steps of $batch" grep -q "^steps  *[0-9,]* of $batch images" plan
  check "on $ranks ranks" grep -q "^ranks  *$ranks assumed" plan
done
finish
