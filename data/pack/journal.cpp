#include "data/pack/journal.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "data/pack/pack_plan.h"
#include "data/store/shard_file.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSettings = "settings.json";

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Reads the content of a note. It was written completely or not at all, so a broken note means
/// a damaged disk.
template <class Read>
auto read_note(const Path& path, Read read) {
  try {
    return read(Json::parse(read_plain_file(path)));
  } catch (const FileError&) {
    throw;
  } catch (const std::exception& error) {
    throw DataError("continuing a pack: " + path.string() + " is damaged (" + error.what() +
                    "); remove its folder and pack again");
  }
}

/// get<>() alone would also accept 1e62, which no integer holds.
std::uint64_t whole(const Json& number) {
  if (!number.is_number_unsigned()) throw DataError(number.dump() + " is not a whole number");
  return number.get<std::uint64_t>();
}

Json json_of(const std::vector<Reject>& rejects) {
  Json json = Json::array();
  for (const auto& reject : rejects) json.push_back({reject.entry, reject.reason});
  return json;
}
std::vector<Reject> rejects_in(const Json& json) {
  std::vector<Reject> rejects;
  for (const auto& reject : json) rejects.push_back({whole(reject.at(0)), reject.at(1).get<std::string>()});
  return rejects;
}

std::string name_of(const std::string& beginning, std::uint64_t number, const std::string& ending) {
  return fmt::format("{}{:05}{}", beginning, number, ending);
}
/// The number between `beginning` and `ending`; nothing if there is none, for then this is not a note.
std::optional<std::uint64_t> number_in(const std::string& name, const std::string& beginning,
                                       const std::string& ending) {
  if (!name.starts_with(beginning)) return {};
  std::uint64_t number = 0;
  std::from_chars(name.data() + beginning.size(), name.data() + name.size(), number);
  if (name != name_of(beginning, number, ending)) return {};  // a copy of one, shard-7.json, is none
  return number;
}

}  // namespace

bool Journal::begun() const { return std::filesystem::exists(folder_ / kSettings); }

void Journal::require_no_foreign_shards() const {
  if (!begun() && std::filesystem::exists(out_ / shard_name(0)))
    throw ConfigError("packing into " + out_.string() +
                      ": it holds shards, but neither a manifest nor a journal says whose they are; "
                      "use another --out, or remove them first");
}

void Journal::prepare() const {
  require_no_living_ranks();
  require_no_foreign_shards();
  make_folders(files_, folder_);
  remove_temporaries(folder_);
}

void Journal::begin(const std::string& settings, const std::string& samples) {
  if (begun()) {
    require_begun(settings, 0);
    for (const Path& folder : {folder_, out_}) remove_temporaries(folder);
    files_.remove(folder_ / "halted");
    for (const auto& [number, note] : notes("refused-", ".json")) files_.remove(note);
    return;
  }
  require_no_foreign_shards();
  make_folders(files_, folder_);
  write_durably(files_, folder_ / kSettings,
                text_of({{"format", "facemae-pack-journal"},
                         {"version", 2},
                         {"settings", Json::parse(settings)},
                         {"samples", Json::parse(samples)}}));
}

Journal::Begun Journal::begun_with() const {
  return read_note(folder_ / kSettings, [](const Json& json) {
    return Begun{json.at("settings").dump(), json.value("samples", Json()).dump()};
  });
}

LockConfig Journal::lock_of(int rank) const {
  return {.thing = fmt::format("rank {} of the pack in", rank),
          .work = "packing",
          .otherwise = "use another --out",
          .name = name_of("rank-", static_cast<std::uint64_t>(rank), ".lock"),
          .place = out_};
}

void Journal::require_no_living_ranks() const {
  if (!begun()) return;
  for (const auto& [rank, path] : notes("rank-", ".lock"))
    FolderLock(folder_, lock_of(static_cast<int>(rank)));
}

void Journal::require_begun(const std::string& settings, int rank) const {
  if (!begun())
    throw ConfigError(
        fmt::format("packing into {}: rank {} does not see the folder that rank 0 has made there; "
                    "--out must lie on a file system that all ranks share",
                    out_.string(), rank));
  require_same_settings(begun_with().settings, settings, out_);
}

std::map<std::uint64_t, Path> Journal::notes(const std::string& beginning, const std::string& ending) const {
  std::map<std::uint64_t, Path> found;
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    if (const auto number = number_in(file.path().filename().string(), beginning, ending))
      found.emplace(*number, file.path());
  return found;
}

std::vector<std::uint64_t> Journal::finished_shards() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, note] : notes("shard-", ".json")) numbers.push_back(number);
  return numbers;
}

Journal::Shard Journal::shard(std::uint64_t number) const {
  return read_note(folder_ / name_of("shard-", number, ".json"), [&](const Json& json) {
    Shard shard;
    shard.info.file = shard_name(number);
    shard.info.images = whole(json.at("images"));
    shard.info.bytes = whole(json.at("bytes"));
    shard.info.blob_offset = whole(json.at("blob_offset"));
    shard.info.blob_digest = Hash128::from_hex(json.at("blob_digest").get<std::string>());
    shard.info.index_digest = Hash128::from_hex(json.at("index_digest").get<std::string>());
    shard.images_digest = Hash128::from_hex(json.at("images_digest").get<std::string>());
    shard.rejects = rejects_in(json.at("rejects"));
    return shard;
  });
}

std::vector<Journal::Stored> Journal::images(std::uint64_t number) const {
  const Path path = folder_ / name_of("shard-", number, ".images");
  const InputFile file(path);
  std::vector<Stored> images(file.size() / sizeof(Stored));
  file.read_at(0, std::as_writable_bytes(std::span(images)));
  if (file.size() % sizeof(Stored) != 0 ||
      xxh128(std::as_bytes(std::span(images))) != shard(number).images_digest)
    throw DataError(path.string() + " is damaged: its digest is not the one in its shard's note");
  return images;
}

Path Journal::path_of(std::uint64_t number) const {
  const Path waiting = folder_ / shard_name(number);
  return std::filesystem::exists(waiting) ? waiting : out_ / shard_name(number);
}

void Journal::note(std::uint64_t number, const Shard& shard, const std::vector<Stored>& images) {
  const Bytes list = std::as_bytes(std::span(images));
  write_durably(files_, folder_ / name_of("shard-", number, ".images"), list);
  const ShardInfo& info = shard.info;
  write_durably(files_, folder_ / name_of("shard-", number, ".json"),
                text_of({{"images", info.images},
                         {"bytes", info.bytes},
                         {"blob_offset", info.blob_offset},
                         {"blob_digest", info.blob_digest.hex()},
                         {"index_digest", info.index_digest.hex()},
                         {"images_digest", xxh128(list).hex()},
                         {"rejects", json_of(shard.rejects)}}));
}

void Journal::forget(std::uint64_t number) {
  files_.remove(folder_ / name_of("shard-", number, ".json"));
  files_.sync_folder(folder_);
}

std::map<int, Journal::Spill> Journal::spills() const {
  std::map<int, Spill> spills;
  for (const auto& [rank, note] : notes("spill-", ".json"))
    spills[static_cast<int>(rank)] = read_note(note, [](const Json& json) {
      std::vector<std::uint64_t> archives;
      std::transform(json.at("archives").begin(), json.at("archives").end(), std::back_inserter(archives),
                     whole);
      return Spill{std::move(archives), whole(json.at("bytes")), whole(json.at("extents"))};
    });
  return spills;
}

void Journal::note(int rank, const Spill& spill) {
  write_durably(files_, folder_ / name_of("spill-", static_cast<std::uint64_t>(rank), ".json"),
                text_of({{"archives", spill.archives}, {"bytes", spill.bytes}, {"extents", spill.extents}}));
}

void Journal::halt(int rank, const std::vector<Reject>& rejects) {
  write_durably(files_, folder_ / name_of("refused-", static_cast<std::uint64_t>(rank), ".json"),
                text_of(json_of(rejects)));
  write_durably(files_, folder_ / "halted", std::string());
}

std::vector<Reject> Journal::rejects_of_halted() const {
  std::vector<Reject> all;
  for (const auto& [rank, note] : notes("refused-", ".json"))
    for (auto& reject : read_note(note, rejects_in)) all.push_back(std::move(reject));
  return all;
}

void Journal::remove(FileSystem& files, const Path& out) {
  const Path folder = out / kPackingFolder;
  if (!std::filesystem::exists(folder)) return;
  // Notes first, so that none refers to what is gone; the settings last: until then the folder is known to
  // be a pack's.
  std::vector<Path> paths;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) paths.push_back(file.path());
  const auto rank_of = [](const Path& path) {
    if (path.filename() == kSettings) return 3;
    return std::filesystem::is_directory(path) ? 2 : path.extension() == ".json" ? 0 : 1;
  };
  std::sort(paths.begin(), paths.end(), [&](auto& a, auto& b) { return rank_of(a) < rank_of(b); });
  for (const Path& path : paths) files.remove(path);
  try {
    files.remove(folder);
  } catch (const FileError& error) {
    // NFS keeps files under other names while a process of this host has them open, as ranks have the catalogue.
    if (error.code() != ENOTEMPTY) throw;
    spdlog::info("{} holds files that are still open: remove it, or let the next start of this command do so",
                 folder.string());
  }
  files.sync_folder(out);
}

bool HaltWatch::halted() {
  const auto now = std::chrono::steady_clock::now();
  if (!halted_ && now - asked_ > std::chrono::seconds(1)) {
    asked_ = now;
    halted_ = journal_.halted();
  }
  return halted_;
}

}  // namespace facemae
