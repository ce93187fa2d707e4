#pragma once
// What shows only when several nodes look at one folder: whether they see each other's files, and whether a lock that
// one holds keeps the others out.

#include <chrono>
#include <string>
#include <vector>

#include "cluster/facts/facts.h"
#include "cluster/facts/probes.h"

namespace facemae {

/// The same on all ranks.
struct MeetingPlan {
  std::string folder;                 ///< that is there on rank 0's node; "": none is looked at
  std::string token;                  ///< of the names: nobody has looked for them before
  std::vector<Neighbour> neighbours;  ///< by node
};
void to_json(nlohmann::json& json, const MeetingPlan& plan);
void from_json(const nlohmann::json& json, MeetingPlan& plan);

/// One node's part, for the first rank of each. Between the steps every node must have done the one before.
class Meeting {
 public:
  Meeting(MeetingPlan plan, int node);
  ~Meeting();  ///< removes what this node wrote, and the folder once it is empty
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  /// Removes also what other nodes wrote, who will not come to it.
  void abandon() noexcept;
  void write();  ///< step 1; node 0 also takes a lock
  void look(FolderPlace& folder,
            std::chrono::milliseconds patience);  ///< step 2: fills seen, unseen and the locks

 private:
  Path file(std::size_t node) const;
  MeetingPlan plan_;
  std::size_t node_;
  Path folder_;
  int lock_ = -1;
  std::string fault_;
};

/// "held": an exclusive lock of another open file keeps us out; "free": it does not; else why the file cannot be locked.
std::string try_held_lock(const Path& file);

}  // namespace facemae
