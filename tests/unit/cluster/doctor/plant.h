#pragma once
// Machines that are healthy, and how a fault is planted into all of their ranks, into those of a node, or a folder.
#include <functional>
#include <string>
#include <vector>

#include "tests/unit/cluster/doctor/machines.h"

namespace facemae {

inline constexpr std::int64_t kGiB = std::int64_t{1} << 30, kMiB = 1 << 20;
using Plant = std::function<void(Gathered&)>;
using Change = std::function<void(Facts&)>;

/// Four nodes of two ranks with a run and a store on a parallel file system, under Slurm.
inline Gathered four_nodes() {
  Gathered all = machine_of(4, 2, 4);
  put_folder(all, "run", "/scratch/me/run1", "lustre");
  put_store(all, "lustre");
  put_slurm(all, "23.11.4");
  return all;
}
inline Gathered two_nodes() {
  Gathered all = machine_of(2, 2, 4);
  put_folder(all, "run", "/scratch/me/run1", "nfs4");
  put_store(all, "nfs4");
  put_slurm(all, "23.11.4");
  return all;
}
inline Gathered one_node() {
  Gathered all = machine_of(1, 2, 4);
  put_folder(all, "run", "/scratch/me/run1", "ext4");
  put_store(all, "ext4");
  return all;
}
inline Gathered with_gpus() {
  Gathered all = four_nodes();
  put_gpus(all, "NVIDIA H100 80GB HBM3", 90, "580.65.06", 13000);
  put_fabric(all, "mlx5_0");
  return all;
}
inline Gathered login() {
  Gathered all = machine_of(1, 1, 8);
  put_slurm(all, "23.11.4");
  all.ranks[0].slurm.job.clear();
  return all;
}

/// Planted into all ranks, or into those of one node (from 1).
inline Plant everywhere(const Change& change) {
  return [change](Gathered& all) {
    for (Facts& facts : all.ranks) change(facts);
  };
}
inline Plant on_node(int node, const Change& change) {
  return [node, change](Gathered& all) {
    for (Facts& facts : all.ranks)
      if (facts.node == node - 1) change(facts);
  };
}
/// Into the folder of a role, on one node or (0) on all.
inline Plant in_folder(int node, const std::string& role, const std::function<void(FolderPlace&)>& change) {
  return [=](Gathered& all) {
    for (Facts& facts : all.ranks)
      if (node == 0 || facts.node == node - 1)
        for (auto& folder : facts.folders)
          if (folder.role == role) change(folder);
  };
}
inline std::function<Gathered()> planted(Gathered (*base)(), const Plant& plant) {
  return [base, plant] {
    Gathered all = base();
    plant(all);
    return all;
  };
}
inline Plant variable(const std::string& name, const std::string& value) {
  return on_node(2, [=](Facts& facts) { facts.software.odd[name] = value; });
}

using Faults = std::vector<PlantedFault>;
inline const std::vector<std::string> kAll4 = {"n1", "n2", "n3", "n4"}, kAll2 = {"n1", "n2"}, kOne = {"n1"},
                                      kThird = {"n3"};

/// Of network, folders, Slurm and software.
Faults faults_of_places();

}  // namespace facemae
