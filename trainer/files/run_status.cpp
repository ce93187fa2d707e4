#include "trainer/files/run_status.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "checkpoint/history/catalogue.h"
#include "checkpoint/tensors/weights.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files/folder_lock.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/files/lenient_json.h"

namespace facemae {
namespace {

/// The last whole line of a JSONL file, or nothing.
nlohmann::json last_line(const Path& path) {
  std::string tail;
  try {
    constexpr std::uint64_t kTail = 1 << 16;
    const InputFile file(path);
    const std::uint64_t bytes = file.size(), from = bytes - std::min(bytes, kTail);
    tail.resize(static_cast<std::size_t>(bytes - from));
    file.read_at(from, std::as_writable_bytes(std::span(tail)));
  } catch (const FileError& error) {
    if (error.code() != ENOENT) spdlog::warn("{}", error.what());
    return {};
  }
  nlohmann::json last;
  std::istringstream lines(tail);
  for (std::string line; std::getline(lines, line);)
    if (auto json = nlohmann::json::parse(line, nullptr, false); json.is_object()) last = std::move(json);
  return last;
}

std::int64_t changed(const Path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_mtime) : 0;
}

/// Steps of the whole run: --steps, or --epochs by what the log says of an epoch's length.
std::uint64_t total_steps(const std::string& config, const nlohmann::json& line) {
  const std::string steps = config_value(config, "steps"), epochs = config_value(config, "epochs");
  if (!steps.empty()) return std::strtoull(steps.c_str(), nullptr, 10);
  const double epoch = value_or(line, "epoch", 0.0), step = value_or(line, "step", 0.0);
  const double total = std::ceil(std::strtod(epochs.c_str(), nullptr) * step / epoch);
  return total > 0 && total < 1e18 ? static_cast<std::uint64_t>(total) : 0;  // else it makes no sense
}

std::string state_of(const RunStatus& status) {
  if (status.starts.empty()) return "new";
  const auto& last = status.starts.back();
  if (last.alive) return "running";
  switch (last.outcome.code) {
    case ExitCode::Done:
      return "done";
    case ExitCode::Stopped:
      return "stopped";
    case ExitCode::PeerLost:
      return "lost";
    default:
      return "failed";
  }
}

std::string ago(std::int64_t then, std::int64_t now) {
  return human_seconds(static_cast<double>(std::max<std::int64_t>(0, now - then))) + " ago";
}

}  // namespace

RunStatus status_of(const Path& run) {
  expect_run(run);
  RunStatus status{.run = run.string(), .state = {}, .starts = {}, .supervision = {}};
  const auto outcomes = RunFolder(run).outcomes();
  const Fences fences = read_fences(run / "checkpoints");
  for (const auto& outcome : outcomes)
    status.starts.push_back({.start = outcome.start, .fence = fences.at(outcome.start), .outcome = outcome});
  if (!status.starts.empty()) status.starts.back().alive = FolderLock::held(run / "lock");
  status.state = state_of(status);
  status.supervision = supervision_of(run, epoch_seconds());

  const auto line = last_line(run / "metrics.jsonl");
  if (line.is_object()) {
    status.step = value_or(line, "step", std::uint64_t{0});
    status.images_per_second = value_or(line, "images_per_second", 0.0);
    status.has_loss = line.contains("loss");  // null when it was not finite, which JSON cannot say
    status.loss = value_or(line, "loss", std::numeric_limits<double>::quiet_NaN());
    status.logged_at = changed(run / "metrics.jsonl");
  }
  const auto evaluated = last_line(run / "evaluations.jsonl");
  status.accuracy = value_or(evaluated, "accuracy", std::numeric_limits<double>::quiet_NaN());
  status.has_accuracy = std::isfinite(status.accuracy);
  for (const auto& facts : catalogue(run)) {
    if (facts.state != "valid") continue;
    status.committed_step = facts.folder.id.step;
    status.committed_at = facts.time;
    break;
  }
  status.step = std::max(status.step, status.committed_step);
  std::string config;
  try {
    config = read_plain_file(run / "config.txt");
  } catch (const FileError& error) {
    if (error.code() != ENOENT) spdlog::warn("{}", error.what());
  }
  status.total = total_steps(config, line);
  const double batch = std::strtod(config_value(config, "batch", "0").c_str(), nullptr);
  if (status.total > status.step && status.images_per_second > 0 && std::isfinite(batch))
    status.seconds_left = static_cast<double>(status.total - status.step) * batch / status.images_per_second;
  return status;
}

std::string describe(const RunStatus& status, std::int64_t now) {
  std::string text = fmt::format("{}: {}", status.run, status.state);
  if (status.state == "running") {
    const auto& fence = status.starts.back().fence;
    if (fence)
      text += fmt::format(" on {} rank(s), {}{}", fence->world, fence->host,
                          fence->job.empty() ? "" : ", job " + fence->job);
  }
  text += fmt::format("\n  step         {}{}", human_count(status.step),
                      status.total == 0 ? ""
                                        : fmt::format(" of {} ({:.1f} %)", human_count(status.total),
                                                      100.0 * static_cast<double>(status.step) /
                                                          static_cast<double>(status.total)));
  if (status.logged_at > 0)
    text += fmt::format(
        "\n  last figures {}: {:.4g} images/s{}{}", ago(status.logged_at, now), status.images_per_second,
        !status.has_loss             ? ""
        : std::isfinite(status.loss) ? fmt::format(", loss {:.4g}", status.loss)
                                     : std::string(", loss not finite (the run ends when it stays so)"),
        status.has_accuracy ? fmt::format(", accuracy {:.2f} %", 100 * status.accuracy) : "");
  if (status.seconds_left > 0)
    text += "\n  time left    " + human_seconds(status.seconds_left) + " at this rate";
  text += status.committed_at == 0
              ? "\n  last commit  none"
              : fmt::format("\n  last commit  step {}, {}", human_count(status.committed_step),
                            ago(status.committed_at, now));
  text += describe(status.supervision, now);
  text += "\n  starts       " + std::to_string(status.starts.size());
  for (const auto& start : status.starts) {
    const auto& fence = start.fence;
    text += fmt::format("\n    {:>3}  {}  {:>3} rank(s)  from {:<16}  ", start.start,
                        fence ? fence->time : "?", fence ? std::to_string(fence->world) : "?",
                        !fence || !fence->decided ? "?"
                        : fence->resumed          ? folder_name(*fence->resumed)
                                                  : "the beginning");
    text += start.alive ? "running"
                        : fmt::format("{} ({}): {}", start.outcome.kind, static_cast<int>(start.outcome.code),
                                      start.outcome.reason);
  }
  return text + "\n";
}

nlohmann::ordered_json to_json(const RunStatus& status) {
  nlohmann::ordered_json json = {{"run", status.run},
                                 {"state", status.state},
                                 {"step", status.step},
                                 {"total", status.total},
                                 {"images_per_second", status.images_per_second},
                                 {"seconds_left", status.seconds_left},
                                 {"committed_step", status.committed_step},
                                 {"starts", nlohmann::ordered_json::array()}};
  if (status.has_loss) json["loss"] = status.loss;
  if (status.has_accuracy) json["accuracy"] = status.accuracy;
  if (status.committed_at > 0) json["committed_at"] = utc_text(status.committed_at);
  json["supervision"] = to_json(status.supervision);
  for (const auto& start : status.starts) {
    nlohmann::ordered_json entry = {{"start", start.start}, {"alive", start.alive}};
    if (start.fence) {
      entry["time"] = start.fence->time;
      entry["world"] = start.fence->world;
      entry["host"] = start.fence->host;
      entry["job"] = start.fence->job;
      entry["resumed"] = start.fence->resumed ? folder_name(*start.fence->resumed) : "";
    }
    if (!start.alive) {
      entry["code"] = static_cast<int>(start.outcome.code);
      entry["kind"] = start.outcome.kind;
      entry["reason"] = start.outcome.reason;
      entry["reached"] = start.outcome.reached;
      entry["committed"] = start.outcome.step;
    }
    json["starts"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace facemae
