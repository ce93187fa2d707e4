#pragma once
// What one rank knows of the place where it runs: all that `facemae doctor` judges. A number that is unknown is -1, an
// unknown text is empty. As JSON, so that one text per rank is gathered.

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace facemae {

inline constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

struct MpiPlace {
  std::string library;                  ///< MPI_Get_library_version, first line
  std::string built_for;                ///< the same of the headers: "Open MPI 4.1.4"
  std::string path;                     ///< of the library that MPI_Init comes from
  std::string fault;                    ///< why the ranks could not become one world
  std::string launcher;                 ///< "srun", "mpirun", "" alone
  int size = 1, said = -1;              ///< ranks of the world; as many as the launcher speaks of
  int threads = -1;                     ///< MPI_Query_thread, 3 is MPI_THREAD_MULTIPLE; -1: MPI did not start
  std::string pmix, security;           ///< PMIX_VERSION, PMIX_SECURITY_MODE
  bool munge = false;                   ///< its socket is there
  bool yields = false;                  ///< waiting ranks leave their core to others
  std::string user_ns, ipc_ns, pid_ns;  ///< namespaces: "ipc:[4026531839]"
};

struct ThreadPlace {
  std::string name;
  std::vector<int> cores;  ///< that it may use
};
struct CpuPlace {
  std::vector<int> cores;            ///< that this process may use
  std::vector<int> allowed;          ///< that the job may use on this node (cpuset of the cgroup, else all)
  std::vector<int> physical;         ///< of each of `cores`, the lowest sibling on the same physical core
  std::vector<ThreadPlace> threads;  ///< those with fewer cores than the process
  double quota = -1;                 ///< cores' worth of time that the cgroup gives
  std::string model;
  std::vector<std::string> levels;  ///< instruction sets that kernels are chosen by: avx2, avx512f ...
};

struct LeftFile {
  std::string name;
  std::int64_t bytes = 0;
};
struct MemoryPlace {
  std::int64_t available = -1, limit = -1;  ///< bytes: MemAvailable, and the least limit up the cgroup tree
  std::int64_t shm = -1;                    ///< free bytes in /dev/shm
  std::vector<LeftFile> left;               ///< in /dev/shm, of this user, used by no process
};
/// Hard limits of getrlimit; kUnlimited.
struct LimitPlace {
  std::int64_t memlock = -1, files = -1, processes = -1;
};

struct Card {
  std::string bus, name;     ///< "0000:1b:00.0"
  int major = 0, minor = 0;  ///< compute capability
  int mode = 0;              ///< compute mode: 0 default, 2 prohibited, 3 exclusive to a process
  bool remap_pending = false, remap_failed = false;
  std::vector<int> near;  ///< cores of its NUMA node; none: unknown
};
struct GpuPlace {
  std::string driver;       ///< "580.65.06"; "": no driver
  int runtime = 0;          ///< CUDA that LibTorch was built for, 13000 for 13.0
  std::string fault;        ///< why LibTorch cannot compute on the GPU of this rank
  std::vector<Card> cards;  ///< that this rank sees
  std::string own;          ///< the address of the one that it computes on
  std::vector<std::string>
      apart;         ///< pairs of its node without direct access: "0000:1b:00.0 and 0000:3d:00.0"
  std::string nccl;  ///< its version
  std::vector<std::string> nccl_files;  ///< that are loaded
};

struct Interface {
  std::string name = {};
  std::string kind = {};                    ///< loopback, ethernet, infiniband, bridge, virtual
  std::vector<std::string> addresses = {};  ///< IPv4 with the prefix: "10.1.0.7/16"
  bool up = false;
  int speed = -1, mtu = -1;  ///< Mbit/s, bytes
};
/// How the kernel goes to another node.
struct Way {
  std::string host = {}, address = {}, interface = {};
  std::string fault = {};
};
struct FabricPort {
  std::string port;         ///< "mlx5_0/1"
  std::string state, link;  ///< "ACTIVE", "InfiniBand"
  double rate = -1;         ///< Gbit/s
};
struct NetworkPlace {
  std::vector<Interface> interfaces;
  std::vector<std::string> own;  ///< addresses that the node's own name stands for
  std::vector<Way> ways;         ///< to the other nodes
  std::vector<Way> silent;       ///< to addresses of the next node, in networks of both, that do not answer
  std::vector<FabricPort> ports;
  std::string chosen;  ///< OMPI_MCA_btl_tcp_if_include or _exclude, as it is set
};

/// One of the folders that a run works with.
struct FolderPlace {
  std::string role;                          ///< run, store, local, tmp
  std::string path, looked_at;               ///< as given; the nearest folder above it that is there
  std::string kind, source, options, mount;  ///< of its mount: "nfs4", "server:/export", "rw,vers=4.2"
  std::string fault;  ///< why it cannot be looked at, or, of `run` and `local`, written into
  std::int64_t free = -1, inodes = -1;  ///< bytes and files that still fit
  double sync_p50 = -1, sync_p99 = -1;  ///< seconds of a small durable file: write, fsync, rename, fsync
  int direct = -1;                      ///< O_DIRECT reads: 1 work, 0 do not
  double clock = 0;                     ///< seconds by which its clock is ahead of ours
  bool clock_known = false;
  double age = -1;                  ///< days since the oldest file there was changed or read
  int stripes = -1;                 ///< of its largest file, on Lustre
  double seen = -1;                 ///< seconds until all that the other nodes wrote was seen
  std::vector<std::string> unseen;  ///< nodes whose file was not seen
  std::string lock_here,
      lock_there;  ///< a held lock, tried on its node and on this one: held, free, or the refusal
};
struct StorePlace {
  std::string fault;                                   ///< why it cannot be read here
  std::int64_t shards = -1, bytes = -1, largest = -1;  ///< largest: bytes of a shard
  std::string digest;
};
/// What RUN tells of itself.
struct RunPlace {
  std::int64_t checkpoint = -1;  ///< bytes of its newest one
  double save = -1;              ///< seconds that its longest saves took
};

struct SlurmPlace {
  std::string version;
  std::map<std::string, std::string> config, partition, job;  ///< as scontrol shows them
  std::vector<std::string> plugins;                           ///< of srun --mpi=list
  int lead = -1;  ///< seconds of notice that the batch script asks for
};
struct SoftwarePlace {
  std::string program, libtorch, hdf5, libstdcxx, system, kernel, container;
  std::map<std::string, std::string> odd;  ///< variables that change how a run works
};

struct Facts {
  int rank = 0, node = 0;  ///< nodes are numbered by their lowest rank
  std::string host;
  bool first = true;  ///< of its node: only this rank looks at folders
  MpiPlace mpi;
  CpuPlace cpu;
  MemoryPlace memory;
  LimitPlace limits;
  GpuPlace gpu;
  NetworkPlace network;
  std::vector<FolderPlace> folders;
  StorePlace store;
  RunPlace run;
  SlurmPlace slurm;
  SoftwarePlace software;
};

void to_json(nlohmann::json& json, const Facts& facts);
/// What is missing keeps its default.
void from_json(const nlohmann::json& json, Facts& facts);

}  // namespace facemae
