#pragma once
// Makes stores from images that are read at random or streamed from archives, on any number of ranks and
// threads, with equal bytes whatever their number. After being killed at any moment, the same call continues.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "data/source/source.h"
#include "data/store/shard_reader.h"

namespace facemae {

struct PackConfig {
  Path out;
  std::uint64_t shard_bytes = 2048ULL << 20;  ///< also what a rank holds in memory while it makes a shard
  std::uint64_t seed = 0;                     ///< of the ingest shuffle
  int image_size = 0;   ///< 0: the most common one in a sample; others are rejected unless `resize`
  bool resize = false;  ///< re-encode other sizes
  double max_reject_fraction = 0.001;
  std::string source_licence;
  int threads = 1;  ///< of each rank
  bool show_progress = true;
  std::uint64_t spill_run_bytes = 256ULL << 20;  ///< images of archives that a rank holds in memory
  ReadPolicy patience;                           ///< with storage that fails
};

struct PackResult {
  std::uint64_t images = 0, bytes = 0, rejects = 0, duplicates = 0, shards = 0;
  std::uint64_t smallest = 0, largest = 0;                 ///< image, in bytes
  std::uint64_t resumed_shards = 0, resumed_images = 0;    ///< made by an earlier start
  std::map<std::string, std::uint64_t> rejects_by_reason;  ///< empty if an earlier start finished
  std::int64_t identities = 0;
  double seconds = 0;
};

/// One rank's part of making a store.
class Packing {
 public:
  /// Plans; writes nothing. Throws like plan_pack. The arguments must outlive this.
  Packing(const ImageSource& source, const PackConfig& config, FileSystem& files, int rank = 0,
          int ranks = 1);
  ~Packing();
  Packing(const Packing&) = delete;
  Packing& operator=(const Packing&) = delete;
  /// JSON: what determines the bytes of the store. Ranks that differ in it see different sources.
  const std::string& settings() const noexcept;
  /// What to do, in order. Every rank runs every phase, and begins one only when all have ended the one
  /// before; when a phase throws on one rank, no rank may continue. Ranks meet only in OUT/packing, so OUT
  /// must lie on a file system that all share. Throws ConfigError (other settings than before, no space),
  /// DataError (more rejects than allowed: what was made is kept, and rejects.csv lists them), FileError
  /// (also when the source's storage fails for longer than `patience`; the same call continues), Unresumable
  /// (a rank of an earlier start is still alive).
  std::vector<std::function<void()>> phases();
  const PackResult& result() const noexcept;  ///< of the first rank, after the last phase

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

/// All of it on one rank. If it is finished already: returns its figures when catalogue and settings are the
/// same, otherwise throws ConfigError.
PackResult pack(const ImageSource& source, const PackConfig& config, FileSystem& files);

}  // namespace facemae
