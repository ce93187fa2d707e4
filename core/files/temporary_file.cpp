#include "core/files/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/host.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::string_view kEnding = ".tmp";
constexpr std::size_t kRandomDigits = 16;

/// The parts of "a.h5.node3-4711-0123456789abcdef.tmp"; `process` is empty for any other name.
struct Parts {
  std::string_view final_and_host, process;
};
Parts parts_of(std::string_view name) {
  const auto all_of = [](std::string_view text, std::string_view set) {
    return !text.empty() && text.find_first_not_of(set) == text.npos;
  };
  if (!name.ends_with(kEnding)) return {};
  name.remove_suffix(kEnding.size());
  const auto random = name.rfind('-');
  if (random == name.npos || name.size() - random - 1 != kRandomDigits ||
      !all_of(name.substr(random + 1), "0123456789abcdef"))
    return {};
  name = name.substr(0, random);
  const auto process = name.rfind('-');
  if (process == name.npos || process == 0 || !all_of(name.substr(process + 1), "0123456789")) return {};
  if (name.substr(0, process).find('.') == name.npos) return {};
  return {name.substr(0, process), name.substr(process + 1)};
}

/// Does it belong to another process that is alive on this host?
bool is_in_use(const Parts& parts) {
  const long process = std::atol(std::string(parts.process).c_str());
  if (!parts.final_and_host.ends_with("." + host_name()) || process == ::getpid()) return false;
  return ::kill(static_cast<pid_t>(process), 0) == 0 || errno != ESRCH;
}

}  // namespace

Path own_temporary(const Path& path) {
  std::random_device random;
  const std::uint64_t number = (std::uint64_t{random()} << 32) | random();
  const std::string own = fmt::format(".{}-{}-{:016x}{}", host_name(), ::getpid(), number, kEnding);
  const std::string name = path.filename().string();  // of a length that leaves room
  return path.parent_path() / (name.substr(0, NAME_MAX - std::min<std::size_t>(own.size(), NAME_MAX)) + own);
}

bool is_temporary(const std::string& name) { return !parts_of(name).process.empty(); }

TemporaryFile::TemporaryFile(FileSystem& files, const Path& final)
    : files_(files), final_(final), path_(own_temporary(final)) {
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) throw FileError("creating " + path_.string() + ": " + std::strerror(errno), errno);
  ::close(descriptor);
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

void TemporaryFile::publish() {
  files_.rename(path_, final_);
  path_.clear();
  files_.sync_folder(final_.parent_path());
}

void remove_temporaries(const Path& folder, const std::string& name) {
  std::error_code unseen;
  std::vector<Path> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder, unseen)) {
    const std::string found = entry.path().filename().string();
    const Parts parts = parts_of(found);
    if (parts.process.empty() || is_in_use(parts)) continue;
    if (name.empty() || found.starts_with(name + ".")) left.push_back(entry.path());
  }
  for (const Path& path : left) {
    spdlog::info("removing {}, which a killed start left behind", path.string());
    std::filesystem::remove_all(path);
  }
}

}  // namespace facemae
