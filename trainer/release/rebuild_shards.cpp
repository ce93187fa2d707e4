#include "trainer/release/rebuild_shards.h"

#include <algorithm>

#include "core/log.h"
#include "core/progress.h"
#include "trainer/apply/rebuild.h"

namespace facemae {

std::vector<std::uint64_t> rows_of_shard(const ReleasePlan& plan, std::uint64_t shard) {
  const auto end_of = [&](std::uint64_t shards) {
    const auto rows = std::min<std::uint64_t>(shards * plan.shard_images, plan.source_rows.size());
    return plan.source_rows.begin() + static_cast<std::ptrdiff_t>(rows);
  };
  return {end_of(shard), end_of(shard + 1)};
}

ShardShare share_of_shards(const ReleasePlan& plan, int rank, int ranks,
                           const std::function<bool(std::uint64_t shard)>& done) {
  ShardShare share;
  for (auto shard = static_cast<std::uint64_t>(rank); shard < plan.shards();
       shard += static_cast<std::uint64_t>(ranks)) {
    const std::uint64_t inside = rows_of_shard(plan, shard).size();
    share.images += inside;
    if (done(shard)) {
      ++share.finished;
      share.finished_images += inside;
    } else {
      share.todo.push_back(shard);
    }
  }
  return share;
}

void rebuild_shards(const Topology& topology, torch::Device device, RebuildSource& source,
                    const ReconstructConfig& config, const ReleaseSecret& secret, const ReleasePlan& plan) {
  const ShardShare share = share_of_shards(plan, topology.rank, topology.size, [&](std::uint64_t shard) {
    return release_shard_done(config.out, secret, plan, shard);
  });
  if (share.finished > 0) spdlog::info("{} shard(s) were finished by an earlier start", share.finished);
  Progress progress(topology.size == 1 ? "rebuilding" : "rebuilding, the first rank's share", share.images,
                    "images", topology.rank == 0);
  progress.start_from(share.finished_images);
  for (const auto shard : share.todo) {
    const auto encoded = rebuild_rows(*source.store, rows_of_shard(plan, shard), source.model, device,
                                      {.mask_ratio = source.mask_ratio,
                                       .mask_key = secret.mask_key(),
                                       .jpeg_quality = config.quality,
                                       .png = config.codec == "png"},
                                      [&](std::size_t count) { progress.advance(count); });
    write_release_shard(real_files(), config.out, secret, plan, shard, encoded, source.model->config.image);
  }
  progress.finish();
}

}  // namespace facemae
