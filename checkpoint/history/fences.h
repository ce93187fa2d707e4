#pragma once
// Decides which start of a run owns it, and whose commits count. Every start claims a number by a file that
// nobody else can create, and notes in it which checkpoint it resumed from. Readers decide by these notes
// alone, so a start that lives on after it was replaced (a zombie) can commit what it likes: nobody believes
// it. Free of LibTorch.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/history/discover.h"
#include "core/files/files.h"

namespace facemae {

/// checkpoints/fence/<start>: who made the start, and what it resumed from.
struct Fence {
  std::uint32_t start = 0;
  int world = 0;
  std::string host, job, restart;  ///< Slurm's job id and restart count, or ""
  std::int64_t pid = 0;
  std::string time;                     ///< UTC, "2026-01-31T12:00:00Z"
  bool decided = false;                 ///< it has chosen what to resume from; until then it commits nothing
  std::optional<CheckpointId> resumed;  ///< of a decided one: nothing if it began at step 0
  bool operator==(const Fence&) const = default;
};

std::string serialise(const Fence& fence);
/// Throws CheckpointError when any bit of it differs from what was written.
Fence parse_fence(const std::string& text);

/// All starts that ever claimed this folder; nothing in place of a fence that cannot be read.
using Fences = std::map<std::uint32_t, std::optional<Fence>>;
/// Throws FileError when the folder exists but cannot be listed.
Fences read_fences(const Path& checkpoints);

/// Claims the next start, `least` or higher: the file is created with O_EXCL. Fills in `fence.start`.
void claim_start(FileSystem& files, const Path& checkpoints, std::uint32_t least, Fence& fence);
/// Notes durably what a claimed start resumes from: only then may it commit.
void decide_start(FileSystem& files, const Path& checkpoints, const Fence& fence);
/// True when a later start has claimed the run: this one must not commit or delete any more.
bool superseded(const Path& checkpoints, std::uint32_t start);

/// Whose commits count: all of the newest decided start, and those of each start on the chain of "resumed
/// from" up to the step resumed from. Without any fence all count.
class Lineage {
 public:
  /// What the commits of a start say about where it came from; requested when its fence cannot be read.
  struct Origin {
    bool known = false;
    std::optional<CheckpointId> resumed;  ///< of a known one: nothing if it began at step 0
  };
  /// Nothing for a start without commits.
  using OriginOf = std::function<std::optional<Origin>(std::uint32_t start)>;
  Lineage(const Fences& fences, const OriginOf& origin_of);
  bool counts(CheckpointId id) const;

 private:
  std::map<std::uint32_t, std::uint64_t> last_step_;  ///< of each start that counts
  std::uint32_t all_below_ = 0;  ///< starts below this count as a whole: their fences are lost
};

/// The lineage of a folder, including the parents of what is committed there.
Lineage read_lineage(const Path& checkpoints, const std::vector<CheckpointFolder>& folders);

}  // namespace facemae
