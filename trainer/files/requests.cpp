#include "trainer/files/requests.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "core/clock.h"
#include "core/error.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr const char* kEndTime = "end_time";

std::string user_name() {
  passwd entry{}, *found = nullptr;
  std::array<char, 4096> space{};
  if (::getpwuid_r(::getuid(), &entry, space.data(), space.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return std::to_string(::getuid());
}

/// The first line, or nothing where there is no such file or it cannot be read now.
std::optional<std::string> first_line(const Path& path) noexcept {
  try {
    const std::string text = read_plain_file(path);
    return text.substr(0, text.find('\n'));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Path file_of(const Path& run, Request request) { return run / (request == Request::Stop ? "stop" : "save"); }

void ask(FileSystem& files, const Path& run, Request request) {
  write_durably(files, file_of(run, request),
                fmt::format("{} {}@{}\n", utc_text(epoch_seconds()), user_name(), host_name()));
}

std::optional<std::string> asked(const Path& run, Request request) noexcept {
  return first_line(file_of(run, request));
}

std::optional<std::int64_t> end_of_job(const Path& run) noexcept {
  const auto line = first_line(run / kEndTime);
  if (!line || line->empty() || line->size() > 12 ||
      line->find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::strtoll(line->c_str(), nullptr, 10);
}

void begin_requests(FileSystem& files, const Path& run, bool supervised) {
  if (supervised) return;
  for (const Path& path : {file_of(run, Request::Stop), file_of(run, Request::Save), run / kEndTime}) {
    const auto line = first_line(path);
    if (!line) continue;
    if (path.filename() != kEndTime)
      spdlog::info("{} ({}) is over: this start was made by hand", path.string(), *line);
    files.remove(path);
  }
}

bool started_by_supervisor() {
  const char* value =
      std::getenv("FACEMAE_SUPERVISED");  // NOLINT(concurrency-mt-unsafe): read at start-up only
  return value != nullptr && std::string(value) == "yes";
}

}  // namespace facemae
