#include "cluster/host/shared_folder.h"

#include <algorithm>
#include <random>

#include "cluster/host/agree.h"
#include "cluster/host/gather.h"
#include "core/error.h"
#include "core/files/shared_view.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr const char* kMeeting = ".shared-";

/// A name that nobody has looked for before: a network file system may remember that a name is not there.
std::string random_token() {
  std::random_device source;  // not part of any result
  return fmt::format("{:08x}{:08x}{:08x}", source(), source(), source());
}

std::string name_of(int rank) { return fmt::format("rank{}", rank); }

void remove_meeting(FileSystem& files, const Path& meeting) {
  std::error_code unseen;
  for (const auto& entry : std::filesystem::directory_iterator(meeting, unseen)) files.remove(entry.path());
  files.remove(meeting);
}

/// Rank 0: the folder and the place to meet in it. What killed starts have left goes;
/// others may be meeting now.
void prepare(FileSystem& files, const Path& folder, const std::string& token) {
  constexpr auto kOld = std::chrono::hours(1);
  make_folders(files, folder);
  const Path meeting = folder / (kMeeting + token);
  files.make_folder(meeting);
  write_whole(files, meeting / name_of(0), token);
  const auto now = std::filesystem::last_write_time(meeting);
  std::vector<Path> old;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::error_code unseen;
    if (entry.path().filename().string().starts_with(kMeeting) &&
        now - entry.last_write_time(unseen) > kOld && !unseen)
      old.push_back(entry.path());
  }
  for (const Path& left : old) remove_meeting(files, left);
}

/// Another rank: sees what rank 0 wrote, and writes its own. Returns what is wrong.
std::string answer(FileSystem& files, const Path& meeting, const std::string& token, int rank,
                   std::chrono::milliseconds patience) {
  if (const auto faults = unseen_after(meeting, {{name_of(0), token.size()}}, patience); !faults.empty())
    return "does not see what rank 0 writes there";
  try {
    write_whole(files, meeting / name_of(rank), token);
  } catch (const FileError& error) {
    return std::string("cannot write there: ") + error.what();
  }
  return "";
}

/// What a rank tells of the folder; no fault: it saw what rank 0 wrote.
struct Seen {
  std::string host, fault;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Seen, host, fault)

/// Rank 0: one line for each rank that has another folder, with its host.
std::vector<std::string> judge(const Path& meeting, const std::string& token, const std::vector<Seen>& seen,
                               std::chrono::milliseconds patience) {
  std::vector<ExpectedFile> expected;
  for (std::size_t rank = 1; rank < seen.size(); ++rank)
    if (seen[rank].fault.empty()) expected.push_back({name_of(static_cast<int>(rank)), token.size()});
  const auto unseen = unseen_after(meeting, expected, patience);
  std::vector<std::string> faults;
  for (std::size_t rank = 1; rank < seen.size(); ++rank) {
    const std::string name = name_of(static_cast<int>(rank));
    const bool lost = std::any_of(unseen.begin(), unseen.end(), [&](const std::string& fault) {
      return fault.starts_with(name + " ") || fault.starts_with(name + ":");
    });
    const std::string fault = lost ? "writes there what rank 0 does not see" : seen[rank].fault;
    if (!fault.empty()) faults.push_back(fmt::format("rank {} on {} {}", rank, seen[rank].host, fault));
  }
  return faults;
}

}  // namespace

void require_shared(Control& control, FileSystem& files, const Path& folder, const std::string& said,
                    std::chrono::milliseconds patience) {
  if (control.size() == 1) return;
  constexpr std::size_t kNamed = 8;
  const std::string token = control.broadcast(random_token());
  const Path meeting = folder / (kMeeting + token);
  together(control, [&] {
    if (control.is_root()) prepare(files, folder, token);
  });
  const auto seen =
      gather(control,
             Seen{.host = host_name(),
                  .fault = control.is_root() ? "" : answer(files, meeting, token, control.rank(), patience)});
  std::string verdict;
  if (control.is_root()) {
    auto faults = judge(meeting, token, seen, patience);
    if (!faults.empty()) {
      const std::size_t count = faults.size();
      faults.resize(std::min(count, kNamed));
      verdict = fmt::format(
          "{} is not one folder for all ranks. Seen from rank 0 on {}: {}{}. "
          "Every node needs the same file system under this path (NFS, Lustre, ...): name a folder on one that all of them mount",
          said, seen[0].host, join(faults, "; "),
          count > kNamed ? fmt::format("; {} ranks in all", count) : "");
    }
    try {
      remove_meeting(files, meeting);
    } catch (const FileError& error) {
      spdlog::warn("could not remove {}: {}", meeting.string(), error.what());
    }
  }
  verdict = control.broadcast(verdict);
  if (!verdict.empty()) throw AgreedError(ConfigError(verdict));
}

}  // namespace facemae
