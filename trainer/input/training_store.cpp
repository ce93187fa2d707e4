#include "trainer/input/training_store.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/host/agree.h"
#include "cluster/host/data_mode.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/text.h"
#include "data/store/manifest.h"
#include "data/store/people_key.h"
#include "trainer/input/open_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

ReadPolicy policy_of(const RunConfig& config, const std::vector<std::size_t>& lost) {
  ReadPolicy policy{.lost = lost};
  policy.give_up_after = std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * config.read_patience));
  return policy;
}

void check_fits(const RunConfig& config, std::uint64_t ranks, const Store& store) {
  if (store.size() == 0) throw DataError("the store " + config.store + " has no images");
  config.schedule_for(store.size());  // throws when the run is too short for it
  if (config.batch / config.together / static_cast<std::uint64_t>(config.accumulate) < ranks)
    throw ConfigError(fmt::format(
        "--batch {} in {} micro-batch(es) leaves some of the {} ranks without {}: raise --batch, lower --accumulate or use fewer ranks",
        config.batch, config.accumulate, ranks,
        config.together == 1 ? "an image" : fmt::format("a set of {} images", config.together)));
  if (config.exact && ranks > static_cast<std::uint64_t>(config.exact_slots))
    throw ConfigError(fmt::format(
        "--exact: {} ranks are more than the {} slots into which every micro-batch is cut: use fewer ranks, or begin a run with a larger --exact-slots",
        ranks, config.exact_slots));
}

Order order_of(const RunConfig& config, const std::shared_ptr<const Store>& store) {
  return {config.order,
          store->size(),
          config.seed,
          {.count = store->identities(),
           .rows_of = [store](std::int64_t label) { return store->rows_of(label); }}};
}

void say_order(const RunConfig& config, const Store& store) {
  const auto& order = config.order;
  if (order.kind == "blocks") {
    const BlocksOrder blocks(store.size(), config.seed, order.lanes, order.block);
    spdlog::info("order: blocks of {} images in {} lanes, {:.2f} % of an epoch beside them", order.block,
                 order.lanes,
                 100 * static_cast<double>(blocks.rest_rows()) / static_cast<double>(store.size()));
  } else if (order.kind == "balanced") {
    spdlog::info("order: balanced, {} images of an identity together", order.images_per_identity);
  } else {
    spdlog::info("order: uniform");
  }
}

std::uint64_t file_bytes(const Store& store) {
  std::uint64_t bytes = 0;
  for (const auto& shard : store.shards()) {
    std::error_code lost;
    const auto size = fs::file_size(store.shard_folder() / shard.file, lost);
    bytes += lost ? 0 : size;
  }
  return bytes;
}

/// Named after the shards, so that stores do not meet in one folder and views share their parent's.
Path replica_folder(const RunConfig& config, const Store& store) {
  return fs::absolute(config.local_dir) / ("facemae-" + digest_of_shards(store.shards()).hex());
}

LocalDisk measure(const Path& folder, const Store& store, std::string host) {
  LocalDisk disk{.host = std::move(host)};
  for (const auto& shard : store.shards()) {
    std::error_code missing;
    const auto size = fs::file_size(folder / shard.file, missing);
    disk.staged += missing ? 0 : size;
  }
  Path there = folder;
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  std::error_code error;
  disk.free = fs::space(there, error).available;
  if (error)
    throw ConfigError("--local-dir: asking for the free space of " + there.string() + ": " + error.message());
  return disk;
}

/// All ranks: what the disks of the nodes allow. Rank 0 decides.
DataMode agree_on_mode(World& world, const RunConfig& config, const Store& store) {
  const auto& topology = world.topology();
  std::string mine;
  together(world.control(), [&] {
    if (config.local_dir.empty() || topology.local_rank != 0) return;
    const auto disk = measure(replica_folder(config, store), store, topology.host);
    mine = nlohmann::json{{"host", disk.host}, {"free", disk.free}, {"staged", disk.staged}}.dump();
  });
  const auto all = world.control().gather(mine);
  DataMode mode;
  together(world.control(), [&] {
    if (!world.control().is_root()) return;
    std::vector<LocalDisk> disks;
    for (const auto& text : all) {
      if (text.empty()) continue;
      const auto json = nlohmann::json::parse(text);
      disks.push_back({json.at("host"), json.at("free"), json.at("staged")});
    }
    mode = choose_mode(config.data_mode, file_bytes(store), disks);
    spdlog::info("data mode: {} ({})", mode.mode, mode.reason);
  });
  mode.mode = world.control().broadcast(mode.mode);
  return mode;
}

/// All ranks: rank 0's.
std::optional<SecretKey> agree_on_people_key(Control& control, const RunConfig& config, const Store& store) {
  std::string key;
  together(control, [&] {
    if (!control.is_root()) return;
    const auto found = config.dry_run ? people_key(store) : make_people_key(store);
    if (found) key = found->hex();
    if (!found && !config.dry_run && !store.released())
      spdlog::warn(
          "{} cannot be made in {}: checkpoints will not record whom they were trained on, and `reconstruct` will not notice when it is asked to rebuild these people",
          kPeopleKeyName, store.shard_folder().string());
  });
  key = control.broadcast(key);
  return key.empty() ? std::nullopt : std::optional(SecretKey::from_hex(key));
}

}  // namespace

TrainingStore open_training_store(World& world, const RunConfig& config, const ConfigText& config_text,
                                  const std::vector<std::size_t>& lost) {
  Control& control = world.control();
  const auto& topology = world.topology();
  const auto store = open_once_a_node(control, topology, config.store, policy_of(config, lost));
  RunConfig settled = config;
  Order order(1, 0);
  together(control, [&] {
    check_fits(config, static_cast<std::uint64_t>(topology.size), *store);
    settled.order =
        config.order.settled(store->size(), config.batch / static_cast<std::uint64_t>(config.accumulate));
    order = order_of(settled, store);
  });
  if (control.is_root()) say_order(settled, *store);

  std::vector<PlannedShard> shards;
  for (const auto& shard : store->shards()) shards.push_back({shard.file, shard.images, shard.bytes});
  auto plan = plan_shards(std::move(shards), store->dataset_digest().hex(), topology.nodes);
  plan.mode = agree_on_mode(world, config, *store).mode;
  plan = publish(plan, control);
  const std::string text = config_text(settled.order);
  if (!control.same_everywhere(text + program_version()))
    throw AgreedError(ConfigError(
        "the ranks do not have the same configuration or version: start them all with the same command"));
  const Path replicas = plan.mode == "replica" ? replica_folder(config, *store) : Path();
  return {.store = store,
          .config = settled,
          .config_text = text,
          .order = order,
          .batches = {.global_batch = config.batch,
                      .micro_batches = config.accumulate,
                      .world = topology.size,
                      .lanes = order.lanes(),
                      .slots = config.exact ? config.exact_slots : 0,
                      .together = config.together},
          .plan = plan,
          .replicas = replicas,
          .people_key = agree_on_people_key(control, settled, *store)};
}

}  // namespace facemae
