#pragma once
// The training loop: one step after the other, each agreed on by all ranks.
#include <cstdint>
#include <string>

#include "cluster/hang/watchdog.h"
#include "cluster/host/control.h"
#include "trainer/classes/class_optimizer.h"
#include "trainer/config/run_clock.h"
#include "trainer/config/schedule.h"
#include "trainer/run/run_state.h"
#include "trainer/run/saves.h"
#include "trainer/run/vote.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/step.h"
#include "trainer/step/task.h"
#include "trainer/watch/observer.h"
#include "trainer/watch/replica_check.h"
#include "trainer/watch/request_watch.h"

namespace facemae {

/// How updates are made.
struct UpdateConfig {
  std::uint64_t batch = 1;
  int micro_batches = 1;
  double clip = 0;     ///< gradient norm; 0 does not clip
  int max_skips = 10;  ///< in a row
  Schedule schedule;
};

/// What the loop moves; all of it outlives the loop.
struct Wiring {
  Task& task;
  Supply& supply;
  GradientBuckets& gradients;
  GradientSums& sums;  ///< `gradients` itself, or what replaces its reduction
  Optimizer& optimizer;
  ClassOptimizer& class_optimizer;
  Control& control;
  Watchdog& watchdog;
  Observer& observer;
  Saves& saves;
  ReplicaCheck& replicas;
  RunClock& clock;  ///< asked on rank 0, once a step
  const RequestWatch& requests;
  RunState& state;
  std::uint64_t& reached;  ///< kept at the steps done
  bool late = false;       ///< hosts are told a step late how steps went (decisions.h): on accelerators
};

struct LoopEnd {
  std::uint64_t step = 0;  ///< steps done
  bool stopped = false;    ///< before the last step
  std::string reason;
};

/// All ranks. Throws PeerLost, DataError (a bad image), AgreedError ("Diverged": more skips in a row than allowed, or
/// the last steps of the run were skipped).
LoopEnd train(const Wiring& run, const UpdateConfig& update, const LoopPlan& plan);

}  // namespace facemae
