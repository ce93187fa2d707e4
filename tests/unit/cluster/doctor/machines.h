#pragma once
// Sets of facts as healthy machines have them, and faults planted into them.
#include <functional>
#include <string>
#include <vector>

#include "cluster/doctor/checks.h"

namespace facemae {

/// A machine on which a run would work, and the checks that warn there all the same.
struct HealthyMachine {
  const char* name;
  std::function<Gathered()> make;
  std::vector<std::string> warns;
};
std::vector<HealthyMachine> healthy_machines();

/// A fault in a healthy machine: one line of one check for these hosts, and nothing else.
struct PlantedFault {
  const char* name;
  std::string id;
  State state;
  std::vector<std::string> hosts;
  std::string text;  ///< part of what is said
  std::function<Gathered()> make;
};
std::vector<PlantedFault> planted_faults();

// Parts from which both are made.

/// `nodes` nodes n1, n2 ... with `ranks` ranks each, that have `cores` cores each to themselves; Open MPI under mpirun.
Gathered machine_of(int nodes, int ranks, int cores);
/// The first ranks of all nodes have a folder of this role there.
void put_folder(Gathered& all, const std::string& role, const std::string& path, const std::string& kind);
void put_store(Gathered& all, const std::string& kind, int shards = 100);
/// Each rank has a GPU of its own, with the CUDA of LibTorch.
void put_gpus(Gathered& all, const std::string& name, int capability, const std::string& driver, int cuda);
void put_fabric(Gathered& all, const std::string& device);
void put_slurm(Gathered& all, const std::string& version);

}  // namespace facemae
