#pragma once
// `--dry-run`: what a run would be, without starting it.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/tensors/snapshot.h"
#include "cluster/world/world.h"
#include "data/store/store.h"
#include "trainer/config/run_config.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/memory_need.h"

namespace facemae {

/// What there is to say of a run before it begins, beside its configuration. Bytes where it says nothing else.
struct DryRun {
  std::string model, ranks;  ///< in words
  int rank_count = 1;
  std::uint64_t trained = 0;   ///< values that are replicated on every rank
  bool sharded = false;        ///< the optimizer is
  bool channels_last = false;  ///< convolutions have all channels of a pixel together
  bool cudnn_searches = false;
  MemoryNeed need;  ///< of a rank
  std::uint64_t images = 0, identities = 0;
  std::uint64_t side = 0;                    ///< of an image, pixels
  std::optional<std::uint64_t> stored = {};  ///< nothing: there is no store
  std::uint64_t checkpoint = 0;              ///< of all ranks together
};
/// To stdout, by one rank: parameters, memory, steps, bytes read and written. `loaders`: threads of a rank.
void print_dry_run(const RunConfig& config, const DryRun& run, int loaders);
/// The same of a store and what is to be trained on it. Rank 0 prints.
void print_dry_run(const RunConfig& config, const Store& store, const Snapshot& snapshot,
                   GradientBuckets& gradients, const MemoryNeed& need, World& world);
/// Pure. What a run over a store of `images` makes of its learning rate, a line each: peak and curve, warm-up, the
/// steps at which a multistep schedule falls, and what class centres have of their own.
std::vector<std::string> rate_lines(const RunConfig& config, std::uint64_t images);
/// Values that the optimizer changes on every rank alike.
std::uint64_t trained_values(GradientBuckets& gradients);
/// Whether convolutions have all channels of a pixel together.
bool in_channels_last(GradientBuckets& gradients);

}  // namespace facemae
