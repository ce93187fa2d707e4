#pragma once
// Who we are and how we talk: opens MPI when (and only when) a launcher started us, and
// owns the communicators.
#include <chrono>
#include <memory>
#include <string>

#include "cluster/hang/operation_ring.h"
#include "cluster/host/control.h"
#include "cluster/host/topology.h"
#include "cluster/tensors/back_end.h"
#include "cluster/tensors/communicator.h"

namespace facemae {

struct WorldConfig {
  std::string backend = "auto";  ///< auto, or the name of a back end of tensor collectives
  std::string device = "auto";   ///< auto | cpu | cuda | mixed: what each rank has
  /// Of a single wait for the other ranks; also of MPI_Init with all that ranks do to join, and of
  /// MPI_Finalize, which know no deadline: the process ends with 75.
  std::chrono::milliseconds deadline = std::chrono::hours(24);
};

/// One per process, made by main. Tells a launcher by what it leaves in the environment; throws ConfigError for the
/// processes of one that is not the loaded MPI's (cluster/host/launch.h: they would be independent runs). The destructor
/// never communicates.
class World {
 public:
  /// Throws ConfigError for devices or a back end that cannot be had, AgreedError (75, "DeviceLost") when
  /// single hosts lack what the others have; on all ranks alike, and MPI has ended then.
  static std::unique_ptr<World> open(const BackEnds& back_ends, const WorldConfig& config);
  virtual ~World() = default;
  virtual const Topology& topology() const noexcept = 0;
  virtual torch::Device device() const noexcept = 0;
  /// The model of this rank's accelerator, "" on a CPU.
  virtual std::string accelerator() const { return ""; }
  /// Every rank computes on a GPU that has bfloat16 at full speed (of 2020 or newer).
  virtual bool bfloat16() const noexcept { return false; }
  virtual Control& control() = 0;
  virtual Communicator& gradients() = 0;  ///< for gradient buckets
  /// For everything else that carries tensors: the class-sharded softmax and the gathers of IRM inside the graph,
  /// metrics, slices of a checkpoint. Of its own, so that gradients need not wait for it; over NCCL the same one.
  virtual Communicator& batch() = 0;
  /// The last operations of each communicator and of Control; none alone.
  virtual OperationRings operations() const { return {}; }
  /// Orderly end: all ranks; then MPI_Finalize.
  virtual void close() = 0;
  /// Disorderly end, never returns: MPI_Abort(code) from a helper thread, _exit(code) 2 s later.
  [[noreturn]] virtual void die(int code) noexcept = 0;
};

/// No launcher started this process as a rank: what World::open would find. Opens nothing.
bool launched_alone();

}  // namespace facemae
