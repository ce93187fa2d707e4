#pragma once
// Fills the facts of one rank. Each probe looks at one part of the machine and says "unknown" rather than failing.

#include <string>
#include <vector>

#include "cluster/facts/facts.h"
#include "cluster/facts/machine.h"

namespace facemae {

/// Namespaces, PMIx and the kind of launcher; what MPI tells, and detect_launch(), is the caller's to add.
void probe_launch(const Machine& machine, MpiPlace& mpi);
CpuPlace probe_cpu(const Machine& machine);
MemoryPlace probe_memory(const Machine& machine);
LimitPlace probe_limits(const Machine& machine);
/// What files and CUDA's driver tell; what LibTorch and NCCL say is the caller's to add.
void probe_gpu(const Machine& machine, GpuPlace& gpu);
NetworkPlace probe_network(const Machine& machine);
/// How this node reaches the others: name and addresses of each.
struct Neighbour {
  std::string host;
  std::vector<std::string> addresses;  ///< that its interfaces have, with prefixes
};
std::vector<Way> probe_ways(const Machine& machine, const NetworkPlace& own,
                            const std::vector<Neighbour>& others);
/// Networks that this node and another one have, in which that one does not answer.
std::vector<Way> probe_silent(const Machine& machine, const NetworkPlace& own, const Neighbour& other);
/// The network of an address with its prefix: "10.1.0.0/16" for "10.1.0.7/16".
std::string network_of(const std::string& address);
/// Slurm's settings, those of the job and of its partition; nothing where there is no Slurm.
SlurmPlace probe_slurm(const Machine& machine);
void probe_software(const Machine& machine, SoftwarePlace& software);

/// The folder itself, or the nearest one above it that is there, without links.
Path nearest_folder(const Path& path);
/// Kind, room and age of a folder, or of the nearest one above it that is there. Reads only.
void probe_mount(const Machine& machine, FolderPlace& folder);
/// Writes `rounds` small durable files into the folder and one that is read with O_DIRECT; all are removed again.
void probe_writing(FileSystem& files, FolderPlace& folder, int rounds);

/// The control groups of this process that have such a controller, the deepest first: a limit of any of them holds.
std::vector<Path> control_groups(const Machine& machine, const std::string& controller);

}  // namespace facemae
