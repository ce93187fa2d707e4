#include "checkpoint/history/fences.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "checkpoint/format/patient_read.h"
#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

Path fence_path(const Path& checkpoints, std::uint32_t start) {
  return checkpoints / "fence" / fmt::format("{:08}", start);
}

std::optional<std::uint32_t> start_of(const std::string& name) {
  std::uint32_t start = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), start);
  if (error != std::errc() || end != name.data() + name.size() || name.size() < 8) return {};
  return start;
}

std::vector<std::uint32_t> claimed_starts(const Path& checkpoints) {
  std::vector<std::uint32_t> starts;
  std::error_code error;
  std::filesystem::directory_iterator entries(checkpoints / "fence", error);
  if (error == std::errc::no_such_file_or_directory) return starts;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
    if (const auto start = start_of(entries->path().filename().string())) starts.push_back(*start);
  if (error)
    throw FileError("listing " + (checkpoints / "fence").string() + ": " + error.message(), error.value());
  return starts;
}

/// The oldest commits of a start are the first to be removed, so those that are left may no longer tell.
std::optional<Lineage::Origin> origin_of(const std::vector<CheckpointFolder>& folders, std::uint32_t start) {
  std::optional<Lineage::Origin> origin;
  for (std::size_t i = folders.size(); i-- > 0;) {  // oldest first
    if (!folders[i].committed || folders[i].id.start != start) continue;
    try {
      const auto parent = parse_manifest(valid_manifest_bytes(folders[i].path)).parent;
      return Lineage::Origin{.known = !parent || parent->start < start, .resumed = parent};
    } catch (const CheckpointError&) {  // the next one may tell
      origin = Lineage::Origin{};
    }
  }
  return origin;
}

}  // namespace

std::string serialise(const Fence& fence) {
  const nlohmann::ordered_json json = {{"start", fence.start},
                                       {"world", fence.world},
                                       {"host", fence.host},
                                       {"pid", fence.pid},
                                       {"job", fence.job},
                                       {"restart", fence.restart},
                                       {"time", fence.time},
                                       {"decided", fence.decided},
                                       {"resumed", fence.resumed ? folder_name(*fence.resumed) : ""}};
  const std::string line = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return line + fmt::format("{:08x}\n", crc32c(bytes_of(line)));
}

Fence parse_fence(const std::string& text) {
  const auto end = text.find('\n');
  if (end == std::string::npos ||
      text.substr(end + 1) != fmt::format("{:08x}\n", crc32c(bytes_of(text.substr(0, end + 1)))))
    throw CheckpointError("a fence is torn or damaged: its checksum is wrong");
  const auto json = nlohmann::json::parse(text.substr(0, end), nullptr, false);
  if (!json.is_object()) throw CheckpointError("a fence is not a JSON object");
  try {
    const std::string resumed = json.at("resumed");
    Fence fence{.start = json.at("start"),
                .world = json.at("world"),
                .host = json.at("host"),
                .job = json.at("job"),
                .restart = json.at("restart"),
                .pid = json.at("pid"),
                .time = json.at("time"),
                .decided = json.at("decided"),
                .resumed = parse_folder_name(resumed)};
    if (!resumed.empty() && !fence.resumed)
      throw CheckpointError("a fence names \"" + resumed + "\", which is not a checkpoint");
    return fence;
  } catch (const nlohmann::json::exception& error) {
    throw CheckpointError(std::string("a fence lacks a field: ") + error.what());
  }
}

Fences read_fences(const Path& checkpoints) {
  Fences fences;
  for (const std::uint32_t start : claimed_starts(checkpoints)) {
    auto& fence = fences[start];
    try {
      patiently([&] { fence = parse_fence(read_plain_file(fence_path(checkpoints, start))); });
      if (fence->start != start) fence.reset();
    } catch (const CheckpointError&) {
      fence.reset();
    }
  }
  return fences;
}

void claim_start(FileSystem& files, const Path& checkpoints, std::uint32_t least, Fence& fence) {
  make_folders(files, checkpoints / "fence");
  fence.start = least;
  for (const std::uint32_t start : claimed_starts(checkpoints))
    fence.start = std::max(fence.start, start + 1);
  for (;; ++fence.start) {
    const Path path = fence_path(checkpoints, fence.start);
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0)
      throw FileError("claiming a start in " + path.string() + ": " + std::strerror(errno), errno);
    ::close(descriptor);
    break;
  }
  write_whole(files, fence_path(checkpoints, fence.start),
              serialise(fence));  // if it is torn, it has not decided either
}

void decide_start(FileSystem& files, const Path& checkpoints, const Fence& fence) {
  write_durably(files, fence_path(checkpoints, fence.start), serialise(fence));
}

bool superseded(const Path& checkpoints, std::uint32_t start) {
  const auto starts = claimed_starts(checkpoints);
  return std::any_of(starts.begin(), starts.end(), [start](std::uint32_t other) { return other > start; });
}

Lineage::Lineage(const Fences& fences, const OriginOf& origin_of) {
  const auto origin = [&](std::uint32_t start) -> std::optional<Origin> {
    const auto fence = fences.find(start);
    if (fence == fences.end() || !fence->second) return origin_of(start);
    if (!fence->second->decided) return {};  // it has no commits that could count
    return Origin{.known = true, .resumed = fence->second->resumed};
  };
  auto newest = fences.rbegin();
  while (newest != fences.rend() && !origin(newest->first)) ++newest;
  if (newest == fences.rend()) {
    all_below_ = std::numeric_limits<std::uint32_t>::max();
    return;
  }
  last_step_[newest->first] = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t start = newest->first;;) {
    const auto from = origin(start);
    if (!from || !from->known) all_below_ = start;  // better an abandoned branch than none
    if (!from || !from->known || !from->resumed || from->resumed->start >= start) return;
    start = from->resumed->start;
    last_step_[start] = from->resumed->step;
  }
}

bool Lineage::counts(CheckpointId id) const {
  if (id.start < all_below_) return true;
  const auto last = last_step_.find(id.start);
  return last != last_step_.end() && id.step <= last->second;
}

Lineage read_lineage(const Path& checkpoints, const std::vector<CheckpointFolder>& folders) {
  return {read_fences(checkpoints), [&](std::uint32_t start) { return origin_of(folders, start); }};
}

}  // namespace facemae
