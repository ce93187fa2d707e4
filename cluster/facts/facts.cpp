#include "cluster/facts/facts.h"

#include <nlohmann/json.hpp>

namespace facemae {

#define FACTS NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT
FACTS(MpiPlace, library, built_for, path, fault, launcher, size, said, threads, pmix, security, munge, yields,
      user_ns, ipc_ns, pid_ns)
FACTS(ThreadPlace, name, cores)
FACTS(CpuPlace, cores, allowed, physical, threads, quota, model, levels)
FACTS(LeftFile, name, bytes)
FACTS(MemoryPlace, available, limit, shm, left)
FACTS(LimitPlace, memlock, files, processes)
FACTS(Card, bus, name, major, minor, mode, remap_pending, remap_failed, near)
FACTS(GpuPlace, driver, runtime, fault, cards, own, apart, nccl, nccl_files)
FACTS(Interface, name, kind, addresses, up, speed, mtu)
FACTS(Way, host, address, interface, fault)
FACTS(FabricPort, port, state, link, rate)
FACTS(NetworkPlace, interfaces, own, ways, silent, ports, chosen)
FACTS(FolderPlace, role, path, looked_at, kind, source, options, mount, fault, free, inodes, sync_p50,
      sync_p99, direct, clock, clock_known, age, stripes, seen, unseen, lock_here, lock_there)
FACTS(StorePlace, fault, shards, bytes, largest, digest)
FACTS(RunPlace, checkpoint, save)
FACTS(SlurmPlace, version, config, partition, job, plugins, lead)
FACTS(SoftwarePlace, program, libtorch, hdf5, libstdcxx, system, kernel, container, odd)
#undef FACTS

void to_json(nlohmann::json& json, const Facts& facts) {
  json = {{"rank", facts.rank},       {"node", facts.node},     {"host", facts.host},
          {"first", facts.first},     {"mpi", facts.mpi},       {"cpu", facts.cpu},
          {"memory", facts.memory},   {"limits", facts.limits}, {"gpu", facts.gpu},
          {"network", facts.network}, {"store", facts.store},   {"run", facts.run},
          {"folders", facts.folders}, {"slurm", facts.slurm},   {"software", facts.software}};
}

void from_json(const nlohmann::json& json, Facts& facts) {
  const auto take = [&](const char* name, auto& value) {
    if (json.contains(name)) json.at(name).get_to(value);
  };
  take("rank", facts.rank);
  take("node", facts.node);
  take("host", facts.host);
  take("first", facts.first);
  take("mpi", facts.mpi);
  take("cpu", facts.cpu);
  take("memory", facts.memory);
  take("limits", facts.limits);
  take("gpu", facts.gpu);
  take("network", facts.network);
  take("folders", facts.folders);
  take("store", facts.store);
  take("run", facts.run);
  take("slurm", facts.slurm);
  take("software", facts.software);
}

}  // namespace facemae
