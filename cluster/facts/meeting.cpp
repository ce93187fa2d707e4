#include "cluster/facts/meeting.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files/shared_view.h"

namespace facemae {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Neighbour, host, addresses)

void to_json(nlohmann::json& json, const MeetingPlan& plan) {
  json = {{"folder", plan.folder}, {"token", plan.token}, {"neighbours", plan.neighbours}};
}

void from_json(const nlohmann::json& json, MeetingPlan& plan) {
  json.at("folder").get_to(plan.folder);
  json.at("token").get_to(plan.token);
  json.at("neighbours").get_to(plan.neighbours);
}

namespace {

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string node_name(std::size_t node) { return "node" + std::to_string(node); }

}  // namespace

std::string try_held_lock(const Path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return std::strerror(errno);
  struct flock lock = whole_file();
  std::string state = "free";
  if (::fcntl(descriptor, F_OFD_SETLK, &lock) != 0)
    state = errno == EAGAIN || errno == EACCES ? "held" : std::strerror(errno);
  ::close(descriptor);
  return state;
}

Meeting::Meeting(MeetingPlan plan, int node)
    : plan_(std::move(plan)),
      node_(static_cast<std::size_t>(node)),
      folder_(Path(plan_.folder) / (".shared-doctor-" + plan_.token)) {}

Meeting::~Meeting() {
  if (lock_ >= 0) ::close(lock_);
  if (plan_.folder.empty()) return;
  std::error_code unseen;
  std::filesystem::remove(file(node_), unseen);
  if (node_ == 0) std::filesystem::remove(folder_ / "lock", unseen);
  std::filesystem::remove(folder_, unseen);  // the last one succeeds
}

void Meeting::abandon() noexcept {
  std::error_code unseen;
  if (!plan_.folder.empty()) std::filesystem::remove_all(folder_, unseen);
}

Path Meeting::file(std::size_t node) const { return folder_ / node_name(node); }

void Meeting::write() {
  if (plan_.folder.empty()) return;
  try {
    real_files().make_folder(folder_);
    write_whole(real_files(), file(node_), plan_.token);
    if (node_ != 0) return;
    write_whole(real_files(), folder_ / "lock", "");
    lock_ = ::open((folder_ / "lock").c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock = whole_file();
    if (lock_ >= 0 && ::fcntl(lock_, F_OFD_SETLK, &lock) != 0) fault_ = std::strerror(errno);
  } catch (const FileError& error) {
    fault_ = error.what();
  }
}

void Meeting::look(FolderPlace& folder, std::chrono::milliseconds patience) {
  if (plan_.folder.empty()) return;
  std::vector<ExpectedFile> expected;
  for (std::size_t node = 0; node < plan_.neighbours.size(); ++node)
    if (node != node_) expected.push_back({node_name(node), plan_.token.size()});
  const auto begun = std::chrono::steady_clock::now();
  const auto faults = unseen_after(folder_, expected, patience);
  if (faults.empty())
    folder.seen = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  for (std::size_t node = 0; node < plan_.neighbours.size(); ++node)
    if (std::any_of(faults.begin(), faults.end(), [&](const std::string& fault) {
          return fault.starts_with(node_name(node) + " ") || fault.starts_with(node_name(node) + ":");
        }))
      folder.unseen.push_back(plan_.neighbours[node].host);
  if (node_ == 0) {
    folder.lock_here = fault_.empty() ? try_held_lock(folder_ / "lock") : fault_;
  } else if (folder.unseen.empty()) {
    folder.lock_there = try_held_lock(folder_ / "lock");
  }
}

}  // namespace facemae
