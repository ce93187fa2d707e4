#include "data/journal.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/pack_plan.h"
#include "data/shard_file.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kName = "pack.journal";

std::string line_of(std::uint64_t number, const Journal::Shard& shard) {
  Json rejects = Json::array();
  for (const auto& reject : shard.rejects) rejects.push_back({reject.source, reject.reason});
  const ShardInfo& info = shard.info;
  const Json json{{"shard", number},
                  {"images", info.images},
                  {"bytes", info.bytes},
                  {"blob_offset", info.blob_offset},
                  {"blob_digest", info.blob_digest.hex()},
                  {"index_digest", info.index_digest.hex()},
                  {"rejects", rejects}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::pair<std::uint64_t, Journal::Shard> shard_of(const Json& json) {
  Journal::Shard shard;
  const auto number = json.at("shard").get<std::uint64_t>();
  shard.info.file = shard_name(number);
  shard.info.images = json.at("images").get<std::uint64_t>();
  shard.info.bytes = json.at("bytes").get<std::uint64_t>();
  shard.info.blob_offset = json.at("blob_offset").get<std::uint64_t>();
  shard.info.blob_digest = Hash128::from_hex(json.at("blob_digest").get<std::string>());
  shard.info.index_digest = Hash128::from_hex(json.at("index_digest").get<std::string>());
  for (const auto& reject : json.at("rejects"))
    shard.rejects.push_back({reject.at(0).get<std::string>(), reject.at(1).get<std::string>()});
  return {number, std::move(shard)};
}

}  // namespace

Journal::Journal(FileSystem& files, const Path& folder, const std::string& settings)
    : files_(files), path_(folder / kName) {
  const std::string header =
      Json{{"format", "facemae-pack-journal"}, {"version", 1}, {"settings", settings}}.dump();
  if (!std::filesystem::exists(path_)) {
    if (std::filesystem::exists(folder / shard_name(0)))
      throw ConfigError("packing into " + folder.string() +
                        ": it holds shards, but neither a manifest nor a journal says "
                        "whose; use another --out, or remove them first");
    write_durably(files_, path_, header + "\n");
    return;
  }
  std::vector<std::string> lines = split(read_file(path_), '\n');
  const bool torn = !lines.back().empty();  // each line ends with a newline, so the last part is empty
  lines.pop_back();
  try {
    if (lines.empty()) throw DataError("no line");
    require_same_settings(Json::parse(lines.front()).at("settings").get<std::string>(), settings, folder);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      auto [number, shard] = shard_of(Json::parse(lines[i]));
      shards_.insert_or_assign(number,
                               std::move(shard));  // a shard made again has two lines: the last counts
    }
  } catch (const ConfigError&) {
    throw;
  } catch (const std::exception& error) {
    throw DataError("going on with the pack in " + folder.string() + ": " + path_.string() + " is damaged (" +
                    error.what() + "); remove the folder and pack again");
  }
  if (torn) write_durably(files_, path_, join(lines, "\n") + "\n");
}

void Journal::add(std::uint64_t shard, const Shard& done) {
  append_line_durably(files_, path_, line_of(shard, done));
  shards_[shard] = done;
}

void Journal::remove(FileSystem& files, const Path& folder) {
  if (!std::filesystem::exists(folder / kName)) return;
  files.remove(folder / kName);
  files.sync_folder(folder);
}

}  // namespace facemae
