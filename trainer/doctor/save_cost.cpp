#include "trainer/doctor/save_cost.h"

#include <spdlog/fmt/fmt.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <thread>

#include "checkpoint/tensors/store.h"
#include "cluster/host/agree.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/config/save_schedule.h"
#include "trainer/doctor/disk.h"
#include "trainer/doctor/percentile.h"
#include "trainer/doctor/share.h"

namespace facemae {
namespace {

constexpr double kDay = 86400;

/// A commit says so in the log; those of a measurement need not.
class QuietLog {
 public:
  QuietLog() { spdlog::set_level(std::max(level_, spdlog::level::warn)); }
  ~QuietLog() { spdlog::set_level(level_); }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  spdlog::level::level_enum level_ = spdlog::get_level();
};

/// Tensors of the device like weights and moments: only the optimizer changes them.
Snapshot state_of(std::int64_t bytes, const torch::Device& device) {
  Snapshot state{.config = "measure", .dataset_digest = "none", .model_hash = "measure"};
  constexpr std::int64_t tensors = 16;
  for (std::int64_t i = 0; i < tensors; ++i)
    state.replicated.push_back(
        {.name = fmt::format("state.{}", i),
         .value = torch::rand({std::max<std::int64_t>(1, bytes / 4 / tensors)}, torch::device(device)),
         .steady = true});
  return state;
}

/// One save as in training, where each step is a vote.
void save_once(Saver& saver, Snapshot& state, Control& control) {
  ++state.step;
  saver.begin(state, 1);
  saver.wait_copied();
  while (saver.in_flight()) {
    saver.advance(control.any_of(saver.busy() ? 1 : 0) != 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

SaveAdvice advice_on_saves(double p99, double stall) {
  const double between = std::max(daly_interval(std::max(0.001, stall), kDay), 2 * p99);
  return {.minutes = std::ceil(between / 60), .lead = std::ceil(1.5 * p99 + 60)};
}

std::vector<Measured> measure_saves(World& world, const Path& folder, std::uint64_t bytes,
                                    double bytes_per_second, double seconds) {
  Control& control = world.control();
  const double fits = bytes_per_second * seconds / 6;  // written, read back, written again, and room
  const auto saved = static_cast<std::int64_t>(std::min(static_cast<double>(bytes), std::max(fits, 1e6)));
  const double scale = static_cast<double>(bytes) / static_cast<double>(saved);
  std::optional<TemporaryTree> tree;
  together(control, [&] {
    if (control.is_root()) tree.emplace(folder);
  });
  const QuietLog quiet;
  const Path place = control.broadcast(tree ? tree->path().string() : "");
  CheckpointStore store(place, control, real_files());
  Saver& saver = store.saver();
  saver.keep({.last = 1});
  Snapshot state = state_of(saved, world.device());
  std::vector<double> times;
  Share share(control, seconds);
  for (double next = 0; times.size() < 5 && share.has(next);) {
    const Stopwatch watch;
    save_once(saver, state, control);
    times.push_back(scale * saver.figures().seconds);
    next = watch.seconds();
  }
  if (times.empty() || !control.is_root()) return {};
  const double stall = scale * saver.figures().stalled_seconds / static_cast<double>(times.size());
  const double longest = percentile(times, 0.99);
  const SaveAdvice advice = advice_on_saves(longest, stall);
  return {{.id = "save",
           .value = median(times),
           .unit = "s",
           .of = human_bytes(bytes) +
                 (scale > 1 ? ", reckoned from " + human_bytes(static_cast<std::uint64_t>(saved)) : ""),
           .text = fmt::format(
               "the longest of {}: {:.3g} s; suits --save-minutes {:.0f}, and a notice (Slurm: --signal) of "
               "{:.0f} s and the longest step",
               times.size(), longest, advice.minutes, advice.lead)}};
}

}  // namespace facemae
