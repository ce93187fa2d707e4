// Facts as they are read from trees of files like those of real machines.
#include "cluster/facts/probes.h"

#include <gmock/gmock.h>

#include <tuple>

#include "tests/unit/cluster/facts/fake_machine.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Facts, OfCoresComeFromMasksSiblingsAndThreads) {
  FakeMachine fake;
  fake.file("/proc/self/status", "Name:\tfacemae\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8-9\n");
  for (const int core : {0, 1, 2, 3, 8, 9})
    fake.file("/sys/devices/system/cpu/cpu" + std::to_string(core) + "/topology/thread_siblings_list",
              core >= 8 ? std::to_string(core - 8) + "," + std::to_string(core) + "\n"
                        : std::to_string(core) + "\n");
  fake.file("/sys/devices/system/cpu/online", "0-15\n");
  fake.file("/proc/self/task/7/status", "Cpus_allowed_list:\t0-3,8-9\n");
  fake.file("/proc/self/task/7/comm", "facemae\n");
  fake.file("/proc/self/task/8/status", "Cpus_allowed_list:\t3\n");
  fake.file("/proc/self/task/8/comm", "async\n");
  fake.file("/proc/cpuinfo", "model name\t: AMD EPYC 7763\nflags\t\t: fpu avx2 sse\n");
  const CpuPlace cpu = probe_cpu(fake.machine);
  EXPECT_THAT(cpu.cores, ElementsAre(0, 1, 2, 3, 8, 9));
  EXPECT_THAT(cpu.physical, ElementsAre(0, 1, 2, 3, 0, 1));
  EXPECT_EQ(cpu.allowed.size(), 16U);
  ASSERT_EQ(cpu.threads.size(), 1U);
  EXPECT_EQ(cpu.threads[0].name, "async");
  EXPECT_THAT(cpu.threads[0].cores, ElementsAre(3));
  EXPECT_EQ(cpu.quota, -1);
  EXPECT_EQ(cpu.model, "AMD EPYC 7763");
  EXPECT_THAT(cpu.levels, ElementsAre("avx2"));
}

TEST(Facts, OfCoresComeFromControlGroupsOfVersion2) {
  FakeMachine fake;
  fake.file("/proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  fake.file("/sys/fs/cgroup/slurm/job_7/cpu.max", "250000 100000\n");
  fake.file("/sys/fs/cgroup/slurm/job_7/step_0/cpu.max", "max 100000\n");
  fake.file("/sys/fs/cgroup/slurm/job_7/step_0/cpuset.cpus.effective", "4-7\n");
  fake.file("/sys/fs/cgroup/slurm/job_7/memory.max", "1073741824\n");
  fake.file("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  EXPECT_DOUBLE_EQ(probe_cpu(fake.machine).quota, 2.5);
  EXPECT_THAT(probe_cpu(fake.machine).allowed, ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(probe_memory(fake.machine).limit, 1 << 30);
}

TEST(Facts, OfCoresComeFromControlGroupsOfVersion1) {
  FakeMachine fake;
  fake.file("/proc/self/cgroup", "4:memory:/job\n3:cpuset:/job\n1:cpu,cpuacct:/job\n0::/\n");
  fake.file("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "300000\n");
  fake.file("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  fake.file("/sys/fs/cgroup/cpuset/cpuset.effective_cpus", "0-1\n");
  fake.file("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "2147483648\n");
  fake.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_DOUBLE_EQ(probe_cpu(fake.machine).quota, 3);
  EXPECT_THAT(probe_cpu(fake.machine).allowed, ElementsAre(0, 1));
  EXPECT_EQ(probe_memory(fake.machine).limit, std::int64_t{1} << 31);
}

TEST(Facts, OfArmsProcessorAreNumbers) {
  FakeMachine fake;
  fake.file("/proc/cpuinfo", "CPU implementer\t: 0x41\nCPU part\t: 0xd4f\nFeatures\t: fp asimd sve\n");
  EXPECT_EQ(probe_cpu(fake.machine).model, "implementer 0x41, part 0xd4f");
  EXPECT_THAT(probe_cpu(fake.machine).levels, ElementsAre("asimd", "sve"));
}

TEST(Facts, OfMemoryTellSegmentsThatNobodyMaps) {
  FakeMachine fake;
  fake.file("/proc/meminfo", "MemTotal: 8000 kB\nMemAvailable:    4000 kB\n");
  fake.file("/dev/shm/vader_segment.n1.0.1", "left");
  fake.file("/dev/shm/nccl-abc", "mapped");
  fake.file("/dev/shm/psm_shm.1", "new");
  fake.file("/dev/shm/of_another_program", "other");
  fake.file("/proc/42/maps", "7f00-7f01 rw-s 00000000 00:19 5 /dev/shm/nccl-abc\n");
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (const char* name : {"vader_segment.n1.0.1", "nccl-abc", "of_another_program"})
    std::filesystem::last_write_time(fake.machine.at("/dev/shm") / name, old);
  const MemoryPlace memory = probe_memory(fake.machine);
  EXPECT_EQ(memory.available, 4000 * 1024);
  EXPECT_EQ(memory.limit, -1);
  EXPECT_EQ(memory.shm, 1 << 30);
  ASSERT_EQ(memory.left.size(), 1U);
  EXPECT_EQ(memory.left[0].name, "vader_segment.n1.0.1");
  EXPECT_EQ(memory.left[0].bytes, 4);
  fake.machine.calls.user = [] { return ::geteuid() + 1; };
  EXPECT_THAT(probe_memory(fake.machine).left, IsEmpty()) << "files of others are theirs";
}

TEST(Facts, OfLimitsAreTheHardOnes) {
  FakeMachine fake;
  fake.file("/proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units     \n"
            "Max processes             1000                 96364                processes \n"
            "Max open files            1024                 20000                files     \n"
            "Max locked memory         8388608              unlimited            bytes     \n");
  const LimitPlace limits = probe_limits(fake.machine);
  EXPECT_EQ(limits.files, 20000);
  EXPECT_EQ(limits.processes, 96364);
  EXPECT_EQ(limits.memlock, kUnlimited);
}

TEST(Facts, OfGpusComeFromDriverPciAndMaps) {
  FakeMachine fake;
  fake.file(
      "/proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs)\nGCC version:\n");
  fake.file("/sys/bus/pci/devices/0000:1b:00.0/numa_node", "1\n");
  fake.file("/sys/devices/system/node/node1/cpulist", "8-9\n");
  fake.file(
      "/proc/self/maps",
      "7f00-7f01 r-xp 0 00:19 5   /opt/torch/lib/libnccl.so.2\n7f02-7f03 r--p 0 00:19 5   /opt/torch/lib/libnccl.so.2\n");
  fake.machine.calls.cards = [](std::vector<std::string>& apart) {
    apart = {"a and b"};
    Card card;
    card.bus = "0000:1B:00.0";
    return std::vector<Card>{card};
  };
  GpuPlace gpu;
  probe_gpu(fake.machine, gpu);
  EXPECT_EQ(gpu.driver, "580.65.06");
  ASSERT_EQ(gpu.cards.size(), 1U);
  EXPECT_EQ(gpu.cards[0].bus, "0000:1b:00.0") << "as the rank's own is written";
  EXPECT_THAT(gpu.cards[0].near, ElementsAre(8, 9));
  EXPECT_THAT(gpu.apart, ElementsAre("a and b"));
  EXPECT_THAT(gpu.nccl_files, ElementsAre("/opt/torch/lib/libnccl.so.2"));
}

TEST(Facts, OfGpusAreNoneWithoutADriver) {
  FakeMachine fake;
  fake.machine.calls.cards = [](std::vector<std::string>&) -> std::vector<Card> {
    ADD_FAILURE() << "libraries are loaded for nothing";
    return {};
  };
  GpuPlace gpu;
  probe_gpu(fake.machine, gpu);
  EXPECT_EQ(gpu.driver, "");
}

TEST(Facts, OfNetworksTellKindsAddressesAndPorts) {
  FakeMachine fake;
  const auto interface = [&](const std::string& name, const std::string& type, bool hardware) {
    fake.file("/sys/class/net/" + name + "/type", type + "\n");
    fake.file("/sys/class/net/" + name + "/flags", "0x1003\n");
    fake.file("/sys/class/net/" + name + "/speed", "25000\n");
    fake.file("/sys/class/net/" + name + "/mtu", "9000\n");
    if (hardware) fake.file("/sys/class/net/" + name + "/device/vendor", "0x15b3\n");
  };
  interface("lo", "772", false);
  interface("eth0", "1", true);
  interface("ib0", "32", true);
  interface("docker0", "1", false);
  interface("tun0", "1", false);
  fake.file("/sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE\n");
  fake.file("/sys/class/infiniband/mlx5_0/ports/1/rate", "400 Gb/sec (4X NDR)\n");
  fake.file("/sys/class/infiniband/mlx5_0/ports/1/link_layer", "InfiniBand\n");
  fake.machine.calls.addresses = [] {
    return std::vector<std::pair<std::string, std::string>>{{"eth0", "10.1.0.7/16"}, {"ib0", "10.2.0.7/16"}};
  };
  fake.machine.calls.resolve = [](const std::string& host) {
    if (host == "n3") return Resolved{.addresses = {}, .fault = "Name or service not known"};
    return Resolved{.addresses = {host == "n1" ? "10.1.0.7" : "10.1.0.8"}, .fault = ""};
  };
  fake.machine.calls.source_address = [](const std::string&) { return "10.1.0.7"; };
  fake.variables["OMPI_MCA_btl_tcp_if_include"] = "eth0";
  const NetworkPlace network = probe_network(fake.machine);
  std::vector<std::string> kinds;
  for (const auto& one : network.interfaces) kinds.push_back(one.name + " " + one.kind);
  EXPECT_THAT(
      kinds, ElementsAre("docker0 bridge", "eth0 ethernet", "ib0 infiniband", "lo loopback", "tun0 virtual"));
  EXPECT_EQ(network.interfaces[1].speed, 25000);
  EXPECT_TRUE(network.interfaces[1].up);
  EXPECT_THAT(network.interfaces[1].addresses, ElementsAre("10.1.0.7/16"));
  EXPECT_THAT(network.own, ElementsAre("10.1.0.7"));
  ASSERT_EQ(network.ports.size(), 1U);
  EXPECT_EQ(network.ports[0].state, "ACTIVE");
  EXPECT_EQ(network.ports[0].rate, 400);
  EXPECT_EQ(network.chosen, "OMPI_MCA_btl_tcp_if_include=eth0");
  const auto ways = probe_ways(fake.machine, network, {{"n2", {}}, {"n3", {}}});
  ASSERT_EQ(ways.size(), 2U);
  EXPECT_EQ(ways[0].interface, "eth0");
  EXPECT_EQ(ways[0].fault, "");
  EXPECT_EQ(ways[1].fault, "Name or service not known");
  fake.machine.calls.source_address = [](const std::string&) { return ""; };
  EXPECT_THAT(probe_ways(fake.machine, network, {{"n2", {}}})[0].fault,
              HasSubstr("no way leads to 10.1.0.8"));
}

TEST(Facts, OfLaunchersTellWhichItWas) {
  FakeMachine fake;
  MpiPlace alone;
  probe_launch(fake.machine, alone);
  EXPECT_EQ(alone.launcher, "");
  fake.variables = {{"SLURM_STEP_ID", "0"},
                    {"SLURM_PROCID", "3"},
                    {"SLURM_STEP_NUM_TASKS", "4"},
                    {"PMIX_VERSION", "4.2.2"}};
  fake.link("/proc/self/ns/ipc", "ipc:[7]");
  fake.file("/run/munge/munge.socket.2", "");
  MpiPlace step;
  probe_launch(fake.machine, step);
  EXPECT_EQ(step.launcher, "srun");
  EXPECT_EQ(step.ipc_ns, "ipc:[7]");
  EXPECT_TRUE(step.munge);
  EXPECT_FALSE(step.yields);
  fake.variables["OMPI_MCA_orte_launch"] = "1";
  fake.variables["OMPI_MCA_mpi_oversubscribe"] = "1";
  MpiPlace mpirun;
  probe_launch(fake.machine, mpirun);
  EXPECT_EQ(mpirun.launcher, "mpirun");
  EXPECT_TRUE(mpirun.yields);
  for (const auto& [variable, value, yields] : {std::tuple{"I_MPI_THREAD_YIELD", "1", false},
                                                {"I_MPI_THREAD_YIELD", "2", true},
                                                {"MPIR_CVAR_CH4_PROGRESS_THROTTLE", "1", true}}) {
    FakeMachine other;
    other.variables[variable] = value;
    MpiPlace place;
    probe_launch(other.machine, place);
    EXPECT_EQ(place.yields, yields) << variable << "=" << value;
  }
}

TEST(Facts, OfSlurmComeFromItsCommands) {
  FakeMachine fake;
  EXPECT_EQ(probe_slurm(fake.machine).version, "");
  fake.variables["SLURM_JOB_ID"] = "7";
  fake.commands = {
      {"scontrol show config",
       "Configuration data as of 2026\nKillWait                = 30 sec\nSLURM_VERSION           = 22.05.8\n"
       "MpiDefault              = pmix\nPreemptMode             = CANCEL\n\n\nMPI Plugins Configuration:\nPMIxCollFence           = ring\n"},
      {"srun --mpi=list",
       "MPI plugin types are...\n\tnone\n\tpmix\nspecific pmix plugin versions available: pmix_v4\n"},
      {"scontrol -o show job 7",
       "JobId=7 JobName=a b Requeue=1 Restarts=0 TimeLimit=01:00:00 Partition=main\n"},
      {"scontrol -o show partition main",
       "PartitionName=main GraceTime=60 PreemptMode=REQUEUE MaxTime=UNLIMITED\n"},
      {"scontrol write batch_script 7 -", "#!/bin/bash\n#SBATCH --signal=B:USR2@300\n"}};
  const SlurmPlace slurm = probe_slurm(fake.machine);
  EXPECT_EQ(slurm.version, "22.05.8");
  EXPECT_EQ(slurm.config.at("PMIxCollFence"), "ring");
  EXPECT_EQ(slurm.config.at("KillWait"), "30 sec");
  EXPECT_THAT(slurm.plugins, ElementsAre("none", "pmix", "pmix_v4"));
  EXPECT_EQ(slurm.job.at("Requeue"), "1");
  EXPECT_THAT(slurm.partition, UnorderedElementsAre(Pair("GraceTime", "60"), Pair("PreemptMode", "REQUEUE"),
                                                    Pair("MaxTime", "UNLIMITED")));
  EXPECT_EQ(slurm.lead, 300);
  fake.commands["srun --mpi=list"] = "MPI plugin types are:\n\tcray_shasta, pmi2\n";
  EXPECT_THAT(probe_slurm(fake.machine).plugins, ElementsAre("cray_shasta", "pmi2"));
  fake.commands.erase("scontrol show config");
  EXPECT_THAT(probe_slurm(fake.machine).plugins, IsEmpty()) << "a daemon that does not answer is asked once";
}

TEST(Facts, OfSoftwareTellContainersAndVariables) {
  FakeMachine fake;
  fake.file("/etc/os-release", "NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  fake.file("/proc/sys/kernel/osrelease", "6.1.0\n");
  fake.variables["LD_PRELOAD"] = "/opt/x.so";
  SoftwarePlace software;
  probe_software(fake.machine, software);
  EXPECT_EQ(software.system, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(software.kernel, "6.1.0");
  EXPECT_EQ(software.container, "");
  EXPECT_THAT(software.odd, ElementsAre(Pair("LD_PRELOAD", "/opt/x.so")));
  fake.file("/.dockerenv", "");
  probe_software(fake.machine, software);
  EXPECT_EQ(software.container, "Docker");
  fake.variables["APPTAINER_CONTAINER"] = "/x.sif";
  probe_software(fake.machine, software);
  EXPECT_EQ(software.container, "Apptainer");
}

TEST(Facts, OfFoldersComeFromTheLongestMount) {
  FakeMachine fake;
  const std::string run = (std::filesystem::canonical(fake.root()) / "scratch/run").string();
  fake.file("/scratch/run/old", "x");
  fake.file("/scratch/run/deep/large", std::string(1000, 'x'));
  const std::string mount = std::filesystem::canonical(fake.root() / "scratch").string();
  fake.file("/proc/self/mountinfo",
            "22 1 8:1 / / rw - ext4 /dev/vda rw\n40 22 0:40 / " + mount +
                " rw,noatime shared:1 - lustre mds@tcp:/scratch rw,flock\n41 22 0:41 / " + mount +
                "2 rw - nfs4 a:/b rw\n");
  std::string layout(32, '\0');
  layout[0] = '\xd0', layout[1] = '\x0b', layout[2] = '\xd1', layout[3] = '\x0b', layout[28] = 4;
  fake.machine.calls.attribute = [&](const Path& file, const std::string& name) {
    return name == "lustre.lov" && file.filename() == "large" ? layout : "";
  };
  FolderPlace folder;
  folder.role = "run";
  folder.path = run;
  probe_mount(fake.machine, folder);
  EXPECT_EQ(folder.looked_at, run);
  EXPECT_EQ(folder.kind, "lustre");
  EXPECT_EQ(folder.source, "mds@tcp:/scratch");
  EXPECT_EQ(folder.options, "rw,noatime,rw,flock");
  EXPECT_EQ(folder.free, 1 << 30);
  EXPECT_EQ(folder.stripes, 4);
  EXPECT_GE(folder.age, 0);
  FolderPlace missing;
  missing.role = "run";
  missing.path = run + "/not/there/yet";
  probe_mount(fake.machine, missing);
  EXPECT_EQ(missing.looked_at, run);
  fake.machine.calls.space = [](const Path&) { return std::optional<DiskSpace>(); };
  FolderPlace dead;
  dead.path = run;
  probe_mount(fake.machine, dead);
  EXPECT_THAT(dead.fault, HasSubstr("does not answer"));
}

TEST(Facts, OfWritingLeaveNothingBehind) {
  FakeMachine fake;
  FolderPlace folder;
  folder.looked_at = fake.root().string();
  probe_writing(real_files(), folder, 3);
  EXPECT_EQ(folder.fault, "");
  EXPECT_GT(folder.sync_p50, 0);
  EXPECT_GE(folder.sync_p99, folder.sync_p50);
  EXPECT_TRUE(folder.clock_known);
  EXPECT_LT(std::abs(folder.clock), 1);
  EXPECT_TRUE(std::filesystem::is_empty(fake.root()));
  FolderPlace gone;
  gone.looked_at = (fake.root() / "gone").string();
  probe_writing(real_files(), gone, 3);
  EXPECT_THAT(gone.fault, HasSubstr("No such file"));
}

TEST(Facts, AreUnknownOnAMachineThatTellsNothing) {
  FakeMachine fake;
  EXPECT_THAT(probe_cpu(fake.machine).cores, IsEmpty());
  EXPECT_EQ(probe_memory(fake.machine).available, -1);
  EXPECT_EQ(probe_limits(fake.machine).files, -1);
  EXPECT_THAT(probe_network(fake.machine).interfaces, IsEmpty());
}

}  // namespace
}  // namespace facemae
