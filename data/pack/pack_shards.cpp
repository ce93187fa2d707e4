#include "data/pack/pack_shards.h"

#include "core/error.h"
#include "core/files/patience.h"
#include "core/log.h"
#include "data/store/checked_note.h"
#include "data/store/shard_file.h"
#include "data/store/shard_images.h"

namespace facemae {

ShardMaker::ShardMaker(const ImageSource& source, const PackPlan& plan, const PackConfig& config,
                       FileSystem& files, Journal& journal, const Spill* spill)
    : source_(source), plan_(plan), config_(config), files_(files), journal_(journal), spill_(spill) {
  if (spill_ != nullptr) spilled_rejects_ = spill_->rejects();
}

/// Returns the same as check_entries, from the spill.
std::vector<PreparedImage> ShardMaker::gather(std::uint64_t shard,
                                              const std::vector<std::uint64_t>& entries) const {
  auto spilled = spill_->images_of(shard);
  std::vector<PreparedImage> images(entries.size());
  const std::uint64_t first = shard * plan_.images_per_shard;
  auto next = spilled.begin();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (next != spilled.end() && next->position == first + i) {
      images[i] = {std::move(next->bytes), next->flags, ""};
      ++next;
    } else if (const auto known = spilled_rejects_.find(entries[i]); known != spilled_rejects_.end()) {
      images[i].reject = known->second;
    } else {
      images[i].reject = "cannot be read: it is in the catalogue, but its archive did not hand it over";
    }
  }
  if (next != spilled.end())
    throw Error(fmt::format("making shard {}: the spill has an image at {}, which is of another shard", shard,
                            next->position));
  return images;
}

ShardMaker::Made ShardMaker::make(std::uint64_t shard, const std::function<bool(std::uint64_t)>& progress,
                                  const std::function<bool(const std::vector<Reject>&)>& few_enough) {
  const auto entries = plan_.entries_of(shard);
  bool whole = true;
  auto checked = spill_ != nullptr
                     ? gather(shard, entries)
                     : check_entries(source_, entries, plan_.image_size, config_.resize, config_.threads,
                                     config_.patience,
                                     [&](std::uint64_t count) { return whole = whole && progress(count); });
  if (!whole) return {};
  ShardContent content{.uuid = plan_.uuid,
                       .shard = shard,
                       .shards = plan_.shards(),
                       .image_size = plan_.image_size,
                       .ingest_seed = config_.seed,
                       .images = {},
                       .labels = {},
                       .source_keys = {},
                       .flags = {}};
  std::vector<std::vector<std::byte>> images;
  std::vector<Journal::Stored> stored;
  Journal::Shard done;
  Made made;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!checked[i].reject.empty()) {
      done.rejects.push_back({entries[i], checked[i].reject});
      if (!spilled_rejects_.contains(entries[i])) made.new_rejects.push_back(done.rejects.back());
      continue;
    }
    content.labels.push_back(source_.label(entries[i]));
    content.source_keys.push_back(xxh64(bytes_of(source_.name(entries[i]))));
    content.flags.push_back(checked[i].flags);
    stored.push_back({xxh128(checked[i].bytes).low, entries[i]});
    images.push_back(std::move(checked[i].bytes));
  }
  if (!made.new_rejects.empty() && !few_enough(made.new_rejects)) return made;
  content.images = images;
  done.info = write_shard(files_, journal_.folder(), content);
  note_checked(files_, journal_.folder() / shard_name(shard));  // it was read back
  journal_.note(shard, done, stored);
  if (spill_ != nullptr) progress(entries.size());
  made.whole = true;
  return made;
}

namespace {

/// Storage that fails shows as FileError.
std::string fault_of(const Journal& journal, std::uint64_t shard) {
  try {
    const Journal::Shard noted = journal.shard(shard);
    const Path path = journal.path_of(shard);
    const ShardIndex index = read_shard(path);
    if (index.info.index_digest != noted.info.index_digest ||
        index.info.blob_digest != noted.info.blob_digest)
      return "it is not the shard that was noted";
    if (journal.images(shard).size() != index.crcs.size())
      return "its list of images belongs to another shard";
    if (is_checked(path)) return "";
    std::string fault;
    const auto see = [&](std::uint64_t image, const std::string& why) {
      if (!why.empty() && fault.empty()) fault = fmt::format("image {} is damaged: {}", image, why);
    };
    const Hash128 blob = reread_images(index, InputFile(path), false, see);
    if (!fault.empty()) return fault;
    return blob == noted.info.blob_digest ? "" : "its blob digest differs";
  } catch (const DataError& error) {
    return error.what();
  }
}

}  // namespace

std::string fault_of_finished(const Journal& journal, std::uint64_t shard, const ReadPolicy& patience) {
  try {
    return patiently(patience, "checking a finished shard", [&] { return fault_of(journal, shard); });
  } catch (const FileError& error) {
    if (!error.may_pass()) return error.what();
    throw FileError(
        fmt::format(
            "checking shard {} of an earlier start: {}; "
            "run the same command again once the storage works (to have the shard made again, remove {})",
            shard, error.what(), journal.path_of(shard).string()),
        error.code());
  }
}

}  // namespace facemae
