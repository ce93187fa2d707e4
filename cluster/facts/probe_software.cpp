// Versions, the container around us, and variables of the environment that change how a run works.
#include "cluster/facts/probes.h"
#include "cluster/facts/reading.h"

namespace facemae {
namespace {

std::string container_of(const Machine& machine) {
  if (machine.environment("APPTAINER_CONTAINER")) return "Apptainer";
  if (machine.environment("SINGULARITY_CONTAINER")) return "Singularity";
  if (machine.environment("ENROOT_ROOTFS") || machine.environment("PYXIS_CONTAINER")) return "enroot";
  if (machine.environment("CH_RUNNING") || std::filesystem::exists(machine.at("/ch"))) return "Charliecloud";
  if (std::filesystem::exists(machine.at("/run/.containerenv"))) return "Podman";
  if (std::filesystem::exists(machine.at("/.dockerenv"))) return "Docker";
  return "";
}

std::string loaded(const Machine& machine, const std::string& library) {
  for (const auto& line : lines_of(machine.at("/proc/self/maps")))
    if (line.find(library) != std::string::npos) return line.substr(line.find('/'));
  return "";
}

std::string system_name(const Machine& machine) {
  std::string name = value_in(lines_of(machine.at("/etc/os-release")), "PRETTY_NAME");
  std::erase(name, '"');
  return name;
}

}  // namespace

void probe_software(const Machine& machine, SoftwarePlace& software) {
  software.libstdcxx = loaded(machine, "libstdc++.so");
  software.system = system_name(machine);
  software.kernel = text_of(machine.at("/proc/sys/kernel/osrelease"));
  software.container = container_of(machine);
  for (const char* name : {"LD_PRELOAD", "NCCL_P2P_DISABLE", "NCCL_IB_DISABLE", "NCCL_SHM_DISABLE",
                           "NCCL_SOCKET_IFNAME", "NCCL_ALGO", "NCCL_PROTO", "OMP_PROC_BIND", "OMP_PLACES",
                           "GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_WAIT_POLICY", "HDF5_USE_FILE_LOCKING",
                           "CUDA_LAUNCH_BLOCKING", "TORCH_NCCL_BLOCKING_WAIT", "MALLOC_CHECK_"})
    if (const auto value = machine.environment(name)) software.odd[name] = *value;
}

}  // namespace facemae
