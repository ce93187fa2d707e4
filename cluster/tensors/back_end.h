#pragma once
// Back ends of tensor collectives as rows of a table, which the program hands to World: one folder and one row
// each. Where one is not built, a row of the same name stands in its place.
#include <torch/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/hang/operation_ring.h"
#include "cluster/host/control.h"
#include "cluster/host/device_vote.h"
#include "cluster/tensors/communicator.h"

namespace facemae {

/// The communicators of one world, opened by all ranks. The destructor never communicates.
class Link {
 public:
  virtual ~Link() = default;
  virtual Communicator& gradients() = 0;
  virtual Communicator& batch() = 0;  ///< may be the same
  virtual OperationRings operations() const = 0;
  /// Orderly end, once all ranks have come to it: waits for what was issued.
  virtual void close() = 0;
};

/// What LibTorch does not tell of GPUs.
struct GpuFacts {
  int driver = 0, runtime = 0;  ///< versions as CUDA gives them (13000 for 13.0), 0: unknown
  std::string name, bus;        ///< of the GPU; "" when unknown, or of none
  bool bfloat16 = false;        ///< it computes in it at full speed
};

struct LinkOptions {
  torch::Device device = torch::kCPU;  ///< of this rank; a GPU is the calling thread's already
  std::chrono::milliseconds deadline;  ///< of one collective
};

struct BackEnd {
  Carrier carrier;  ///< its name, and when it is possible
  bool built = true;
  /// A line of --version: "NCCL 2.28.9", "NCCL: not built".
  std::function<std::string()> version;
  /// All ranks, after the vote. Throws PeerLost.
  std::function<std::unique_ptr<Link>(Control&, const LinkOptions&)> open;
  /// Of the GPU with this number, of CUDA alone without one. Makes no context for the latter. Empty for a back
  /// end that knows nothing of GPUs.
  std::function<GpuFacts(std::optional<int> gpu)> look;
};
/// In the order in which `auto` prefers them; the last one is always possible.
using BackEnds = std::vector<BackEnd>;

}  // namespace facemae
