// One fault each of network, folders, Slurm and software in a healthy machine.
#include "tests/unit/cluster/doctor/plant.h"

namespace facemae {
namespace {

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
  const auto problem = State::Problem, warning = State::Warning;
  return {
      {"a name of 127.0.1.1", "net.names", warning, kThird, "127.0.1.1",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.network.own = {"127.0.1.1"}; }))},
      {"no name", "net.names", problem, kThird, "stands for no address",
       planted(four_nodes, on_node(3, [](Facts& facts) { facts.network.own.clear(); }))},
      {"a node that is not found", "net.names", problem, kThird, "does not find n1",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (facts.first)
                                       facts.network.ways[0] = {.host = "n1",
                                                                .address = "",
                                                                .interface = "",
                                                                .fault = "Name or service not known"};
                                   }))},
      {"another network", "net.way", warning, kThird, "192.168.7.0/24, others by 10.1.0.0/16",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     facts.network.interfaces[1].name = "eth1";
                                     facts.network.interfaces[1].addresses = {"192.168.7.3/24"};
                                     for (auto& way : facts.network.ways) way.interface = "eth1";
                                   }))},
      {"no way", "net.way", problem, kThird, "no way leads",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     for (auto& way : facts.network.ways)
                                       way.fault = "no way leads to it", way.interface = "";
                                   }))},
      {"a network that leads nowhere", "net.way", problem, kAll4,
       "eth9 leads nowhere: other nodes do not answer in 10.99.0.0/24",
       planted(four_nodes, everywhere(lead_nowhere))},
      {"a network that leads nowhere beside a fabric", "net.way", warning, kAll4, "eth9 leads nowhere",
       planted(with_gpus, everywhere(lead_nowhere))},
      {"Docker's bridges", "net.bridges", problem, kAll4, "docker0 has one address on several nodes",
       planted(four_nodes, everywhere(add_docker))},
      {"Docker's bridges beside a fabric", "net.bridges", warning, kAll4, "docker0",
       planted(with_gpus, everywhere(add_docker))},
      {"one address on two nodes",
       "net.bridges",
       problem,
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
      {"a port that is down", "net.fabric", problem, kThird, "port mlx5_0/1 is down",
       planted(with_gpus, on_node(3, [](Facts& facts) { facts.network.ports[0].state = "DOWN"; }))},
  };
}

Faults faults_of_folders() {
  const auto problem = State::Problem, warning = State::Warning;
  return {
      {"NFS without locks", "fs.kind", warning, kAll2, "with nolock",
       planted(two_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.options = "rw,nolock"; }))},
      {"a run in memory", "fs.kind", warning, kOne, "lies on tmpfs",
       planted(one_node, in_folder(0, "run", [](FolderPlace& folder) { folder.kind = "tmpfs"; }))},
      {"different file systems", "fs.kind", warning, kAll4, "gpfs on n3, lustre on n[1-2,4]",
       planted(four_nodes, in_folder(3, "store",
                                     [](FolderPlace& folder) {
                                       folder.kind = "gpfs";
                                       folder.stripes = -1;
                                     }))},
      {"a disk of each node", "fs.kind", problem, kAll4, "a disk of the node (xfs)",
       planted(four_nodes, in_folder(0, "run",
                                     [](FolderPlace& folder) {
                                       folder.kind = "xfs";
                                       folder.seen = -1;
                                     }))},
      {"slow names", "fs.seen", warning, kThird, "after 9.0 s only",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.seen = 9; }))},
      {"one node has another folder", "fs.seen", problem, kThird, "does not see what n1 wrote",
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
       problem,
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
      {"locks of a node alone", "fs.locks", warning, kAll4, "not seen on other nodes",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.lock_there = "free"; }))},
      {"no locks", "fs.locks", warning, kOne, "No locks available",
       planted(four_nodes,
               in_folder(1, "run", [](FolderPlace& folder) { folder.lock_here = "No locks available"; }))},
      {"a clock 10 s behind", "fs.clock", warning, kThird, "10 s behind",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.clock = 10; }))},
      {"a clock an hour ahead", "fs.clock", problem, kThird, "3600 s ahead of",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.clock = -3600; }))},
  };
}

Faults faults_of_storage() {
  const auto problem = State::Problem, warning = State::Warning;
  return {
      {"slow commits", "fs.sync", warning, kThird, "takes up to 4.0 s",
       planted(four_nodes, in_folder(3, "run", [](FolderPlace& folder) { folder.sync_p99 = 4; }))},
      {"a run that cannot be written", "fs.sync", problem, kAll4, "Read-only file system",
       planted(four_nodes, in_folder(0, "run",
                                     [](FolderPlace& folder) {
                                       folder.fault = "creating /scratch/me/run1/x: Read-only file system";
                                       folder.seen = folder.sync_p50 = folder.sync_p99 = -1;
                                       folder.direct = -1;
                                       folder.clock_known = false;
                                       folder.lock_here = folder.lock_there = "";
                                     }))},
      {"little room", "fs.room", warning, kAll4, "room for 3.0 GiB",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.free = 3 * kGiB; }))},
      {"no room", "fs.room", problem, kAll4, "room for 100.0 MiB",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.free = 100 * kMiB; }))},
      {"room for three checkpoints", "fs.room", problem, kAll4, "a checkpoint takes 2.0 GiB",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks[0].run.checkpoint = 2 * kGiB;
                 in_folder(0, "run", [](FolderPlace& folder) { folder.free = 6 * kGiB; })(all);
               })},
      {"few inodes", "fs.room", warning, kAll4, "only 500 more files",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.inodes = 500; }))},
      {"no inodes", "fs.room", problem, kAll4, "only 3 more files",
       planted(four_nodes, in_folder(0, "run", [](FolderPlace& folder) { folder.inodes = 3; }))},
      {"large shards on one server", "fs.stripes", warning, kAll4, "one server each",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].store.largest = 8 * kGiB; })},
      {"old files", "fs.age", warning, kAll4, "were not touched for 40 days",
       planted(four_nodes, in_folder(0, "store", [](FolderPlace& folder) { folder.age = 40; }))},
      {"a node without the store", "store.readable", problem, kThird, "no such store",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (facts.first)
                                       facts.store = {.fault = "no such store",
                                                      .shards = -1,
                                                      .bytes = -1,
                                                      .largest = -1,
                                                      .digest = ""};
                                   }))},
      {"no store anywhere", "store.readable", problem, kAll4, "no such store",
       planted(four_nodes, everywhere([](Facts& facts) {
                 if (facts.first)
                   facts.store = {
                       .fault = "no such store", .shards = -1, .bytes = -1, .largest = -1, .digest = ""};
               }))},
      {"another store on a node", "store.readable", problem, kThird, "another store there than n1",
       planted(four_nodes, on_node(3,
                                   [](Facts& facts) {
                                     if (facts.first) facts.store.digest = "d2";
                                   }))},
      {"a local disk without room", "local.room", warning, kThird, "the store has 50.0 GiB",
       planted(four_nodes,
               [](Gathered& all) {
                 put_folder(all, "local", "/local", "xfs");
                 in_folder(3, "local", [](FolderPlace& folder) { folder.free = kGiB; })(all);
               })},
      {"a local disk that is none", "local.room", warning, kAll4, "no disk of the node (nfs4)",
       planted(four_nodes, [](Gathered& all) { put_folder(all, "local", "/nfs/local", "nfs4"); })},
      {"a local disk that fails", "local.room", problem, kThird, "Input/output error",
       planted(four_nodes,
               [](Gathered& all) {
                 put_folder(all, "local", "/local", "xfs");
                 in_folder(3, "local", [](FolderPlace& folder) { folder.fault = "Input/output error"; })(all);
               })},
  };
}

Faults faults_of_slurm_and_software() {
  const auto warning = State::Warning;
  return {
      {"KillWait shorter than a save", "slurm.config", warning, kAll4, "KillWait is 30 s, a save takes 90 s",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].run.save = 90; })},
      {"preempted without grace", "slurm.config", warning, kAll4, "cancelled without time",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks[0].slurm.partition = {{"PreemptMode", "CANCEL"}, {"GraceTime", "0"}};
               })},
      {"not requeued", "slurm.job", warning, kAll4, "not to be requeued",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].slurm.job["Requeue"] = "0"; })},
      {"notice too late", "slurm.job", warning, kAll4, "notice comes 60 s before",
       planted(four_nodes,
               [](Gathered& all) {
                 all.ranks[0].slurm.lead = 60;
                 all.ranks[0].run.save = 20;
               })},
      {"notice before the job", "slurm.job", warning, kAll4, "of a job of 240 s",
       planted(four_nodes, [](Gathered& all) { all.ranks[0].slurm.job["TimeLimit"] = "00:04:00"; })},
      {"a library put before all others",
       "env.odd",
       warning,
       {"n2"},
       "LD_PRELOAD=/opt/xalt.so",
       planted(four_nodes, variable("LD_PRELOAD", "/opt/xalt.so"))},
      {"NCCL on the loopback",
       "env.odd",
       warning,
       {"n2"},
       "NCCL_SOCKET_IFNAME=lo",
       planted(four_nodes, variable("NCCL_SOCKET_IFNAME", "lo"))},
      {"bound threads",
       "env.odd",
       warning,
       {"n2"},
       "OMP_PROC_BIND=close",
       planted(four_nodes, variable("OMP_PROC_BIND", "close"))},
  };
}

}  // namespace

Faults faults_of_places() {
  Faults all;
  for (auto& faults :
       {faults_of_network(), faults_of_folders(), faults_of_storage(), faults_of_slurm_and_software()})
    all.insert(all.end(), faults.begin(), faults.end());
  return all;
}

}  // namespace facemae
