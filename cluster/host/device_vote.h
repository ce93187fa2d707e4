#pragma once
// Do the ranks' devices belong together, and what carries their tensors? One node with a broken driver must
// not drag the whole job onto its CPUs, and a job must not become slow without a word.
#include <string>
#include <vector>

#include "cluster/host/control.h"
#include "core/error.h"

namespace facemae {

/// What one rank found where it runs.
struct DeviceReport {
  int rank = 0, node = 0;
  std::string host;
  bool gpu = false;       ///< it computes on one
  std::string fault;      ///< else why not, where one was looked for
  std::string name;       ///< of the GPU: "NVIDIA H100 80GB HBM3"
  std::string driver;     ///< what it can do: "CUDA 13.0"
  std::string bus;        ///< the GPU's PCI address, which tells whether ranks of a host share one
  bool nccl = false;      ///< the program was built with NCCL
  bool bfloat16 = false;  ///< the GPU computes in it at full speed
};

struct DeviceVote {
  std::string backend = "mpi";  ///< nccl | mpi
  bool bfloat16 = false;        ///< every rank's GPU has it
  std::string warning;          ///< what is worth a line although it works
  /// Why the job may not go on, and the code that says what would help: BadConfiguration when the user must
  /// change something, PeerLost when single hosts lack what the others have, which then are named.
  std::string refusal;
  ExitCode code = ExitCode::Done;
};

/// Pure. device: auto | cpu | cuda | mixed, backend: auto | mpi | nccl, as asked for. Unless mixed was asked
/// for, all ranks must compute on the same model of GPU with the same driver, or all on CPUs.
DeviceVote vote_on_devices(const std::vector<DeviceReport>& of_ranks, const std::string& device,
                           const std::string& backend);

/// All ranks. Every rank gets the same vote, or the same exception: ConfigError, or
/// AgreedError (75, "DeviceLost").
DeviceVote agree_on_devices(Control& control, const DeviceReport& mine, const std::string& device,
                            const std::string& backend);

/// Pure. Why LibTorch sees no GPU although the machine has NVIDIA's driver; versions as CUDA gives them
/// (13000 for 13.0, 0 when unknown).
std::string why_no_gpu(int driver_version, int runtime_version, const std::string& load_error);
std::string cuda_version_text(int version);  ///< "CUDA 13.0"

}  // namespace facemae
