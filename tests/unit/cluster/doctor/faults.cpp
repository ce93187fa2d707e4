// One fault each of launch, cores, memory and GPUs in a healthy machine.
#include "core/log.h"
#include "tests/unit/cluster/doctor/plant.h"

namespace facemae {
namespace {

Faults faults_of_mpi() {
  const auto problem = State::Problem, warning = State::Warning;
  return {
      {"a rank is stopped", "mpi.answers", problem, kThird, "does not answer",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks.erase(all.ranks.begin() + 4, all.ranks.begin() + 6);
                 all.absent = {{4, "n3"}, {5, "n3"}};
               })},
      {"a rank did not start",
       "mpi.answers",
       problem,
       {},
       "rank 7 has not come",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks.pop_back();
                 all.absent = {{7, ""}};
               })},
      {"MPICH is loaded before Open MPI", "mpi.library", problem, kThird, "MPICH",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.mpi.library = "MPICH 4.0.2"; }))},
      {"worlds of one", "mpi.world", problem, kOne, "speaks of 4 processes",
       planted(login, everywhere([](Facts& facts) {
                 facts.mpi.said = 4;
                 facts.slurm = {};
               }))},
      {"a launcher of another MPI", "mpi.world", problem, kOne, "PMI_RANK",
       planted(login, everywhere([](Facts& facts) {
                 facts.mpi.fault = "mpiexec started 4 processes (PMI_RANK=0), but not as ranks of Open MPI";
                 facts.slurm = {};
               }))},
      {"an MPI without threads", "mpi.threads", problem, kOne, "MPI_THREAD_SERIALIZED",
       planted(login, everywhere([](Facts& facts) {
                 facts.mpi.threads = 2;
                 facts.mpi.fault = "starting MPI: MPI_THREAD_MULTIPLE is needed";
                 facts.slurm = {};
               }))},
      {"srun's default is pmi2", "mpi.plugins", warning, kOne, "takes pmi2",
       planted(login, everywhere([](Facts& facts) { facts.slurm.config["MpiDefault"] = "pmi2"; }))},
      {"srun has no PMIx", "mpi.plugins", problem, kOne, "none of which",
       planted(login, everywhere([](Facts& facts) {
                 facts.slurm.plugins = {"none", "pmi2", "cray_shasta"};
               }))},
      {"Slurm 22.05 without ring", "mpi.pmix", warning, kAll2, "2 to 5 %",
       planted(two_nodes, everywhere([](Facts& facts) {
                 facts.mpi.launcher = "srun";
                 if (facts.rank == 0) facts.slurm.version = "22.05.8";
               }))},
      {"munge is not in the container", "mpi.pmix", warning, kAll2, "munge",
       planted(two_nodes, everywhere([](Facts& facts) {
                 facts.mpi.launcher = "srun";
                 facts.mpi.security = "munge";
                 facts.software.container = "Apptainer";
               }))},
      {"a user namespace for each rank", "mpi.namespaces", warning, kThird, "user namespace",
       planted(four_nodes,
               on_node(3, [](Facts& facts) { facts.mpi.user_ns = fmt::format("user:[{}]", facts.rank); }))},
      {"an IPC namespace for each rank", "mpi.namespaces", problem, kThird, "cannot share memory",
       planted(four_nodes,
               on_node(3, [](Facts& facts) { facts.mpi.ipc_ns = fmt::format("ipc:[{}]", facts.rank); }))},
      {"more ranks than cores that spin", "mpi.idle", warning, kThird, "2 ranks have 1 core",
       planted(
           four_nodes,
           on_node(3, [](Facts& facts) { facts.cpu.cores = facts.cpu.allowed = facts.cpu.physical = {0}; }))},
  };
}

Faults faults_of_cores() {
  const auto problem = State::Problem, warning = State::Warning;
  return {
      {"one core for a rank", "cpu.mask", problem, kThird, "bound to one core",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.cores = facts.cpu.physical = {facts.cpu.cores.front()};
                                   }))},
      {"half of the cores", "cpu.mask", warning, kThird, "2 of the 4 cores",
       planted(four_nodes,
               on_node(3, [](Facts& facts) { facts.cpu.cores.resize(2), facts.cpu.physical.resize(2); }))},
      {"a thread that is bound", "cpu.mask", warning, kThird, "thread async may only use core(s) 3",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.threads = {{"async", {3}}};
                                   }))},
      {"a quota", "cpu.quota", warning, kThird, "time of 2.5 cores",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.cpu.quota = 2.5; }))},
      {"masks that overlap", "cpu.shared", warning, kThird, "overlap in part",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (!facts.first) facts.cpu.cores = facts.cpu.physical = {3, 4, 5, 6};
                                   }))},
      {"hyperthreads of one core", "cpu.shared", warning, kThird, "hyperthreads",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.physical = {0, 1, 2, 3};
                                   }))},
      {"an older processor", "cpu.models", warning, kThird, "Xeon(R) CPU E5",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.cpu.model = "Intel(R) Xeon(R) CPU E5-2680";
                                     facts.cpu.levels = {"avx2"};
                                   }))},
  };
}

Faults faults_of_memory() {
  const auto problem = State::Problem, warning = State::Warning;
  return {
      {"a small control group", "mem.room", problem, kThird, "256.0 MiB",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.memory.limit = 512 * kMiB; }))},
      {"a large checkpoint", "mem.room", warning, kAll4, "needs 15.0 GiB",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].run.checkpoint = 7 * kGiB; })},
      {"Docker's 64 MiB", "mem.shm", warning, kOne, "64.0 MiB, 2 ranks want 128.0 MiB",
       planted(one_node, everywhere([](Facts& facts) { facts.memory.shm = 64 * kMiB; }))},
      {"no room in /dev/shm", "mem.shm", problem, kThird, "1.0 MiB",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.memory.shm = kMiB; }))},
      {"segments of a dead job", "mem.leftovers", warning, kThird, "1 file(s) of 4.0 MiB",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.memory.left = {{"vader_segment.n3.1000.1", 4 * kMiB}};
                                   }))},
      {"locked memory on InfiniBand", "limit.memlock", warning, kThird, "64.0 KiB",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.limits.memlock = 65536; }))},
      {"few files", "limit.files", warning, kThird, "may open 512 files",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.limits.files = 512; }))},
      {"fewer files than shards", "limit.files", problem, kThird, "may open 100 files",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.limits.files = 100; }))},
      {"few processes", "limit.processes", warning, kThird, "may have 128",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.limits.processes = 128; }))},
  };
}

Faults faults_of_gpus() {
  const auto problem = State::Problem, warning = State::Warning;
  const auto own = [](Facts& facts, const std::function<void(Card&)>& change) {
    for (auto& card : facts.gpu.cards)
      if (card.bus == facts.gpu.own) change(card);
  };
  return {
      {"an old driver", "gpu.driver", problem, kThird, "535.104.05 is too old",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.driver = "535.104.05";
                                    facts.gpu.cards.clear();
                                    facts.gpu.own = "";
                                    facts.gpu.fault = "the driver is too old";
                                  }))},
      {"a node without GPUs", "gpu.devices", problem, kThird, "has no GPU",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.gpu = {}; }))},
      {"hidden GPUs", "gpu.devices", problem, kAll4, "ranks see no GPU",
       planted(with_gpus, everywhere([](Facts& facts) {
                 facts.gpu.cards.clear();
                 facts.gpu.own = "";
               }))},
      {"a GPU that fails", "gpu.devices", problem, kThird, "computes 1 + 1 wrongly",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.own = "";
                                    facts.gpu.fault = "GPU cuda:0 computes 1 + 1 wrongly";
                                  }))},
      {"bad memory", "gpu.devices", problem, kThird, "remapping pending",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first)
                                      own(facts, [](Card& card) { card.remap_pending = true; });
                                  }))},
      {"memory that cannot be replaced", "gpu.devices", problem, kThird, "remapping failed",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first) own(facts, [](Card& card) { card.remap_failed = true; });
                                  }))},
      {"prohibited", "gpu.devices", problem, kThird, "prohibited",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first) own(facts, [](Card& card) { card.mode = 2; });
                                  }))},
      {"a GPU of 2016", "gpu.devices", problem, kThird, "6.0) is older",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first)
                                      own(facts, [](Card& card) { card.major = 6, card.minor = 0; });
                                  }))},
      {"two ranks on a GPU", "gpu.devices", warning, kThird, "2 ranks compute on 1 GPU",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.own = facts.gpu.cards.front().bus;
                                    facts.gpu.cards.front().near.clear();
                                  }))},
      {"two ranks on an exclusive GPU", "gpu.devices", problem, kThird, "exclusive",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.own = facts.gpu.cards.front().bus;
                                    facts.gpu.cards.front().near.clear();
                                    facts.gpu.cards.front().mode = 3;
                                  }))},
      {"GPUs that do not reach each other", "gpu.peers", warning, kThird, "0000:1b:00.0 and 0000:1c:00.0",
       planted(with_gpus,
               on_node(3, [](Facts& facts) { facts.gpu.apart = {"0000:1b:00.0 and 0000:1c:00.0"}; }))},
      {"a rank far from its GPU", "gpu.numa", warning, kThird, "which is near 32-33",
       planted(with_gpus, on_node(3,
                                  [own](Facts& facts) {
                                    if (facts.first) own(facts, [](Card& card) { card.near = {32, 33}; });
                                  }))},
      {"another NCCL", "nccl.version", problem, kThird, "has NCCL 2.21.5, others have NCCL 2.28.9",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.gpu.nccl = "NCCL 2.21.5"; }))},
      {"two copies of NCCL", "nccl.version", problem, kThird, "several copies",
       planted(with_gpus, on_node(3,
                                  [](Facts& facts) {
                                    facts.gpu.nccl_files.emplace_back("/opt/nccl/lib/libnccl.so.2");
                                  }))},
  };
}

}  // namespace

std::vector<PlantedFault> planted_faults() {
  Faults all;
  for (auto& faults :
       {faults_of_mpi(), faults_of_cores(), faults_of_memory(), faults_of_gpus(), faults_of_places()})
    all.insert(all.end(), faults.begin(), faults.end());
  return all;
}

}  // namespace facemae
