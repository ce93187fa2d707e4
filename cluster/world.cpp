#include "cluster/world.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "cluster/alone.h"
#include "cluster/call_limit.h"
#include "cluster/device.h"
#include "cluster/launch.h"
#include "cluster/mpi_communicator.h"
#include "cluster/mpi_control.h"
#include "cluster/mpi_session.h"
#include "cluster/nccl_communicator.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"
#ifdef FACEMAE_HAS_NCCL
#include <c10/cuda/CUDAFunctions.h>
#endif

namespace facemae {
namespace {

void flush_logs() noexcept {
  try {
    spdlog::default_logger()->flush();
  } catch (...) {  // the end is near anyway
  }
  std::fflush(nullptr);
}

std::string seconds_text(std::chrono::milliseconds time) {
  return human_seconds(std::chrono::duration<double>(time).count());
}

void use_device([[maybe_unused]] const torch::Device& device) {
#ifdef FACEMAE_HAS_NCCL
  if (device.is_cuda()) c10::cuda::set_device(device.index());
#endif
}

class LonelyWorld final : public World {
 public:
  explicit LonelyWorld(const WorldConfig& config) {
    topology_.host = host_name();
    device_ = choose_device(config, topology_);
    if (config.backend == "nccl" && !device_.is_cuda())
      throw ConfigError("--backend nccl needs a CUDA device, and this process computes on the CPU");
    use_device(device_);
  }
  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return device_; }
  Control& control() override { return control_; }
  Communicator& gradients() override { return gradients_; }
  Communicator& batch() override { return batch_; }
  void close() override {}
  [[noreturn]] void die(int code) noexcept override {
    flush_logs();
    _exit(code);
  }

 private:
  Topology topology_;
  torch::Device device_ = torch::kCPU;
  AloneControl control_;
  AloneCommunicator gradients_, batch_;
};

class RankedWorld final : public World {
 public:
  explicit RankedWorld(const WorldConfig& config)
      : limit_(config.deadline), topology_(mpi_topology()), control_(config.deadline) {
    try {
      agree_on_device(config);
    } catch (const ConfigError&) {
      session_.close();  // all ranks are here: they have voted
      throw;
    }
    use_device(device_);
    open_communicators();
    spdlog::debug("{} rank(s) on {} node(s), {} tensors over {}", topology_.size, topology_.nodes,
                  device_.is_cuda() ? "CUDA" : "CPU", backend_);
  }

  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return device_; }
  Control& control() override { return control_; }
  Communicator& gradients() override { return *gradients_; }
  Communicator& batch() override { return *batch_; }
  OperationRings operations() const override {
    OperationRings rings{control_.operations()};
    for (const auto* mpi : mpi_) rings.push_back(mpi->operations());
    if (nccl_) rings.push_back(nccl_->operations());
    return rings;
  }

  void close() override {
    control_.barrier(limit_);
    for (auto* mpi : mpi_) mpi->drain();
    if (nccl_) nccl_->close();
    mpi_.clear();
    mpi_gradients_.reset();
    mpi_batch_.reset();
    nccl_.reset();
    flush_logs();
    failpoint("world.finalize");
    const CallLimit finalizing(limit_, [this] {
      spdlog::error("MPI_Finalize did not end within {}: a rank is lost. What this run has done is complete",
                    seconds_text(limit_));
      die(static_cast<int>(ExitCode::PeerLost));
    });
    session_.close();
  }

  [[noreturn]] void die(int code) noexcept override {
    flush_logs();
    try {
      std::thread([code] { mpi_abort(code); }).detach();  // may hang when the launcher is gone
      std::this_thread::sleep_for(std::chrono::seconds(2));
    } catch (...) {  // no thread to be had: the launcher notices the exit
    }
    _exit(code);
  }

 private:
  /// Throws ConfigError on all ranks or on none: a rank that threw alone would leave the others waiting for
  /// it.
  void agree_on_device(const WorldConfig& config) {
    std::string failure;
    try {
      device_ = choose_device(config, topology_);
    } catch (const ConfigError& error) {
      failure = error.what();
    }
    if (!control_.all_agree(failure.empty()))
      throw ConfigError(failure.empty()
                            ? "another rank cannot use the device that was asked for; see its message"
                            : failure);
    backend_ = choose_backend(config.backend, control_.all_agree(can_use_nccl(device_, topology_)));
  }

  void open_communicators() {
#ifdef FACEMAE_HAS_NCCL
    if (backend_ == "nccl") {
      nccl_ = std::make_unique<NcclCommunicator>(nccl::real_api(), cuda_streams(device_.index()), control_,
                                                 NcclCommunicator::Options{.deadline = limit_});
      gradients_ = batch_ = nccl_.get();  // one order for all collectives of a device
      return;
    }
#endif
    if (device_.is_cuda())
      spdlog::warn("CUDA tensors go over {} through host copies, which is slow; NCCL needs one GPU per rank",
                   backend_);
    mpi_gradients_ = std::make_unique<MpiCommunicator>("gradients", limit_);
    mpi_batch_ = std::make_unique<MpiCommunicator>("batch", limit_);
    mpi_ = {mpi_gradients_.get(), mpi_batch_.get()};
    gradients_ = mpi_gradients_.get();
    batch_ = mpi_batch_.get();
  }

  std::chrono::milliseconds limit_;
  MpiSession session_;
  Topology topology_;
  torch::Device device_ = torch::kCPU;
  std::string backend_;
  MpiControl control_;
  std::unique_ptr<MpiCommunicator> mpi_gradients_, mpi_batch_;
  std::unique_ptr<NcclCommunicator> nccl_;
  std::vector<MpiCommunicator*> mpi_;
  Communicator* gradients_ = nullptr;
  Communicator* batch_ = nullptr;
};

}  // namespace

std::unique_ptr<World> World::open(const WorldConfig& config) {
  const Launch launch = detect_launch(process_environment());
  if (launch.kind == LaunchKind::Refused) throw ConfigError(launch.reason);
  load_cuda_if_present(config);
  if (launch.kind == LaunchKind::Mpi) {
    const CallLimit joining(config.deadline, [limit = config.deadline] {
      spdlog::error("the ranks did not find together within {}: one has not started, or is stopped",
                    seconds_text(limit));
      flush_logs();
      _exit(static_cast<int>(ExitCode::PeerLost));  // MPI may not be there to abort
    });
    failpoint("world.join");
    return std::make_unique<RankedWorld>(config);
  }
  return std::make_unique<LonelyWorld>(config);
}

std::string nccl_version() {
#ifdef FACEMAE_HAS_NCCL
  return "NCCL " + nccl::library_version();
#else
  return "NCCL: not built";
#endif
}

}  // namespace facemae
