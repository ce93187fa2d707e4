#include "cluster/host/plan.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <utility>

#include "cluster/host/gather.h"
#include "cluster/host/plan.pb.h"
#include "core/checksum.h"
#include "core/error.h"
#include "core/log.h"

namespace facemae {

ShardPlan plan_shards(std::vector<PlannedShard> shards, const std::string& dataset_digest, int nodes) {
  if (nodes < 1)
    throw ConfigError("planning shards: there must be at least one node, not " + std::to_string(nodes));
  ShardPlan plan;
  plan.dataset_digest = dataset_digest;
  plan.nodes = nodes;
  plan.shards = std::move(shards);
  return plan;
}

ShardPlan replan(ShardPlan plan, std::vector<PlannedQuarantine> quarantine) {
  ++plan.version;
  plan.quarantine = std::move(quarantine);
  return plan;
}

std::string serialise(const ShardPlan& plan) {
  wire::ShardPlan message;
  message.set_version(plan.version);
  message.set_dataset_digest(plan.dataset_digest);
  message.set_mode(plan.mode);
  message.set_nodes(static_cast<std::uint32_t>(plan.nodes));
  for (const auto& shard : plan.shards) {
    auto* planned = message.add_shards();
    planned->set_file(shard.file);
    planned->set_images(shard.images);
    planned->set_bytes(shard.bytes);
  }
  for (const auto& entry : plan.quarantine) {
    auto* quarantined = message.add_quarantine();
    quarantined->set_shard(static_cast<std::uint32_t>(entry.shard));
    quarantined->set_from_ordinal(entry.from_ordinal);
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    if (!message.SerializeToCodedStream(&coded))
      throw DataError("serialising the shard plan of " + std::to_string(plan.shards.size()) +
                      " shards: protobuf refused it (more than 2 GiB, or a file name that is not UTF-8)");
  }
  return bytes;
}

ShardPlan parse_plan(const std::string& bytes) {
  wire::ShardPlan message;
  if (!message.ParseFromString(bytes))
    throw DataError("reading a shard plan of " + std::to_string(bytes.size()) +
                    " bytes: it is not a valid message; all ranks must run the same version of the program");
  ShardPlan plan;
  plan.version = message.version();
  plan.dataset_digest = message.dataset_digest();
  plan.mode = message.mode();
  plan.nodes = static_cast<int>(message.nodes());
  for (const auto& shard : message.shards())
    plan.shards.push_back({.file = shard.file(), .images = shard.images(), .bytes = shard.bytes()});
  for (const auto& entry : message.quarantine()) {
    if (entry.shard() >= plan.shards.size())
      throw DataError(fmt::format("reading a shard plan: shard {} of {} is quarantined", entry.shard(),
                                  plan.shards.size()));
    plan.quarantine.push_back({.shard = entry.shard(), .from_ordinal = entry.from_ordinal()});
  }
  return plan;
}

ShardPlan publish(const ShardPlan& own, Control& control) {
  const std::string mine = serialise(own);
  const std::string sent = control.broadcast(mine);
  const std::string mine_hash = xxh128(bytes_of(mine)).hex(), got_hash = xxh128(bytes_of(sent)).hex();
  // Every rank compares twice: what arrived with what rank 0 sent, and its own plan with that.
  const auto all = gather(control, std::pair(got_hash, mine_hash));
  std::string verdict;
  for (std::size_t rank = 0; rank < all.size(); ++rank)
    if (all[rank] != std::pair(got_hash, got_hash))
      verdict += (verdict.empty() ? "" : ", ") + std::to_string(rank);
  verdict = control.broadcast(verdict);
  if (!verdict.empty())
    throw DataError(
        "agreeing on the shard plan of data set " + own.dataset_digest +
        ": it differs from rank 0's on rank(s) " + verdict +
        "; these nodes see another store, another configuration or another version of the program");
  return parse_plan(sent);
}

}  // namespace facemae
