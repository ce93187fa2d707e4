#pragma once
// The examination of all nodes: every rank fills its facts, rank 0 gathers them and knows who did not answer.

#include <chrono>
#include <functional>
#include <string>

#include "cluster/doctor/checks.h"
#include "cluster/facts/machine.h"
#include "cluster/host/control.h"

namespace facemae {

/// What is examined beside the machine itself; "" for folders that were not named.
struct Subjects {
  std::string run, store, local;
  bool quick = false;
  std::function<void(Facts&)> look_at_devices;  ///< what only LibTorch knows; may load its libraries first
  std::function<StorePlace()> look_at_store;    ///< without a store it is not called
  std::function<RunPlace()> look_at_run;
};

/// Of a single wait: for probes of one kind, for a file of another node, for an answer.
struct Patience {
  std::chrono::milliseconds probe{10'000}, seen{30'000}, answer{15'000};
  static Patience of(bool quick);
};

/// Fills what one rank finds by itself; `facts` has its place, MPI and versions already.
void fill_facts(const Machine& machine, const Subjects& subjects, const Patience& patience, Facts& facts);

/// All ranks, same order. Rank 0 gets everybody's facts; the others nothing. When somebody is absent, rank 0 returns at
/// once and the others wait for it to end them. Throws PeerLost when MPI itself does not go on.
Gathered examine(Control& control, const Machine& machine, const Subjects& subjects, const Patience& patience,
                 Facts facts);

}  // namespace facemae
