#pragma once
// The watchdog of one start of a run: its limits from the configuration, and what it does when the job hangs.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/hang/watchdog.h"
#include "cluster/world/world.h"
#include "trainer/config/run_config.h"
#include "trainer/files/run_folder.h"

namespace facemae {

/// All ranks. When it finds the job hanging, it notes the outcome and ends this process by World::die(75).
/// `world` and `run` must outlive it. hosts[r]: of rank r.
std::unique_ptr<Watchdog> watch(World& world, RunFolder& run, const RunConfig& config, std::uint32_t start,
                                const std::vector<std::string>& hosts);

/// The newest committed step that a start of the run would go on from.
std::uint64_t newest_committed(const RunFolder& run);

/// Notes a lost peer in RUN/exits/, and, on the rank that tells, in the log and in RUN/outcome.json: unless a
/// newer start or a better reason is there already. On the other ranks it returns when that is done, or after `patience`:
/// the launcher kills all ranks when the first one ends.
void note_lost_peer(RunFolder& run, Outcome outcome, const Verdict& verdict, int rank,
                    const std::vector<std::string>& hosts,
                    std::chrono::milliseconds patience = std::chrono::seconds(5)) noexcept;

}  // namespace facemae
