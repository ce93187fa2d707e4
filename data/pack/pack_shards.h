#pragma once
// Makes shards from checked images, in the last pass, and checks again those that an earlier start made.
#include <cstdint>
#include <functional>
#include <vector>

#include "data/pack/journal.h"
#include "data/pack/pack_plan.h"
#include "data/pack/spill.h"

namespace facemae {

/// Makes shards one by one; holds one in memory.
class ShardMaker {
 public:
  /// `spill`: where images of archives come from, nullptr when the source is read at random.
  ShardMaker(const ImageSource& source, const PackPlan& plan, const PackConfig& config, FileSystem& files,
             Journal& journal, const Spill* spill);

  /// The outcome for a shard. Without `whole` it was left undone.
  struct Made {
    bool whole = false;
    std::vector<Reject> new_rejects;  ///< not known before this shard was made
  };
  /// Writes the shard and its note. `progress` is called now and then with the number of images done since
  /// the last call; false ends the work. `few_enough` is asked before a shard with new rejects is written:
  /// false leaves it undone.
  Made make(std::uint64_t shard, const std::function<bool(std::uint64_t)>& progress,
            const std::function<bool(const std::vector<Reject>&)>& few_enough);

 private:
  std::vector<PreparedImage> gather(std::uint64_t shard, const std::vector<std::uint64_t>& entries) const;
  const ImageSource& source_;
  const PackPlan& plan_;
  const PackConfig& config_;
  FileSystem& files_;
  Journal& journal_;
  const Spill* spill_;
  std::unordered_map<std::uint64_t, std::string> spilled_rejects_;
};

/// Reads a finished shard back: completely, unless it is still the file that was read back when it was made. Returns
/// why it cannot be used, "" if it can. Throws FileError when the storage fails for longer than `patience`.
std::string fault_of_finished(const Journal& journal, std::uint64_t shard, const ReadPolicy& patience);

}  // namespace facemae
