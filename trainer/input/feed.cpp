#include "trainer/input/feed.h"

#include <torch/torch.h>

#include <cstring>
#include <map>
#include <utility>

#include "cluster/host/agree.h"
#include "cluster/host/data_mode.h"
#include "cluster/host/gather.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store/checked_note.h"
#include "data/upkeep/stage.h"
#include "trainer/input/machine.h"
#include "trainer/input/pinned_memory.h"

namespace facemae {
namespace {

LoaderConfig loader_config(const RunConfig& config, int workers, std::pmr::memory_resource* pixel_memory,
                           const std::vector<Quarantined>& quarantined, const NoiseConfig& noise) {
  return {.threads = workers,
          .ahead = 2 + config.accumulate,
          .sample = {.format = config.decode == "yuv420" ? PixelFormat::Yuv420 : PixelFormat::Rgb,
                     .augment = config.augment,
                     .seed = config.seed},
          .max_bad_fraction = config.max_bad_fraction,
          .quarantined = quarantined,
          .block_bytes = static_cast<std::size_t>(config.block_cache_mib) << 20,
          .give_up_after = std::chrono::duration<double>(config.peer_deadline),
          .noise = noise,
          .pixel_memory = pixel_memory};
}

/// One rank of a node copies, the others look for what it has finished. Shards in quarantine
/// stay where they are.
std::unique_ptr<Replicas> stage_while_training(const TrainingStore& data, const Topology& topology,
                                               const Quarantine& quarantine) {
  if (data.replicas.empty()) return nullptr;
  ReplicaPlan plan{.folder = data.replicas,
                   .sequence = staging_sequence(data.store->shards().size(), topology.node, topology.nodes),
                   .whole = is_checked};
  for (const auto& shard : data.store->shards()) plan.files.push_back(shard.file);
  std::erase_if(plan.sequence, [&](std::size_t shard) {
    return quarantine.covers(shard, std::numeric_limits<std::uint64_t>::max());
  });
  const auto store = data.store;
  Replicas::Copy copy = [store, folder = data.replicas](std::size_t shard, const std::stop_token& stop) {
    make_folders(real_files(), folder);
    stage_shard(real_files(), store->shard_folder(), store->shards()[shard], folder, stop);
  };
  if (topology.local_rank != 0) copy = nullptr;
  return std::make_unique<Replicas>(
      std::move(plan), std::move(copy),
      [store](std::size_t shard, const Path& file) { store->add_replica(shard, file); });
}

/// Before any of them is computed with.
void refuse_strange_labels(const ByteBatch& batch, std::int64_t classes) {
  for (std::size_t i = 0; i < batch.labels.size(); ++i)
    if (batch.labels[i] < 0 || batch.labels[i] >= classes)
      throw DataError(fmt::format(
          "image {} of the store has the identity {}, but the run has the classes 0 to {}: the store and the run do not belong together; look at the store with `facemae store verify`",
          batch.rows[i], batch.labels[i], classes - 1));
}

/// The numbers of all ranks, rank by rank, on each. All ranks.
std::vector<std::int64_t> of_all_ranks(const std::vector<std::int64_t>& own, Control& control) {
  if (control.size() == 1) return own;
  const auto bytes_of = [](const std::vector<std::int64_t>& numbers) {
    return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(std::int64_t));
  };
  std::string all;
  for (const auto& bytes : control.gather(bytes_of(own))) all += bytes;
  all = control.broadcast(std::move(all));
  std::vector<std::int64_t> numbers(all.size() / sizeof(std::int64_t));
  std::memcpy(numbers.data(), all.data(), all.size());
  return numbers;
}

/// All ranks: the shards that failed on any of them, each with the reason on the lowest such rank.
std::map<std::size_t, std::string> failed_anywhere(const std::vector<ShardFailure>& own, Control& control) {
  std::vector<std::pair<std::size_t, std::string>> mine;
  mine.reserve(own.size());
  for (const auto& failure : own) mine.emplace_back(failure.shard, failure.reason);
  std::map<std::size_t, std::string> first;
  const auto of_ranks = gather(control, mine);
  for (std::size_t rank = 0; rank < of_ranks.size(); ++rank)
    for (const auto& [shard, reason] : of_ranks[rank])
      first.emplace(shard, fmt::format("rank {}: {}", rank, reason));
  return broadcast(control, first);
}

}  // namespace

Feed::Feed(const TrainingStore& data, World& world, std::uint64_t first_step,
           const std::vector<Quarantined>& quarantined, const FaceNeeds& needs)
    : Feed(data, world, first_step, quarantined, needs, side_stream(world.device())) {}

Feed::Feed(const TrainingStore& data, World& world, std::uint64_t first_step,
           const std::vector<Quarantined>& quarantined, const FaceNeeds& needs,
           std::shared_ptr<SideStream> side)
    : data_(data),
      world_(world),
      side_(std::move(side)),
      pixel_memory_(side_ ? std::make_unique<PinnedMemory>(side_) : nullptr),
      quarantine_(data.order, data.config.seed,
                  [store = data.store](std::uint64_t row) { return store->shard_of(row); }),
      plan_(data.plan),
      loader_(data.store, data.order, data.batches, world.topology().rank, first_step,
              loader_config(data.config, workers_of(data.config, world), pixel_memory_.get(), quarantined,
                            side_ ? needs.noise : NoiseConfig{})),
      needs_(needs) {
  if (side_)
    transfer_ =
        std::make_unique<Transfer>(side_, data.batches, data.config.seed, data.config.flip, needs.labels);
  for (const auto& entry : quarantined) quarantine_.add(entry);
  if (!quarantined.empty()) publish_quarantine();
  replicas_ = stage_while_training(data, world.topology(), quarantine_);
}

std::vector<Faces> Feed::next() {
  if (transfer_) return {next_on_device()};
  auto recycle = spare_.empty() ? nullptr : std::move(spare_.back());
  if (recycle) spare_.pop_back();
  auto bytes = read(std::move(recycle));
  const auto& config = data_.config;
  auto faces =
      config.exact
          ? to_slots(*bytes, data_.batches, world_.topology().rank, config.seed, config.flip, world_.device())
          : std::vector<Faces>{to_faces(*bytes, data_.batches, config.seed, config.flip, world_.device())};
  spare_.push_back(std::move(bytes));
  return faces;
}

/// The batch after it begins its way, unless it would have to be waited for.
Faces Feed::next_on_device() {
  if (!transfer_->under_way()) transfer_->send(read(transfer_->spare()));
  Faces faces = transfer_->receive();
  if (!prepared_.empty() || loader_.ready()) transfer_->send(read(transfer_->spare()));
  return faces;
}

std::unique_ptr<ByteBatch> Feed::read(std::unique_ptr<ByteBatch> recycle) {
  if (prepared_.empty()) return loader_.next(std::move(recycle));
  auto first = std::move(prepared_.front());
  prepared_.pop_front();
  if (recycle) spare_.push_back(std::move(recycle));
  return first;
}

std::vector<std::int64_t> Feed::prepare(int micro_batches) {
  std::vector<std::int64_t> own;
  const auto look_at = [&](const ByteBatch& batch) {
    refuse_strange_labels(batch, needs_.classes);
    own.insert(own.end(), batch.labels.begin(), batch.labels.end());
  };
  int known = 0;
  if (const ByteBatch* sent = transfer_ ? transfer_->sent() : nullptr) {
    look_at(*sent);
    ++known;
  }
  for (; known < micro_batches; ++known) {
    auto recycle = spare_.empty() ? nullptr : std::move(spare_.back());
    if (recycle) spare_.pop_back();
    prepared_.push_back(loader_.next(std::move(recycle)));
    look_at(*prepared_.back());
  }
  return needs_.labels_of_step ? of_all_ranks(own, world_.control()) : std::vector<std::int64_t>{};
}

LoaderFigures Feed::figures() { return loader_.figures(); }

bool Feed::shard_failed() {
  for (auto& failure : loader_.failed_shards()) failed_.push_back(std::move(failure));
  return !failed_.empty();
}

std::vector<Quarantined> Feed::quarantine_failed(std::uint64_t step) {
  Control& control = world_.control();
  if (auto ahead = transfer_ ? transfer_->take_back() : nullptr) loader_.unread(std::move(ahead));
  const auto failed = failed_anywhere(std::exchange(failed_, {}), control);
  for (const auto& [shard, reason] : failed) {
    const Quarantined entry{.shard = shard, .from_ordinal = step * data_.config.batch};
    if (quarantine_.covers(shard, entry.from_ordinal)) continue;
    quarantine_.add(entry);
    loader_.quarantine(entry);
    if (control.is_root())
      spdlog::warn(
          "shard {} ({}, {} images) is quarantined from step {} on, other images replace its images: {}",
          shard, data_.plan.shards[shard].file, human_count(data_.plan.shards[shard].images), step + 1,
          reason);
  }
  publish_quarantine();
  return quarantine_.entries();
}

void Feed::publish_quarantine() {
  std::vector<PlannedQuarantine> entries;
  std::uint64_t images = 0, all = 0;
  for (const auto& shard : plan_.shards) all += shard.images;
  for (const auto& [shard, from] : quarantine_.entries()) {
    entries.push_back({shard, from});
    images += plan_.shards[shard].images;
  }
  const double fraction = static_cast<double>(images) / static_cast<double>(all);
  if (fraction > data_.config.max_quarantined)
    throw AgreedError(DataError(fmt::format(
        "unreadable shards ({}) hold {:.1f} % of the images of {}; --max-quarantined allows {:.1f} %: repair the store with `facemae store verify --repair-from` and run the same command again",
        entries.size(), 100 * fraction, data_.store->folder().string(), 100 * data_.config.max_quarantined)));
  plan_ = publish(replan(plan_, std::move(entries)), world_.control());
  if (world_.control().is_root())
    spdlog::info("plan version {}: {} shard(s) in quarantine, {:.1f} % of the images", plan_.version,
                 plan_.quarantine.size(), 100 * fraction);
}

}  // namespace facemae
