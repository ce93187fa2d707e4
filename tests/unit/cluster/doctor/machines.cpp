#include "tests/unit/cluster/doctor/machines.h"

#include "core/log.h"

namespace facemae {
namespace {

constexpr std::int64_t kGi = std::int64_t{1} << 30;

Facts rank_of(int rank, int node, int local, int ranks, int cores) {
  Facts facts;
  facts.rank = rank;
  facts.node = node;
  facts.host = fmt::format("n{}", node + 1);
  facts.first = local == 0;
  facts.mpi = {.library = "Open MPI v4.1.4, package: Debian OpenMPI",
               .built_for = "Open MPI 4.1.4",
               .path = "/usr/lib/libmpi.so.40",
               .fault = "",
               .launcher = "mpirun",
               .size = 1,
               .said = 1,
               .threads = 3,
               .pmix = "4.2.2",
               .security = "native",
               .munge = false,
               .yields = false,
               .user_ns = "user:[1]",
               .ipc_ns = "ipc:[2]",
               .pid_ns = "pid:[3]"};
  for (int core = 0; core < ranks * cores; ++core) {
    facts.cpu.allowed.push_back(core);
    if (core / cores == local) facts.cpu.cores.push_back(core), facts.cpu.physical.push_back(core);
  }
  facts.cpu.model = "Intel(R) Xeon(R) Gold 6248";
  facts.cpu.levels = {"avx2", "avx512f"};
  facts.memory = {.available = ranks * 16 * kGi, .limit = -1, .shm = ranks * 4 * kGi, .left = {}};
  facts.limits = {.memlock = kUnlimited, .files = 131072, .processes = 100000};
  facts.network.interfaces = {
      {.name = "lo", .kind = "loopback", .addresses = {"127.0.0.1/8"}, .up = true, .speed = -1, .mtu = 65536},
      {.name = "eth0",
       .kind = "ethernet",
       .addresses = {fmt::format("10.1.0.{}/16", node + 1)},
       .up = true,
       .speed = 10000,
       .mtu = 1500}};
  facts.network.own = {fmt::format("10.1.0.{}", node + 1)};
  facts.software = {.program = "facemae 0.1.0",
                    .libtorch = "LibTorch 2.11.0, AVX512",
                    .hdf5 = "HDF5 1.10.8",
                    .libstdcxx = "",
                    .system = "Debian GNU/Linux 12",
                    .kernel = "6.1.0",
                    .container = "",
                    .odd = {}};
  return facts;
}

void of_all(Gathered& all, const std::function<void(Facts&)>& change) {
  for (Facts& facts : all.ranks) change(facts);
}

Gathered site(int nodes, int ranks, int cores, const std::string& kind, const std::string& slurm,
              const std::string& system) {
  Gathered all = machine_of(nodes, ranks, cores);
  put_folder(all, "run", "/scratch/me/run1", kind);
  put_store(all, kind);
  put_slurm(all, slurm);
  of_all(all, [&](Facts& facts) { facts.software.system = system; });
  return all;
}

Gathered laptop() {
  Gathered all = machine_of(1, 1, 8);
  put_folder(all, "run", "runs/first", "ext4");
  put_store(all, "ext4", 1);
  Facts& facts = all.ranks[0];
  facts.mpi.launcher = "";
  facts.mpi.said = -1;
  facts.mpi.threads = -1;
  facts.mpi.pmix = "";
  facts.host = "laptop";
  facts.network.own = {"127.0.1.1"};
  facts.limits = {.memlock = 8 << 20, .files = 4096, .processes = 31000};
  facts.network.interfaces.push_back({.name = "docker0",
                                      .kind = "bridge",
                                      .addresses = {"172.17.0.1/16"},
                                      .up = true,
                                      .speed = -1,
                                      .mtu = 1500});
  return all;
}

Gathered laptop_with_ranks() {
  Gathered all = machine_of(1, 2, 4);
  put_folder(all, "run", "runs/first", "ext4");
  of_all(all, [](Facts& facts) { facts.cpu.cores = facts.cpu.physical = facts.cpu.allowed; });
  return all;
}

Gathered gpu_site() {
  Gathered all = site(2, 4, 8, "lustre", "23.02.7", "Rocky Linux 9.3");
  put_gpus(all, "NVIDIA H100 80GB HBM3", 90, "580.65.06", 13000);
  put_fabric(all, "mlx5_0");
  return all;
}

Gathered cray() {
  Gathered all = site(2, 8, 8, "lustre", "23.02.6", "SUSE Linux Enterprise Server 15 SP5");
  of_all(all, [](Facts& facts) {
    facts.mpi.library = "CRAY MPICH version 8.1.27.0 (ANL base 3.4a2)";
    facts.mpi.built_for = "CRAY MPICH";
    facts.mpi.launcher = "srun";
    facts.mpi.pmix = "";
    facts.slurm.plugins = {"cray_shasta", "pmi2", "none"};
    facts.slurm.config["MpiDefault"] = "cray_shasta";
  });
  return all;
}

Gathered mpich_site() {
  Gathered all = site(2, 2, 4, "nfs4", "22.05.8", "Ubuntu 24.04 LTS");
  of_all(all, [](Facts& facts) {
    facts.mpi.library = "MPICH 4.0.2";
    facts.mpi.built_for = "MPICH 4.0.2";
  });
  return all;
}

Gathered docker() {
  Gathered all = machine_of(1, 1, 4);
  put_folder(all, "run", "/runs/a", "overlay");
  Facts& facts = all.ranks[0];
  facts.software.container = "Docker";
  facts.memory.shm = 64 << 20;
  facts.memory.limit = 8 * kGi;
  facts.cpu.quota = 4;
  facts.mpi.said = -1;
  return all;
}

Gathered apptainer() {
  Gathered all = site(2, 1, 16, "gpfs", "24.05.2", "Debian GNU/Linux 12");
  of_all(all, [](Facts& facts) {
    facts.software.container = "Apptainer";
    facts.mpi.launcher = "srun";
    facts.mpi.security = "munge";
    facts.mpi.munge = true;
    facts.mpi.user_ns = fmt::format("user:[{}]", 100 + facts.rank);  // one a process, one process a node
  });
  return all;
}

Gathered arm() {
  Gathered all = machine_of(1, 1, 72);
  put_gpus(all, "NVIDIA GH200 480GB", 90, "580.65.06", 13000);
  all.ranks[0].cpu.model = "implementer 0x41, part 0xd4f";
  all.ranks[0].cpu.levels = {"asimd", "sve", "bf16"};
  return all;
}

Gathered workstation() {
  Gathered all = machine_of(1, 2, 8);
  put_folder(all, "run", "/data/run", "xfs");
  put_gpus(all, "NVIDIA RTX A6000", 86, "535.104.05", 12080);
  of_all(all, [](Facts& facts) { facts.cpu.cores = facts.cpu.physical = facts.cpu.allowed; });
  return all;
}

Gathered login_node() {
  Gathered all = machine_of(1, 1, 32);
  put_folder(all, "run", "/nfs/me/run", "nfs4");
  put_slurm(all, "23.11.4");
  all.ranks[0].slurm.job.clear();
  all.ranks[0].mpi.launcher = "";
  all.ranks[0].mpi.said = -1;
  all.ranks[0].cpu.quota = -1;
  return all;
}

Gathered beegfs_site() {
  Gathered all = site(4, 4, 4, "beegfs_nodev", "21.08.8", "Red Hat Enterprise Linux 8.8");
  put_folder(all, "local", "/local/me", "xfs");
  return all;
}

Gathered small_vm() {
  Gathered all = machine_of(1, 4, 1);
  put_folder(all, "run", "/tmp/run", "ext4");
  of_all(all, [](Facts& facts) {
    facts.host = "vm";
    facts.cpu.cores = facts.cpu.physical = facts.cpu.allowed = {0, 1};
    facts.mpi.yields = true;
    facts.network.own = {"127.0.0.1"};
  });
  return all;
}

Gathered ring_fences() {
  Gathered all = site(2, 2, 4, "nfs4", "22.05.8", "Debian GNU/Linux 12");
  of_all(all, [](Facts& facts) {
    facts.mpi.launcher = "srun";
    facts.slurm.config["PMIxCollFence"] = "ring";
  });
  return all;
}

Gathered cloud() {
  Gathered all = site(3, 1, 8, "ceph", "", "Ubuntu 22.04.4 LTS");
  of_all(all, [](Facts& facts) {
    facts.network.interfaces[1].kind = "virtual";
    facts.network.interfaces[1].speed = -1;
    facts.cpu.quota = 8;
    facts.memory.limit = 12 * kGi;
  });
  return all;
}

/// Two disks of the same host under two names: what the tests of this project have.
Gathered shared_host() {
  Gathered all = site(2, 1, 2, "ext4", "22.05.8", "Debian GNU/Linux 12");
  return all;
}

Gathered old_gpus() {
  Gathered all = site(2, 2, 10, "gpfs", "20.11.9", "CentOS Linux 8");
  put_gpus(all, "Tesla V100-SXM2-32GB", 70, "550.54.15", 12080);
  put_fabric(all, "mlx5_0");
  return all;
}

}  // namespace

Gathered machine_of(int nodes, int ranks, int cores) {
  Gathered all;
  for (int rank = 0; rank < nodes * ranks; ++rank)
    all.ranks.push_back(rank_of(rank, rank / ranks, rank % ranks, ranks, cores));
  of_all(all, [&](Facts& facts) {
    facts.mpi.size = facts.mpi.said = nodes * ranks;
    if (facts.first)
      for (int node = 0; node < nodes; ++node)
        if (node != facts.node)
          facts.network.ways.push_back({.host = fmt::format("n{}", node + 1),
                                        .address = fmt::format("10.1.0.{}", node + 1),
                                        .interface = "eth0",
                                        .fault = ""});
  });
  return all;
}

void put_folder(Gathered& all, const std::string& role, const std::string& path, const std::string& kind) {
  const bool several = all.multi_node();
  of_all(all, [&](Facts& facts) {
    if (!facts.first) return;
    FolderPlace folder;
    folder.role = role;
    folder.path = folder.looked_at = path;
    folder.kind = kind;
    folder.source = "server:/export";
    folder.mount = "/scratch";
    folder.options = "rw,vers=4.2,hard";
    folder.free = 5000 * kGi;
    folder.inodes = 1'000'000;
    if (role != "store") {
      folder.sync_p50 = 0.004;
      folder.sync_p99 = 0.02;
      folder.direct = 1;
      folder.clock_known = true;
    }
    if (role == "run" && several) {
      folder.seen = 0.02;
      (facts.node == 0 ? folder.lock_here : folder.lock_there) = "held";
    }
    if (role != "local") folder.age = 3;
    facts.folders.push_back(folder);
  });
}

void put_store(Gathered& all, const std::string& kind, int shards) {
  put_folder(all, "store", "/scratch/me/faces", kind);
  of_all(all, [&](Facts& facts) {
    if (facts.first)
      facts.store = {
          .fault = "", .shards = shards, .bytes = shards * kGi / 2, .largest = kGi / 2, .digest = "d1"};
    if (facts.first && kind == "lustre") facts.folders.back().stripes = 1;
  });
}

void put_gpus(Gathered& all, const std::string& name, int capability, const std::string& driver, int cuda) {
  int ranks = 0;
  for (const Facts& facts : all.ranks) ranks += facts.node == 0 ? 1 : 0;
  of_all(all, [&](Facts& facts) {
    facts.gpu.driver = driver;
    facts.gpu.runtime = cuda;
    facts.gpu.nccl = "NCCL 2.28.9";
    facts.gpu.nccl_files = {"/usr/lib/libnccl.so.2"};
    for (int gpu = 0; gpu < ranks; ++gpu)
      facts.gpu.cards.push_back({.bus = fmt::format("0000:{:02x}:00.0", 0x1b + gpu),
                                 .name = name,
                                 .major = capability / 10,
                                 .minor = capability % 10,
                                 .mode = 0,
                                 .remap_pending = false,
                                 .remap_failed = false,
                                 .near = facts.cpu.cores});
    facts.gpu.own = facts.gpu.cards[static_cast<std::size_t>(facts.rank % ranks)].bus;
  });
}

void put_fabric(Gathered& all, const std::string& device) {
  of_all(all, [&](Facts& facts) {
    facts.network.ports.push_back(
        {.port = device + "/1", .state = "ACTIVE", .link = "InfiniBand", .rate = 400});
  });
}

void put_slurm(Gathered& all, const std::string& version) {
  if (version.empty()) return;
  Facts& facts = all.ranks[0];
  facts.slurm.version = version;
  facts.slurm.config = {{"KillWait", "30 sec"}, {"PreemptMode", "REQUEUE"}, {"MpiDefault", "pmix"}};
  facts.slurm.partition = {{"GraceTime", "60"}, {"PreemptMode", "REQUEUE"}};
  facts.slurm.job = {{"Requeue", "1"}, {"TimeLimit", "12:00:00"}};
  facts.slurm.plugins = {"none", "pmi2", "pmix", "pmix_v4"};
  facts.slurm.lead = 300;
}

std::vector<HealthyMachine> healthy_machines() {
  return {{"a laptop", laptop, {}},
          {"a laptop with two ranks", laptop_with_ranks, {}},
          {"modules on RHEL 8, BeeGFS and local disks", beegfs_site, {}},
          {"modules on RHEL 9, GPFS",
           [] { return site(4, 2, 16, "gpfs", "23.11.4", "Red Hat Enterprise Linux 9.4"); },
           {}},
          {"modules on SLES 15, NFS",
           [] { return site(2, 4, 8, "nfs4", "23.02.1", "SUSE Linux Enterprise Server 15 SP4"); },
           {}},
          {"a Cray", cray, {}},
          {"Lustre with GPUs and InfiniBand", gpu_site, {}},
          {"GPUs of 2017", old_gpus, {}},
          {"a container on one node", docker, {"fs.kind"}},
          {"containers on two nodes", apptainer, {}},
          {"Arm with a GPU", arm, {}},
          {"a workstation with two GPUs", workstation, {}},
          {"a login node", login_node, {}},
          {"MPICH", mpich_site, {}},
          {"a small virtual machine with more ranks than cores", small_vm, {}},
          {"Slurm 22.05 with fences by ring", ring_fences, {}},
          {"a cloud with Ceph", cloud, {}},
          {"nodes that share a disk of one host", shared_host, {}},
          {"64 nodes of 8 ranks", [] { return site(64, 8, 8, "lustre", "24.11.5", "Rocky Linux 9.5"); }, {}}};
}

}  // namespace facemae
