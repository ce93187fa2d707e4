// One fault each in a healthy machine.
#include <utility>

#include "core/log.h"
#include "tests/unit/cluster/doctor/machines.h"

namespace facemae {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30, kMiB = 1 << 20;
using Plant = std::function<void(Gathered&)>;
using Change = std::function<void(Facts&)>;

/// Four nodes of two ranks with a run and a store on a parallel file system, under Slurm.
Gathered four_nodes() {
  Gathered all = machine_of(4, 2, 4);
  put_folder(all, "run", "/scratch/me/run1", "lustre");
  put_store(all, "lustre");
  put_slurm(all, "23.11.4");
  return all;
}
Gathered two_nodes() {
  Gathered all = machine_of(2, 2, 4);
  put_folder(all, "run", "/scratch/me/run1", "nfs4");
  put_store(all, "nfs4");
  put_slurm(all, "23.11.4");
  return all;
}
Gathered one_node() {
  Gathered all = machine_of(1, 2, 4);
  put_folder(all, "run", "/scratch/me/run1", "ext4");
  put_store(all, "ext4");
  return all;
}
Gathered with_gpus() {
  Gathered all = four_nodes();
  put_gpus(all, "NVIDIA H100 80GB HBM3", 90, "580.65.06", 13000);
  put_fabric(all, "mlx5_0");
  return all;
}
Gathered login() {
  Gathered all = machine_of(1, 1, 8);
  put_slurm(all, "23.11.4");
  all.ranks[0].slurm.job.clear();
  return all;
}

/// Planted into all ranks, or into those of one node (from 1).
Plant everywhere(const Change& change) {
  return [change](Gathered& all) {
    for (Facts& facts : all.ranks) change(facts);
  };
}
Plant on_node(int node, const Change& change) {
  return [node, change](Gathered& all) {
    for (Facts& facts : all.ranks)
      if (facts.node == node - 1) change(facts);
  };
}
/// Into the folder of a role, on one node or (0) on all.
Plant in_folder(int node, const std::string& role, const std::function<void(FolderPlace&)>& change) {
  return [=](Gathered& all) {
    for (Facts& facts : all.ranks)
      if (node == 0 || facts.node == node - 1)
        for (auto& folder : facts.folders)
          if (folder.role == role) change(folder);
  };
}
std::function<Gathered()> planted(Gathered (*base)(), const Plant& plant) {
  return [base, plant] {
    Gathered all = base();
    plant(all);
    return all;
  };
}
Plant variable(const std::string& name, const std::string& value) {
  return on_node(2, [=](Facts& facts) { facts.software.odd[name] = value; });
}

using Faults = std::vector<PlantedFault>;
const std::vector<std::string> kAll4 = {"n1", "n2", "n3", "n4"}, kAll2 = {"n1", "n2"}, kOne = {"n1"},
                               kThird = {"n3"};

Faults faults_of_mpi() {
  const auto P = State::Problem, W = State::Warning;
  return {
      {"a rank is stopped", "mpi.answers", P, kThird, "does not answer",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks.erase(all.ranks.begin() + 4, all.ranks.begin() + 6);
                 all.absent = {{4, "n3"}, {5, "n3"}};
               })},
      {"a rank did not start",
       "mpi.answers",
       P,
       {},
       "rank 7 has not come",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks.pop_back();
                 all.absent = {{7, ""}};
               })},
      {"MPICH is loaded before Open MPI", "mpi.library", P, kThird, "MPICH",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.mpi.library = "MPICH Version:\t4.0.2"; }))},
      {"worlds of one", "mpi.world", P, kOne, "speaks of 4 processes",
       planted(login, everywhere([](Facts& facts) {
                 facts.mpi.said = 4;
                 facts.slurm = {};
               }))},
      {"a launcher of another MPI", "mpi.world", P, kOne, "PMI_RANK",
       planted(login, everywhere([](Facts& facts) {
                 facts.mpi.fault = "mpiexec started 4 processes (PMI_RANK=0), but not as ranks of Open MPI";
                 facts.slurm = {};
               }))},
      {"an MPI without threads", "mpi.threads", P, kOne, "MPI_THREAD_SERIALIZED",
       planted(login, everywhere([](Facts& facts) {
                 facts.mpi.threads = 2;
                 facts.mpi.fault = "starting MPI: MPI_THREAD_MULTIPLE is needed";
                 facts.slurm = {};
               }))},
      {"srun's default is pmi2", "mpi.plugins", W, kOne, "takes pmi2",
       planted(login, everywhere([](Facts& facts) { facts.slurm.config["MpiDefault"] = "pmi2"; }))},
      {"srun has no PMIx", "mpi.plugins", P, kOne, "none of which",
       planted(login, everywhere([](Facts& facts) {
                 facts.slurm.plugins = {"none", "pmi2", "cray_shasta"};
               }))},
      {"Slurm 22.05 without ring", "mpi.pmix", W, kAll2, "2 to 5 %",
       planted(two_nodes, everywhere([](Facts& facts) {
                 facts.mpi.launcher = "srun";
                 if (facts.rank == 0) facts.slurm.version = "22.05.8";
               }))},
      {"munge is not in the container", "mpi.pmix", W, kAll2, "munge",
       planted(two_nodes, everywhere([](Facts& facts) {
                 facts.mpi.launcher = "srun";
                 facts.mpi.security = "munge";
                 facts.software.container = "Apptainer";
               }))},
      {"a user namespace for each rank", "mpi.namespaces", W, kThird, "user namespace",
       planted(four_nodes,
               on_node(3, [](Facts& facts) { facts.mpi.user_ns = fmt::format("user:[{}]", facts.rank); }))},
      {"an IPC namespace for each rank", "mpi.namespaces", P, kThird, "cannot share memory",
       planted(four_nodes,
               on_node(3, [](Facts& facts) { facts.mpi.ipc_ns = fmt::format("ipc:[{}]", facts.rank); }))},
      {"more ranks than cores that spin", "mpi.idle", W, kThird, "2 ranks have 1 core",
       planted(
           four_nodes,
           on_node(3, [](Facts& facts) { facts.cpu.cores = facts.cpu.allowed = facts.cpu.physical = {0}; }))},
  };
}

Faults faults_of_cores() {
  const auto P = State::Problem, W = State::Warning;
  return {
      {"one core for a rank", "cpu.mask", P, kThird, "bound to one core",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.cores = facts.cpu.physical = {facts.cpu.cores.front()};
                                   }))},
      {"half of the cores", "cpu.mask", W, kThird, "2 of the 4 cores",
       planted(four_nodes,
               on_node(3, [](Facts& facts) { facts.cpu.cores.resize(2), facts.cpu.physical.resize(2); }))},
      {"a thread that is bound", "cpu.mask", W, kThird, "thread async may only use core(s) 3",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.threads = {{"async", {3}}};
                                   }))},
      {"a quota", "cpu.quota", W, kThird, "time of 2.5 cores",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.cpu.quota = 2.5; }))},
      {"masks that overlap", "cpu.shared", W, kThird, "overlap in part",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (!facts.first) facts.cpu.cores = facts.cpu.physical = {3, 4, 5, 6};
                                   }))},
      {"hyperthreads of one core", "cpu.shared", W, kThird, "hyperthreads",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.physical = {0, 1, 2, 3};
                                   }))},
      {"an older processor", "cpu.models", W, kThird, "Xeon(R) CPU E5",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.model = "Intel(R) Xeon(R) CPU E5-2680";
                                     facts.cpu.levels = {"avx2"};
                                   }))},
  };
}

Faults faults_of_memory() {
  const auto P = State::Problem, W = State::Warning;
  return {
      {"a small control group", "mem.room", P, kThird, "256.0 MiB",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.memory.limit = 512 * kMiB; }))},
      {"a large checkpoint", "mem.room", W, kAll4, "needs 15.0 GiB",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].run.checkpoint = 7 * kGiB; })},
      {"Docker's 64 MiB", "mem.shm", W, kOne, "64.0 MiB, 2 ranks want 128.0 MiB",
       planted(one_node, everywhere([](Facts& facts) { facts.memory.shm = 64 * kMiB; }))},
      {"no room in /dev/shm", "mem.shm", P, kThird, "1.0 MiB",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.memory.shm = kMiB; }))},
      {"segments of a dead job", "mem.leftovers", W, kThird, "1 file(s) of 4.0 MiB",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.memory.left = {{"vader_segment.n3.1000.1", 4 * kMiB}};
                                   }))},
      {"locked memory on InfiniBand", "limit.memlock", W, kThird, "64.0 KiB",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.limits.memlock = 65536; }))},
      {"few files", "limit.files", W, kThird, "may open 512 files",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.limits.files = 512; }))},
      {"fewer files than shards", "limit.files", P, kThird, "may open 100 files",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.limits.files = 100; }))},
      {"few processes", "limit.processes", W, kThird, "may have 128",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.limits.processes = 128; }))},
  };
}

Faults faults_of_gpus() {
  const auto P = State::Problem, W = State::Warning;
  const auto own = [](Facts& facts, const std::function<void(Card&)>& change) {
    for (auto& card : facts.gpu.cards)
      if (card.bus == facts.gpu.own) change(card);
  };
  return {
      {"an old driver", "gpu.driver", P, kThird, "535.104.05 is too old",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.driver = "535.104.05";
                                    facts.gpu.cards.clear();
                                    facts.gpu.own = "";
                                    facts.gpu.fault = "the driver is too old";
                                  }))},
      {"a node without GPUs", "gpu.devices", P, kThird, "has no GPU",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.gpu = {}; }))},
      {"hidden GPUs", "gpu.devices", P, kAll4, "ranks see no GPU",
       planted(with_gpus, everywhere([](Facts& facts) {
                 facts.gpu.cards.clear();
                 facts.gpu.own = "";
               }))},
      {"a GPU that fails", "gpu.devices", P, kThird, "computes 1 + 1 wrongly",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.own = "";
                                    facts.gpu.fault = "GPU cuda:0 computes 1 + 1 wrongly";
                                  }))},
      {"bad memory", "gpu.devices", P, kThird, "remapping pending",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first)
                                      own(facts, [](Card& card) { card.remap_pending = true; });
                                  }))},
      {"memory that cannot be replaced", "gpu.devices", P, kThird, "remapping failed",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first) own(facts, [](Card& card) { card.remap_failed = true; });
                                  }))},
      {"prohibited", "gpu.devices", P, kThird, "prohibited",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first) own(facts, [](Card& card) { card.mode = 2; });
                                  }))},
      {"a GPU of 2016", "gpu.devices", P, kThird, "6.0) is older",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first)
                                      own(facts, [](Card& card) { card.major = 6, card.minor = 0; });
                                  }))},
      {"two ranks on a GPU", "gpu.devices", W, kThird, "2 ranks compute on 1 GPU",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.own = facts.gpu.cards.front().bus;
                                    facts.gpu.cards.front().near.clear();
                                  }))},
      {"two ranks on an exclusive GPU", "gpu.devices", P, kThird, "exclusive",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.own = facts.gpu.cards.front().bus;
                                    facts.gpu.cards.front().near.clear();
                                    facts.gpu.cards.front().mode = 3;
                                  }))},
      {"GPUs that do not reach each other", "gpu.peers", W, kThird, "0000:1b:00.0 and 0000:1c:00.0",
       planted(with_gpus,
               on_node(3, [](Facts& facts) { facts.gpu.apart = {"0000:1b:00.0 and 0000:1c:00.0"}; }))},
      {"a rank far from its GPU", "gpu.numa", W, kThird, "which is near 32-33",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first) own(facts, [](Card& card) { card.near = {32, 33}; });
                                  }))},
      {"another NCCL", "nccl.version", P, kThird, "has NCCL 2.21.5, others have NCCL 2.28.9",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.gpu.nccl = "NCCL 2.21.5"; }))},
      {"two copies of NCCL", "nccl.version", P, kThird, "several copies",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.nccl_files.emplace_back("/opt/nccl/lib/libnccl.so.2");
                                  }))},
  };
}

void lead_nowhere(Facts& facts) {
  facts.network.interfaces.push_back({.name = "eth9",
                                      .kind = "ethernet",
                                      .addresses = {"10.99.0." + std::to_string(facts.node + 1) + "/24"},
                                      .up = true,
                                      .speed = 1000,
                                      .mtu = 1500});
  facts.network.silent = {
      {.host = "n9", .address = "10.99.0.9", .interface = "eth9", .fault = "it does not answer"}};
}
void add_docker(Facts& facts) {
  facts.network.interfaces.push_back({.name = "docker0",
                                      .kind = "bridge",
                                      .addresses = {"172.17.0.1/16"},
                                      .up = true,
                                      .speed = -1,
                                      .mtu = 1500});
}

Faults faults_of_network() {
  const auto P = State::Problem, W = State::Warning;
  return {
      {"a name of 127.0.1.1", "net.names", W, kThird, "127.0.1.1",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.network.own = {"127.0.1.1"}; }))},
      {"no name", "net.names", P, kThird, "stands for no address",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.network.own.clear(); }))},
      {"a node that is not found", "net.names", P, kThird, "does not find n1",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (facts.first)
                                       facts.network.ways[0] = {.host = "n1",
                                                                .address = "",
                                                                .interface = "",
                                                                .fault = "Name or service not known"};
                                   }))},
      {"another network", "net.way", W, kThird, "192.168.7.0/24, others by 10.1.0.0/16",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.network.interfaces[1].name = "eth1";
                                     facts.network.interfaces[1].addresses = {"192.168.7.3/24"};
                                     for (auto& way : facts.network.ways) way.interface = "eth1";
                                   }))},
      {"no way", "net.way", P, kThird, "no way leads",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     for (auto& way : facts.network.ways)
                                       way.fault = "no way leads to it", way.interface = "";
                                   }))},
      {"a network that leads nowhere", "net.way", P, kAll4,
       "eth9 leads nowhere: other nodes do not answer in 10.99.0.0/24",
       planted(four_nodes, everywhere(lead_nowhere))},
      {"a network that leads nowhere beside a fabric", "net.way", W, kAll4, "eth9 leads nowhere",
       planted(with_gpus, everywhere(lead_nowhere))},
      {"Docker's bridges", "net.bridges", P, kAll4, "docker0 has one address on several nodes",
       planted(four_nodes, everywhere(add_docker))},
      {"Docker's bridges beside a fabric", "net.bridges", W, kAll4, "docker0",
       planted(with_gpus, everywhere(add_docker))},
      {"one address on two nodes",
       "net.bridges",
       P,
       {"n3", "n4"},
       "usb0",
       planted(four_nodes,
               [](Gathered& all) {
                 for (Facts& facts : all.ranks)
                   if (facts.node >= 2)
                     facts.network.interfaces.push_back({.name = "usb0",
                                                         .kind = "ethernet",
                                                         .addresses = {"169.254.3.1/24"},
                                                         .up = true,
                                                         .speed = -1,
                                                         .mtu = 1500});
               })},
      {"a port that is down", "net.fabric", P, kThird, "port mlx5_0/1 is down",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.network.ports[0].state = "DOWN"; }))},
  };
}

Faults faults_of_folders() {
  const auto P = State::Problem, W = State::Warning;
  return {
      {"NFS without locks", "fs.kind", W, kAll2, "with nolock",
       planted(two_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.options = "rw,nolock"; }))},
      {"a run in memory", "fs.kind", W, kOne, "lies on tmpfs",
       planted(one_node, in_folder(0, "run", [](FolderPlace& folder) { folder.kind = "tmpfs"; }))},
      {"different file systems", "fs.kind", W, kAll4, "gpfs on n3, lustre on n[1-2,4]",
       planted(four_nodes, in_folder(3, "store",
                                     [](FolderPlace& folder) {
                                       folder.kind = "gpfs";
                                       folder.stripes = -1;
                                     }))},
      {"a disk of each node", "fs.kind", P, kAll4, "a disk of the node (xfs)",
       planted(four_nodes, in_folder(0, "run",
                                     [](FolderPlace& folder) {
                                       folder.kind = "xfs";
                                       folder.seen = -1;
                                     }))},
      {"slow names", "fs.seen", W, kThird, "after 9.0 s only",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.seen = 9; }))},
      {"one node has another folder", "fs.seen", P, kThird, "does not see what n1 wrote",
       planted(four_nodes,
               [](Gathered& all) {
                 for (Facts& facts : all.ranks)
                   for (auto& folder : facts.folders)
                     if (folder.role == "run") {
                       folder.unseen = facts.node == 2 ? std::vector<std::string>{"n1", "n2", "n4"}
                                                       : std::vector<std::string>{"n3"};
                       folder.seen = -1;
                       if (facts.node == 2) folder.lock_there = "";
                     }
               })},
      {"two folders",
       "fs.seen",
       P,
       {"n2"},
       "does not see what n1 wrote into /scratch/me/run1",
       planted(two_nodes,
               [](Gathered& all) {
                 for (Facts& facts : all.ranks)
                   for (auto& folder : facts.folders)
                     if (folder.role == "run") {
                       folder.unseen = {facts.node == 0 ? "n2" : "n1"};
                       folder.seen = -1;
                       folder.lock_there = "";
                     }
               })},
      {"locks of a node alone", "fs.locks", W, kAll4, "not seen on other nodes",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.lock_there = "free"; }))},
      {"no locks", "fs.locks", W, kOne, "No locks available",
       planted(four_nodes,
               in_folder(1, "run", [](FolderPlace& folder) { folder.lock_here = "No locks available"; }))},
      {"a clock 10 s behind", "fs.clock", W, kThird, "10 s behind",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.clock = 10; }))},
      {"a clock an hour ahead", "fs.clock", P, kThird, "3600 s ahead of",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.clock = -3600; }))},
  };
}

Faults faults_of_storage() {
  const auto P = State::Problem, W = State::Warning;
  return {
      {"slow commits", "fs.sync", W, kThird, "takes up to 4.0 s",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.sync_p99 = 4; }))},
      {"a run that cannot be written", "fs.sync", P, kAll4, "Read-only file system",
       planted(four_nodes, in_folder(0, "run",
                                     [](FolderPlace& folder) {
                                       folder.fault = "creating /scratch/me/run1/x: Read-only file system";
                                       folder.seen = folder.sync_p50 = folder.sync_p99 = -1;
                                       folder.direct = -1;
                                       folder.clock_known = false;
                                       folder.lock_here = folder.lock_there = "";
                                     }))},
      {"little room", "fs.room", W, kAll4, "room for 3.0 GiB",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.free = 3 * kGiB; }))},
      {"no room", "fs.room", P, kAll4, "room for 100.0 MiB",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.free = 100 * kMiB; }))},
      {"room for three checkpoints", "fs.room", P, kAll4, "a checkpoint takes 2.0 GiB",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks[0].run.checkpoint = 2 * kGiB;
                 in_folder(0, "run", [](FolderPlace& folder) { folder.free = 6 * kGiB; })(all);
               })},
      {"few inodes", "fs.room", W, kAll4, "only 500 more files",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.inodes = 500; }))},
      {"no inodes", "fs.room", P, kAll4, "only 3 more files",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.inodes = 3; }))},
      {"large shards on one server", "fs.stripes", W, kAll4, "one server each",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].store.largest = 8 * kGiB; })},
      {"old files", "fs.age", W, kAll4, "were not touched for 40 days",
       planted(four_nodes, in_folder(0, "store", [](FolderPlace& folder) { folder.age = 40; }))},
      {"a node without the store", "store.readable", P, kThird, "no such store",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (facts.first)
                                       facts.store = {.fault = "no such store",
                                                      .shards = -1,
                                                      .bytes = -1,
                                                      .largest = -1,
                                                      .digest = ""};
                                   }))},
      {"no store anywhere", "store.readable", P, kAll4, "no such store",
       planted(four_nodes, everywhere([](Facts& facts) {
                 if (facts.first)
                   facts.store = {
                       .fault = "no such store", .shards = -1, .bytes = -1, .largest = -1, .digest = ""};
               }))},
      {"another store on a node", "store.readable", P, kThird, "another store there than n1",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (facts.first) facts.store.digest = "d2";
                                   }))},
      {"a local disk without room", "local.room", W, kThird, "the store has 50.0 GiB",
       planted(four_nodes,
               [](Gathered& all) {
                 put_folder(all, "local", "/local", "xfs");
                 in_folder(3, "local", [](FolderPlace& folder) { folder.free = kGiB; })(all);
               })},
      {"a local disk that is none", "local.room", W, kAll4, "no disk of the node (nfs4)",
       planted(four_nodes, [](Gathered& all) { put_folder(all, "local", "/home/local", "nfs4"); })},
      {"a local disk that fails", "local.room", P, kThird, "Input/output error",
       planted(four_nodes,
               [](Gathered& all) {
                 put_folder(all, "local", "/local", "xfs");
                 in_folder(3, "local", [](FolderPlace& folder) { folder.fault = "Input/output error"; })(all);
               })},
  };
}

Faults faults_of_slurm_and_software() {
  const auto W = State::Warning;
  return {
      {"KillWait shorter than a save", "slurm.config", W, kAll4, "KillWait is 30 s, a save takes 90 s",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].run.save = 90; })},
      {"preempted without grace", "slurm.config", W, kAll4, "cancelled without time",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks[0].slurm.partition = {{"PreemptMode", "CANCEL"}, {"GraceTime", "0"}};
               })},
      {"not requeued", "slurm.job", W, kAll4, "not to be requeued",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].slurm.job["Requeue"] = "0"; })},
      {"notice too late", "slurm.job", W, kAll4, "notice comes 60 s before",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks[0].slurm.lead = 60;
                 all.ranks[0].run.save = 20;
               })},
      {"notice before the job", "slurm.job", W, kAll4, "of a job of 240 s",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].slurm.job["TimeLimit"] = "00:04:00"; })},
      {"a library put before all others",
       "env.odd",
       W,
       {"n2"},
       "LD_PRELOAD=/opt/xalt.so",
       planted(four_nodes, variable("LD_PRELOAD", "/opt/xalt.so"))},
      {"NCCL on the loopback",
       "env.odd",
       W,
       {"n2"},
       "NCCL_SOCKET_IFNAME=lo",
       planted(four_nodes, variable("NCCL_SOCKET_IFNAME", "lo"))},
      {"bound threads",
       "env.odd",
       W,
       {"n2"},
       "OMP_PROC_BIND=close",
       planted(four_nodes, variable("OMP_PROC_BIND", "close"))},
  };
}

}  // namespace

std::vector<PlantedFault> planted_faults() {
  Faults all;
  for (auto& faults :
       {faults_of_mpi(), faults_of_cores(), faults_of_memory(), faults_of_gpus(), faults_of_network(),
        faults_of_folders(), faults_of_storage(), faults_of_slurm_and_software()})
    all.insert(all.end(), faults.begin(), faults.end());
  return all;
}

}  // namespace facemae
