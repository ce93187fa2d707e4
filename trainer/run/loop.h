#pragma once
// The training loop: a line in it is an event in a run's life.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/hang/watchdog.h"
#include "cluster/host/control.h"
#include "data/loader/loader.h"
#include "trainer/config/schedule.h"
#include "trainer/exact/slot_gradients.h"
#include "trainer/run/observer.h"
#include "trainer/run/run_state.h"
#include "trainer/run/saves.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/task.h"

namespace facemae {

struct LoopParts {
  Task& task;
  std::function<Faces()> next_faces;               ///< this rank's next micro-batch
  std::function<LoaderFigures()> data;             ///< since the last call
  std::function<bool()> shard_failed;              ///< on this rank, since the ranks last agreed
  std::function<void(std::uint64_t)> quarantine;   ///< all ranks: what failed, from the step after this on
  std::function<std::vector<Faces>()> next_slots;  ///< for --exact, in place of next_faces
  GradientBuckets& gradients;
  SlotGradients* by_slot = nullptr;  ///< of --exact
  Optimizer& optimizer;
  Control& control;
  Observer& observer;
  Watchdog& watchdog;
  std::function<void(std::uint64_t)> evaluate;  ///< measures the step done on data kept apart
  /// All ranks, after each step: compares what they must have alike, when it is due or a save follows.
  std::function<void(std::uint64_t, bool)> check_replicas;
  Saves& saves;
  std::function<bool()> out_of_time;  ///< asked on rank 0, once a step
  std::uint64_t& reached;             ///< kept at the steps done
  Schedule schedule;
  RunState& state;
  std::uint64_t batch = 1, evaluate_every = 0;
  int micro_batches = 1, max_skips = 10;
  double clip = 0;
  std::optional<std::uint64_t> stop_after;
};

struct LoopEnd {
  std::uint64_t step = 0;  ///< steps done
  bool stopped = false;    ///< before the last step
  std::string reason;
};

/// Runs steps [first, last). All ranks. A step that was skipped is never saved: whether the weights before it
/// are any good is told by the next finite step alone. Throws PeerLost, DataError (a bad image), AgreedError
/// ("Diverged": more skips in a row than allowed, or the last steps of the run were skipped).
LoopEnd train(LoopParts& parts, std::uint64_t first, std::uint64_t last);

}  // namespace facemae
