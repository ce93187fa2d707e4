#pragma once
// Writes and reads spill files. Archives can only be read from front to back, but a shard takes its images
// from all of them. So each rank writes the checked images of its archives into one spill file, sorted by
// shard as far as memory goes, from which shards are then gathered in large pieces (docs/FORMATS.md).
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/pack/journal.h"
#include "data/pack/pack_plan.h"

namespace facemae {

struct SpilledImage {
  std::uint64_t position = 0;  ///< in the store's order, before rejects are left out
  std::uint8_t flags = 0;
  std::vector<std::byte> bytes;  ///< of a reject: the reason
};

/// One rank's spill. Not to be used by several threads at once.
class SpillWriter {
 public:
  /// Continues the rank's spill where its note ends. Images are held in memory up to `run_bytes`.
  SpillWriter(FileSystem& files, Journal& journal, const PackPlan& plan, int rank, std::uint64_t run_bytes);
  /// Keeps an image for its shard, and a reject for all shards.
  void add(std::uint64_t entry, PreparedImage image);
  /// All images of the archive have been added. They are durable at the latest when close() returns.
  void finish_archive(std::uint64_t archive);
  void close();
  const std::vector<Reject>& rejects() const noexcept { return rejects_; }  ///< since this was made

 private:
  struct Kept {
    std::uint64_t shard = 0;
    SpilledImage image;
  };
  void write_run();
  void commit();

  Journal& journal_;
  Journal::Spill noted_;
  Permutation order_;
  std::uint64_t images_per_shard_, shards_, run_bytes_;
  int rank_;
  std::unique_ptr<OutputFile> data_, table_;
  std::vector<Kept> run_;
  std::uint64_t in_run_ = 0, since_commit_ = 0;
  std::vector<Reject> rejects_;
};

/// Everything that the ranks have spilled and noted, as far as some shards need it. Memory: 32 bytes for each
/// run of 256 MiB and shard.
class Spill {
 public:
  Spill(const Journal& journal, const PackPlan& plan, const std::vector<std::uint64_t>& shards);
  /// A shard's images by position; each occurs at most once. Throws FileError when the disk returns something
  /// else than was written.
  std::vector<SpilledImage> images_of(std::uint64_t shard) const;
  /// Entry -> reason, of all shards.
  std::unordered_map<std::uint64_t, std::string> rejects() const;

 private:
  struct Extent {
    std::size_t file = 0;
    std::uint64_t offset = 0, bytes = 0;
  };
  std::vector<SpilledImage> read(const std::vector<Extent>& extents) const;
  Permutation order_;
  std::uint64_t shards_;
  std::vector<InputFile> files_;
  std::unordered_map<std::uint64_t, std::vector<Extent>> extents_;  // of a shard; of rejects: shard shards_
};

}  // namespace facemae
