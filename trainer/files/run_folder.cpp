#include "trainer/files/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/clock.h"
#include "core/files/owner_files.h"
#include "core/host.h"
#include "core/log.h"
#include "trainer/files/lenient_json.h"

namespace facemae {
namespace {

std::string to_text(const Outcome& outcome) {
  nlohmann::ordered_json json = {{"start", outcome.start}, {"code", static_cast<int>(outcome.code)},
                                 {"kind", outcome.kind},   {"step", outcome.step},
                                 {"first", outcome.first}, {"reached", outcome.reached},
                                 {"asked", outcome.asked}};
  if (outcome.save_seconds > 0) json["save_seconds"] = outcome.save_seconds;
  if (!outcome.blame.hosts.empty()) {
    json["hosts"] = outcome.blame.hosts;
    json["evidence"] = outcome.blame.evidence;
  }
  json["reason"] = outcome.reason;  // the last: its text may hold what looks like another key
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::optional<Outcome> outcome_in(const Path& path) {
  std::string text;
  try {
    text = read_plain_file(path);
  } catch (const FileError&) {
    return std::nullopt;
  }
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Blame blame{.hosts = {}, .evidence = value_or(json, "evidence", std::string())};
  if (const auto hosts = json.find("hosts"); hosts != json.end() && hosts->is_array())
    for (const auto& host : *hosts)
      if (host.is_string()) blame.hosts.push_back(host.get<std::string>());
  return Outcome{.start = value_or(json, "start", 0u),
                 .code = static_cast<ExitCode>(value_or(json, "code", 1)),
                 .kind = value_or(json, "kind", std::string()),
                 .reason = value_or(json, "reason", std::string()),
                 .step = value_or(json, "step", std::uint64_t{0}),
                 .first = value_or(json, "first", std::uint64_t{0}),
                 .reached = value_or(json, "reached", std::uint64_t{0}),
                 .save_seconds = value_or(json, "save_seconds", 0.0),
                 .asked = json.contains("asked") && json["asked"] == true,
                 .blame = std::move(blame)};
}

Outcome without_a_word(std::uint32_t start) {
  return {.start = start,
          .code = ExitCode::PeerLost,
          .kind = "PeerLost",
          .reason = "ended without a message: a rank, a node or the launcher was lost"};
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

int idle_starts(const std::vector<Outcome>& oldest_first) {
  int idle = 0;
  for (std::size_t i = oldest_first.size(); i-- > 0;) {
    const Outcome& outcome = oldest_first[i];
    const bool own_error = outcome.code != ExitCode::Done && outcome.code != ExitCode::Stopped &&
                           outcome.code != ExitCode::PeerLost;
    if (own_error && outcome.reached <= outcome.first) continue;
    if (!own_error || outcome.step > outcome.first) break;
    ++idle;
  }
  return idle;
}

void RunFolder::refuse_a_file() const {
  std::error_code error;
  const auto there = std::filesystem::status(run_, error);
  if (std::filesystem::exists(there) ? !std::filesystem::is_directory(there)
                                     : error && error != std::errc::no_such_file_or_directory)
    throw ConfigError("--run " + run_.string() +
                      ": a file is in the way, or permission to read it is missing (" +
                      (error ? error : std::make_error_code(std::errc::not_a_directory)).message() +
                      "); choose another folder");
}

Fence RunFolder::begin_start(int world, bool fresh) {
  const Path checkpoints = run_ / "checkpoints";
  make_folders(files_, run_);
  make_folders(owner_files(), samples());  // its pictures show real faces
  std::error_code not_ours;                // what an older version made; the pictures are closed, too
  std::filesystem::permissions(samples(), std::filesystem::perms::owner_all, not_ours);
  std::uint32_t least = 0;
  const std::string aside = "checkpoints.before-";  // what an earlier --fresh moved: its start came after
  for (const auto& entry : std::filesystem::directory_iterator(run_))
    if (const std::string name = entry.path().filename(); name.starts_with(aside))
      least =
          std::max(least, static_cast<std::uint32_t>(std::strtoul(name.c_str() + aside.size(), nullptr, 10)));
  const Fences before = read_fences(checkpoints);
  if (fresh && (!before.empty() || has_history(checkpoints, list_checkpoints(checkpoints)))) {
    least = std::max(least, before.empty() ? 1 : before.rbegin()->first + 1);
    files_.rename(checkpoints, run_ / fmt::format("{}{:08}", aside, least));
    for (const Path& lines : {metrics(), evaluations()})
      if (std::filesystem::exists(lines))
        files_.rename(lines, run_ / fmt::format("{}.before-{:08}.jsonl", lines.stem().string(), least));
  }
  Fence fence{.world = world,
              .host = host_name(),
              .job = environment("SLURM_JOB_ID"),
              .restart = environment("SLURM_RESTART_COUNT"),
              .pid = ::getpid(),
              .time = utc_text(epoch_seconds())};
  claim_start(files_, checkpoints, least, fence);
  put_outcome(without_a_word(fence.start));
  return fence;
}

void RunFolder::decide(Fence& fence, std::optional<CheckpointId> resumed) {
  fence.decided = true;
  fence.resumed = resumed;
  decide_start(files_, run_ / "checkpoints", fence);
}

void RunFolder::write_config(const std::string& text) { write_durably(files_, run_ / "config.txt", text); }

void RunFolder::cut_back(std::uint64_t step) {
  for (const Path& path : {metrics(), evaluations()}) {
    if (!std::filesystem::exists(path)) continue;
    std::istringstream in(read_plain_file(path));
    std::string kept;
    for (std::string line; std::getline(in, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (value_or(json, "step", step + 1) <= step) kept += line + "\n";
    }
    write_durably(files_, path, kept);
  }
}

void RunFolder::write_outcome(const Outcome& outcome) {
  put_outcome(outcome);
  const Path folder = run_ / "exits" / fmt::format("{:08}", outcome.start);
  make_folders(files_, folder);
  write_durably(files_, folder / "outcome.json", to_text(outcome));
}

void RunFolder::put_outcome(const Outcome& outcome) {
  // A temporary name of our own: several failing ranks may write at once.
  const Path temporary = run_ / fmt::format("outcome.json.{}.{}.tmp", host_name(), ::getpid());
  auto out = files_.create(temporary);
  out->write(bytes_of(to_text(outcome)));
  out->sync();
  out->close();
  files_.rename(temporary, run_ / "outcome.json");
  files_.sync_folder(run_);
}

std::optional<Outcome> RunFolder::read_outcome() const { return outcome_in(run_ / "outcome.json"); }

bool RunFolder::left_a_word(std::uint32_t start) const {
  const auto newest = read_outcome();
  return (newest && newest->start != start) ||
         outcome_in(run_ / "exits" / fmt::format("{:08}", start) / "outcome.json");
}

std::vector<Outcome> RunFolder::outcomes() const {
  std::vector<Outcome> all;
  for (const auto& [start, fence] : read_fences(run_ / "checkpoints"))
    all.push_back(outcome_in(run_ / "exits" / fmt::format("{:08}", start) / "outcome.json")
                      .value_or(without_a_word(start)));
  return all;
}

void RunFolder::write_exit(const Outcome& outcome, int rank) noexcept {
  try {
    const Path folder = run_ / "exits" / fmt::format("{:08}", outcome.start);
    make_folders(files_, folder);
    write_durably(files_, folder / fmt::format("rank{}.json", rank), to_text(outcome));
  } catch (const std::exception& error) {
    spdlog::warn("could not record how this rank ended: {}", error.what());
  }
}

}  // namespace facemae
