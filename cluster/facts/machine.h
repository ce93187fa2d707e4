#pragma once
// The machine as probes see it: files below a root, the environment, and a table of the calls that are no files. Tests
// put a fake in place of each.

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/facts/facts.h"
#include "cluster/host/launch.h"
#include "core/files/files.h"

namespace facemae {

struct DiskSpace {
  std::int64_t free = -1, inodes = -1;  ///< for this user; -1 where the file system does not count
};
struct Resolved {
  std::vector<std::string> addresses;  ///< IPv4
  std::string fault;
};

struct Calls {
  /// What a command says on both streams; nothing when it is not there, fails or takes longer.
  std::function<std::optional<std::string>(const std::vector<std::string>& words, std::chrono::seconds limit)>
      run;
  std::function<std::optional<DiskSpace>(const Path& folder)> space;  ///< statvfs
  std::function<std::string(const Path& file, const std::string& name)>
      attribute;                                             ///< getxattr, "" without it
  std::function<Resolved(const std::string& host)> resolve;  ///< getaddrinfo
  /// The own address from which the kernel sends to another one, "" when it cannot: connects a UDP socket.
  std::function<std::string(const std::string& address)> source_address;
  /// Does anybody answer at this address, if only by refusing? Waits a second at most.
  std::function<bool(const std::string& address)> answers;
  /// IPv4 addresses with their prefix, by interface: getifaddrs.
  std::function<std::vector<std::pair<std::string, std::string>>()> addresses;
  std::function<std::vector<Card>(std::vector<std::string>& apart)> cards;  ///< CUDA's driver and NVML
  std::function<unsigned()> user;                                           ///< geteuid
};
Calls system_calls();

struct Machine {
  Path root = "/";
  Environment environment;
  Calls calls;
  std::string host;

  Path at(const std::string& path) const { return root / Path(path).relative_path(); }
  std::string variable(const std::string& name) const { return environment(name).value_or(""); }
};
/// This one.
Machine this_machine();

/// Runs `work` on a thread of its own. Nothing when it is not done in time: the thread is left behind, as a file system
/// that does not answer cannot be interrupted. Failures of `work` are thrown here.
template <class T>
std::optional<T> within(std::chrono::milliseconds limit, std::function<T()> work) {
  auto task = std::make_shared<std::packaged_task<T()>>(std::move(work));
  auto result = task->get_future();
  std::thread([task] { (*task)(); }).detach();
  if (result.wait_for(limit) != std::future_status::ready) return {};
  return result.get();
}

}  // namespace facemae
