#pragma once
// `--dry-run --assume-identities ...`: what a run would be over a store that is not there, on ranks that are not there
// either.
#include "cluster/world/world.h"
#include "trainer/config/run_config.h"

namespace facemae {

/// Rank 0 prints to stdout. The network's memory is found by steps of few faces here, that of what couples the faces of all
/// ranks by its formulas (trainer/tasks/head_need.h, related_bytes). Throw ConfigError when the ranks cannot share the
/// batch or the classes.
void print_assumed_run(const RecognizeConfig& config, World& world);
void print_assumed_run(const PretrainConfig& config, World& world);

/// Pure. Bytes that a rank's relation of a micro-batch takes because of the faces of other ranks: of b own rows, n of all and
/// D values the unit rows of both sides and the gradient, 12 n D, and four matrices of pairs, 16 b n; or where the relation
/// is made of sums over faces three matrices of doubles, 24 D^2.
std::uint64_t related_bytes(const PretrainConfig& config, std::int64_t values, int ranks);

}  // namespace facemae
