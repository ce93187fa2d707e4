#include "trainer/release/rebuild_shards.h"

#include <algorithm>
#include <memory>
#include <set>

#include "core/failpoint.h"
#include "core/log.h"
#include "core/progress.h"
#include "trainer/rebuild/blend_rows.h"
#include "trainer/rebuild/code_release.h"
#include "trainer/rebuild/rebuild.h"
#include "trainer/step/precision.h"

namespace facemae {
namespace {

/// Every rank makes the codes that its own pictures need, of all photos of their classes.
std::unique_ptr<CodeRelease> code_release(RebuildSource& source, torch::Device device,
                                          const ReconstructConfig& config, const ReleaseSecret& secret,
                                          const ReleasePlan& plan) {
  auto codes = std::make_unique<CodeRelease>(*source.store, *source.nuisance, source.model, device,
                                             CodeReleaseConfig{.mask_ratio = source.mask_ratio,
                                                               .mask_key = secret.mask_key(),
                                                               .noise_key = derive(secret.key, "code noise"),
                                                               .mu = source.mu,
                                                               .jpeg_quality = config.quality,
                                                               .png = config.codec == "png"});
  for (auto& [label, rows] : rows_of_classes(plan)) codes->add_group(label, std::move(rows));
  return codes;
}

std::vector<std::vector<std::byte>> pictures_of(const std::vector<std::uint64_t>& rows, torch::Device device,
                                                RebuildSource& source, const ReconstructConfig& config,
                                                const SecretKey& mask_key,
                                                const std::function<void(std::size_t)>& advance) {
  const RebuildConfig how{.mask_ratio = source.mask_ratio,
                          .mask_key = mask_key,
                          .jpeg_quality = config.quality,
                          .png = config.codec == "png"};
  if (config.baseline) return baseline_rows(*source.store, rows, *config.baseline, how, advance);
  if (config.blend) return blend_rows(*source.store, rows, *config.blend, source.model, device, how, advance);
  return rebuild_rows(*source.store, rows, source.model, device, how, advance);
}

}  // namespace

std::vector<std::uint64_t> rows_of_shard(const ReleasePlan& plan, std::uint64_t shard) {
  const auto end_of = [&](std::uint64_t shards) {
    const auto pictures = std::min<std::uint64_t>(shards * plan.shard_images, plan.pictures());
    return plan.source_rows.begin() + static_cast<std::ptrdiff_t>(pictures * plan.photos);
  };
  return {end_of(shard), end_of(shard + 1)};
}

ShardShare share_of_shards(const ReleasePlan& plan, int rank, int ranks,
                           const std::function<bool(std::uint64_t shard)>& done) {
  ShardShare share;
  for (auto shard = static_cast<std::uint64_t>(rank); shard < plan.shards();
       shard += static_cast<std::uint64_t>(ranks)) {
    const std::uint64_t inside = rows_of_shard(plan, shard).size() / plan.photos;
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
  const Autocast autocast(precision_for(config.precision, device), device);
  std::unique_ptr<CodeRelease> codes;
  if (source.nuisance) codes = code_release(source, device, config, secret, plan);
  const auto advance = [&](std::size_t count) { progress.advance(count); };
  for (const auto shard : share.todo) {
    const auto rows = rows_of_shard(plan, shard);
    const std::uint64_t first = shard * plan.shard_images, pictures = rows.size() / plan.photos;
    const auto encoded =
        codes ? codes->pictures(first, std::span(plan.labels).subspan(first, pictures), advance)
              : pictures_of(rows, device, source, config, secret.mask_key(), advance);
    write_release_shard(real_files(), config.out, secret, plan, shard, encoded, source.store->image_size());
    failpoint("reconstruct.shard");
  }
  progress.finish();
}

}  // namespace facemae
