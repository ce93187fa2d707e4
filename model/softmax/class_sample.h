#pragma once
// Which classes take part in the softmax of a step (partial FC: An et al. 2022, arXiv 2203.15565): those of the step's
// faces, and some others, drawn by a key, so that the set is the same for any number of ranks and after any resume.
#include <cstdint>
#include <span>
#include <vector>

namespace facemae {

/// floor(rate (s + n)) - floor(rate s) for a virtual shard of n classes from s on: the quotas of all shards sum to
/// floor(rate C), whatever their number.
std::int64_t class_quota(double rate, std::int64_t first, std::int64_t count);

/// Of one rank.
struct ClassSample {
  std::vector<std::int64_t> rows;    ///< own class rows (class number less the rank's first), ascending
  std::vector<std::int64_t> bounds;  ///< own virtual shard i has rows[bounds[i]] to rows[bounds[i + 1]]
};

/// What the classes of a run and this rank's part of them are.
struct SampledClasses {
  std::int64_t classes = 0, shards = 0;
  std::int64_t first_shard = 0, own_shards = 0;  ///< of this rank
  double rate = 1;                               ///< 0: the classes of the step's faces alone
  std::uint64_t seed = 0;
};

/// The sample of a step. `labels`: of all ranks' faces in the whole step, in any order, all of them classes. Each shard
/// has its classes among the labels, then the first others in a permutation keyed by (seed, step, shard) until there are
/// as many as its quota; it has no others when the labels have as many. Work and memory are in proportion to the labels
/// and what is sampled, not to the classes.
ClassSample sample_classes(const SampledClasses& of, std::uint64_t step,
                           std::span<const std::int64_t> labels);

}  // namespace facemae
