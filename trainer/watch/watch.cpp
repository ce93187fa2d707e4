#include "trainer/watch/watch.h"

#include <algorithm>
#include <set>
#include <thread>

#include "checkpoint/history/fences.h"
#include "cluster/host/call_limit.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr auto kLastWords = std::chrono::seconds(10);  ///< for files on a disk that may not answer

PhaseLimits limits_of(const RunConfig& config, int ranks) {
  const Seconds longest(config.peer_deadline);
  // Alone, nobody waits: a slow machine is no reason to end.
  const Seconds step = ranks > 1 && config.hang_limit > 0 ? Seconds(config.hang_limit) : longest;
  return {.step = step, .others = longest};
}

/// Those without a report may be dead through no fault of theirs, as when a launcher ends a job; those with one are slow.
Blame blame_of(const Verdict& verdict, const std::vector<std::string>& hosts) {
  Blame blame{.hosts = {}, .evidence = verdict.missing.empty() ? "hang" : "peer"};
  for (const int rank : verdict.ranks)
    if (const auto r = static_cast<std::size_t>(rank); r < hosts.size()) blame.hosts.push_back(hosts[r]);
  std::sort(blame.hosts.begin(), blame.hosts.end());
  blame.hosts.erase(std::unique(blame.hosts.begin(), blame.hosts.end()), blame.hosts.end());
  const std::set<std::string> all(hosts.begin(), hosts.end());
  if (blame.hosts.size() == all.size()) blame.hosts.clear();  // that says nothing of any of them
  return blame;
}

void wait_for_a_word(const RunFolder& run, std::uint32_t start, std::chrono::milliseconds patience) noexcept {
  using Clock = std::chrono::steady_clock;
  try {
    for (const auto end = Clock::now() + patience; Clock::now() < end && !run.left_a_word(start);)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  } catch (const std::exception& error) {
    spdlog::warn("could not see whether the outcome is written: {}", error.what());
  }
}

}  // namespace

std::uint64_t newest_committed(const RunFolder& run) {
  const Path checkpoints = run.path() / "checkpoints";
  const auto folders = list_checkpoints(checkpoints);
  const Lineage lineage = read_lineage(checkpoints, folders);
  for (const auto& folder : folders)
    if (folder.committed && lineage.counts(folder.id)) return folder.id.step;
  return 0;
}

std::unique_ptr<Watchdog> watch(World& world, RunFolder& run, const RunConfig& config, std::uint32_t start,
                                const std::vector<std::string>& hosts) {
  const int rank = world.topology().rank, ranks = world.topology().size;
  return std::make_unique<Watchdog>(
      WatchdogConfig{.rank = rank,
                     .world = ranks,
                     .folder = run.path() / "hang" / fmt::format("{:08}", start),
                     .limits = limits_of(config, ranks)},
      world.operations(), real_files(), [&world, &run, start, rank, hosts](const Verdict& verdict) {
        const CallLimit telling(kLastWords, [&world] { world.die(static_cast<int>(ExitCode::PeerLost)); });
        note_lost_peer(run, {.start = start}, verdict, rank, hosts);
        world.die(static_cast<int>(ExitCode::PeerLost));
      });
}

void note_lost_peer(RunFolder& run, Outcome outcome, const Verdict& verdict, int rank,
                    const std::vector<std::string>& hosts, std::chrono::milliseconds patience) noexcept {
  outcome.code = ExitCode::PeerLost;
  outcome.kind = "PeerLost";
  outcome.reason = verdict.text;
  outcome.blame = blame_of(verdict, hosts);
  run.write_exit(outcome, rank);
  if (!verdict.tells) return wait_for_a_word(run, outcome.start, patience);
  spdlog::error("the job hangs: {}", verdict.text);
  try {
    const auto there = run.read_outcome();
    if (there && (there->start != outcome.start || there->code != ExitCode::PeerLost)) return;
    outcome.step = newest_committed(run);
    run.write_outcome(outcome);
  } catch (const std::exception& error) {
    spdlog::error("could not write the outcome: {}", error.what());
  }
}

}  // namespace facemae
