#pragma once
// Records what an unfinished pack has done: the folder OUT/packing has one note for each finished shard and
// for the spill of each rank (docs/FORMATS.md). A note exists completely or not at all, and no two ranks
// write the same one, so any number of ranks can continue from what any other number has left.
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/files/folder_lock.h"
#include "data/pack/pack_check.h"
#include "data/store/store.h"

namespace facemae {

inline constexpr const char* kPackingFolder = "packing";

class Journal {
 public:
  Journal(FileSystem& files, const Path& out) : files_(files), out_(out), folder_(out / kPackingFolder) {}

  /// Makes the folder, for what is put there before the journal begins, and removes what killed starts have left;
  /// one rank. Throws Unresumable like require_no_living_ranks(), ConfigError like begin().
  void prepare() const;
  /// Begins the journal or continues it, and tidies up after killed starts; one rank. Throws ConfigError when
  /// it was begun with other settings, or when the folder holds shards that no journal knows.
  void begin(const std::string& settings, const std::string& samples = "{}");
  /// Throws ConfigError when this rank does not see what the first rank began.
  void require_begun(const std::string& settings, int rank) const;
  bool begun() const;
  /// What it was begun with (PackPlan).
  struct Begun {
    std::string settings, samples;
  };
  Begun begun_with() const;
  /// Held by each rank but the first, which has the lock of OUT: of a job whose first rank has died, others
  /// may still be writing. Throws Unresumable naming the owner.
  LockConfig lock_of(int rank) const;
  /// For the first rank, before others continue: throws Unresumable if a rank of an earlier start lives.
  void require_no_living_ranks() const;
  const Path& folder() const noexcept { return folder_; }  ///< finished shards wait in it for the last one

  /// A stored image, for the search for duplicates: a hash of its bytes, and its place in the catalogue.
  struct Stored {
    std::uint64_t hash = 0, entry = 0;
  };
  struct Shard {
    ShardInfo info;
    std::vector<Reject> rejects;
    Hash128 images_digest;  ///< of the list of Stored
  };
  std::vector<std::uint64_t> finished_shards() const;  ///< ascending
  Shard shard(std::uint64_t number) const;
  std::vector<Stored> images(std::uint64_t number) const;  ///< in stored order; throws DataError when damaged
  Path path_of(std::uint64_t number) const;  ///< of the shard's file: here, or in OUT at the end
  void note(std::uint64_t number, const Shard& shard, const std::vector<Stored>& images);
  void forget(std::uint64_t number);

  /// How much of a rank's spill counts: whatever lies beyond belongs to an archive that was not finished.
  struct Spill {
    std::vector<std::uint64_t> archives;  ///< all of whose images are in the spill
    std::uint64_t bytes = 0, extents = 0;
  };
  std::map<int, Spill> spills() const;  ///< by rank
  void note(int rank, const Spill& spill);

  /// A rank that cannot continue tells the others, which look now and then; `rejects`: not noted so far.
  void halt(int rank, const std::vector<Reject>& rejects);
  bool halted() const { return std::filesystem::exists(folder_ / "halted"); }
  std::vector<Reject> rejects_of_halted() const;

  /// Removes OUT/packing and everything in it.
  static void remove(FileSystem& files, const Path& out);

 private:
  void require_no_foreign_shards() const;
  std::map<std::uint64_t, Path> notes(const std::string& beginning, const std::string& ending) const;
  FileSystem& files_;
  Path out_, folder_;
};

/// Asks the disk once a second at most.
class HaltWatch {
 public:
  explicit HaltWatch(const Journal& journal) : journal_(journal) {}
  bool halted();

 private:
  const Journal& journal_;
  std::chrono::steady_clock::time_point asked_ = {};
  bool halted_ = false;
};

}  // namespace facemae
