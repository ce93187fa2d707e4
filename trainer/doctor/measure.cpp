#include "trainer/doctor/measure.h"

#include <algorithm>
#include <cmath>

#include "cluster/host/gather.h"
#include "core/log.h"
#include "core/signals.h"
#include "trainer/doctor/compute.h"
#include "trainer/doctor/disk.h"
#include "trainer/doctor/network.h"
#include "trainer/doctor/save_cost.h"
#include "trainer/files/run_status.h"

namespace facemae {
namespace {

/// Bytes per second that all nodes write together, on all ranks: from what the disk was found to do.
double written_by_all(World& world, const std::vector<Measured>& found) {
  double rate = 0;
  for (const auto& figure : found)
    if (figure.id == "fs.write") rate = 1e6 * figure.value * world.topology().nodes;
  return broadcast(world.control(), rate);
}

/// Images per second that a rank of a run has trained on lately; 0 before it has begun.
double taken_by_rank(Control& control, const std::string& run) {
  double rate = 0;
  if (control.is_root() && !run.empty()) try {
      rate = status_of(run).images_per_second / control.size();
    } catch (const Error&) {  // no run yet
    }
  return rate;
}

}  // namespace

std::vector<Measured> measure_machine(World& world, const MeasureConfig& config) {
  const double share = config.seconds / 8;
  std::vector<Measured> all;
  const auto add = [&](const char* what, const auto& measure) {
    if (!world.control().all_agree(notice_received() == 0)) return;
    if (world.control().is_root()) spdlog::info("measuring {}", what);
    auto some = measure();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  };
  add("sums over ranks", [&] { return measure_reductions(world, share, config.fabric); });
  add("pairs of nodes", [&] { return measure_pairs(world, share, config.fabric); });
  add("votes", [&] { return measure_votes(world, share / 4); });
  add("matrix products", [&] { return measure_products(world, share); });
  if (!config.store.empty())
    add("loading", [&] {
      return measure_loading(world, config.store, taken_by_rank(world.control(), config.run), share);
    });
  if (!config.run.empty()) {
    add("the disk", [&] { return measure_disk(world, config.run, share); });
    add("saves", [&] {
      return measure_saves(world, config.run, broadcast(world.control(), config.state),
                           written_by_all(world, all), share);
    });
  }
  if (const int signal = notice_received(); signal != 0 && world.control().is_root())
    spdlog::warn("{} came: some figures are missing, and others are of less time than they need",
                 signal_name(signal));
  world.control().all_agree(true);  // every rank has removed what it wrote
  if (!world.control().is_root()) all.clear();
  return all;
}

}  // namespace facemae
