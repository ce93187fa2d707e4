#include "trainer/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/host.h"
#include "core/log.h"

namespace facemae {
namespace {

std::string to_text(const Outcome& outcome) {
  const nlohmann::ordered_json json = {{"start", outcome.start},
                                       {"code", static_cast<int>(outcome.code)},
                                       {"kind", outcome.kind},
                                       {"step", outcome.step},
                                       {"reason", outcome.reason}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::uint32_t RunFolder::begin_start(int world, bool fresh) {
  const Path fence = run_ / "checkpoints" / "fence";
  make_folders(files_, fence);
  make_folders(files_, samples());
  std::uint32_t start = 0;
  const auto beyond = [&start](const std::string& number, std::uint32_t next) {
    start = std::max(start, static_cast<std::uint32_t>(std::strtoul(number.c_str(), nullptr, 10)) + next);
  };
  for (const auto& entry : std::filesystem::directory_iterator(fence)) beyond(entry.path().filename(), 1);
  const std::string aside = "checkpoints.before-";  // what an earlier --fresh moved: its start came after
  for (const auto& entry : std::filesystem::directory_iterator(run_))
    if (const std::string name = entry.path().filename(); name.starts_with(aside))
      beyond(name.substr(aside.size()), 0);
  if (fresh && start > 0 && !std::filesystem::is_empty(fence)) {
    files_.rename(run_ / "checkpoints", run_ / fmt::format("{}{:08}", aside, start));
    for (const Path& lines : {metrics(), evaluations()})
      if (std::filesystem::exists(lines))
        files_.rename(lines, run_ / fmt::format("{}.before-{:08}.jsonl", lines.stem().string(), start));
    make_folders(files_, fence);
  }
  for (;; ++start) {
    const Path token = run_ / "checkpoints" / "fence" / fmt::format("{:08}", start);
    const int descriptor = ::open(token.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0)
      throw FileError("claiming a start in " + token.string() + ": " + std::strerror(errno), errno);
    ::close(descriptor);
    const nlohmann::ordered_json json = {{"start", start},
                                         {"world", world},
                                         {"host", host_name()},
                                         {"pid", ::getpid()},
                                         {"job", environment("SLURM_JOB_ID")},
                                         {"restart", environment("SLURM_RESTART_COUNT")}};
    auto out = files_.create(token);
    out->write(bytes_of(json.dump() + "\n"));
    out->sync();
    out->close();
    files_.sync_folder(token.parent_path());
    write_outcome({.start = start,
                   .code = ExitCode::PeerLost,
                   .kind = "PeerLost",
                   .reason = "ended without a last word: a rank, a node or the launcher was lost"});
    return start;
  }
}

void RunFolder::write_config(const std::string& text) { write_durably(files_, run_ / "config.txt", text); }

void RunFolder::cut_back(std::uint64_t step) {
  for (const Path& path : {metrics(), evaluations()}) {
    std::ifstream in(path);
    if (!in) continue;
    std::string kept;
    for (std::string line; std::getline(in, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (json.is_object() && json.value("step", step + 1) <= step) kept += line + "\n";
    }
    write_durably(files_, path, kept);
  }
}

void RunFolder::write_outcome(const Outcome& outcome) {
  // A temporary name of our own: several failing ranks may write at once.
  const Path temporary = run_ / fmt::format("outcome.json.{}.{}.tmp", host_name(), ::getpid());
  auto out = files_.create(temporary);
  out->write(bytes_of(to_text(outcome)));
  out->sync();
  out->close();
  files_.rename(temporary, run_ / "outcome.json");
  files_.sync_folder(run_);
}

std::optional<Outcome> RunFolder::read_outcome() const {
  std::ifstream in(run_ / "outcome.json");
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return Outcome{.start = json.value("start", 0u),
                 .code = static_cast<ExitCode>(json.value("code", 1)),
                 .kind = json.value("kind", ""),
                 .reason = json.value("reason", ""),
                 .step = json.value("step", std::uint64_t{0})};
}

void RunFolder::write_exit(const Outcome& outcome, int rank) noexcept {
  try {
    const Path folder = run_ / "exits" / fmt::format("{:08}", outcome.start);
    make_folders(files_, folder);
    write_durably(files_, folder / fmt::format("rank{}.json", rank), to_text(outcome));
  } catch (const std::exception& error) {
    spdlog::warn("could not note how this rank ended: {}", error.what());
  }
}

}  // namespace facemae
