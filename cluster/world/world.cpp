#include "cluster/world/world.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "cluster/host/call_limit.h"
#include "cluster/host/launch.h"
#include "cluster/mpi/mpi_communicator.h"
#include "cluster/mpi/mpi_control.h"
#include "cluster/mpi/mpi_session.h"
#include "cluster/nccl/nccl_communicator.h"
#include "cluster/tensors/alone.h"
#include "cluster/world/device.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"

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

class LonelyWorld final : public World {
 public:
  LonelyWorld(const WorldConfig& config, const std::string& load_error)
      : topology_{.host = host_name()},
        found_(find_device(config, topology_, load_error)),
        gradients_(found_.device),
        batch_(found_.device) {
    bfloat16_ = agree_on_devices(control_, found_.report, config.device, config.backend).bfloat16;
    use_device(found_.device);
  }
  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return found_.device; }
  bool bfloat16() const noexcept override { return bfloat16_; }
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
  FoundDevice found_;
  bool bfloat16_ = false;
  AloneControl control_;
  AloneCommunicator gradients_, batch_;
};

class RankedWorld final : public World {
 public:
  RankedWorld(const WorldConfig& config, const std::string& load_error)
      : limit_(config.deadline), topology_(mpi_topology()), control_(config.deadline) {
    try {
      const FoundDevice found = find_device(config, topology_, load_error);
      device_ = found.device;
      vote_ = agree_on_devices(control_, found.report, config.device, config.backend);
    } catch (const PeerLost&) {
      throw;  // nobody is left to end with
    } catch (const Error&) {
      session_.close();  // all ranks are here: they have voted
      throw;
    }
    if (control_.is_root() && !vote_.warning.empty()) spdlog::warn("{}", vote_.warning);
    use_device(device_);
    open_communicators();
    spdlog::debug("{} rank(s) on {} node(s), {} tensors over {}", topology_.size, topology_.nodes,
                  device_.is_cuda() ? "CUDA" : "CPU", vote_.backend);
  }

  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return device_; }
  bool bfloat16() const noexcept override { return vote_.bfloat16; }
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
  void open_communicators() {
#ifdef FACEMAE_HAS_NCCL
    if (vote_.backend == "nccl") {
      nccl_ = std::make_unique<NcclCommunicator>(nccl::real_api(), cuda_streams(device_.index()), control_,
                                                 NcclCommunicator::Options{.deadline = limit_});
      gradients_ = batch_ = nccl_.get();  // one order for all collectives of a device
      return;
    }
#endif
    mpi_gradients_ = std::make_unique<MpiCommunicator>("gradients", limit_, kMpiCount, device_);
    mpi_batch_ = std::make_unique<MpiCommunicator>("batch", limit_, kMpiCount, device_);
    mpi_ = {mpi_gradients_.get(), mpi_batch_.get()};
    gradients_ = mpi_gradients_.get();
    batch_ = mpi_batch_.get();
  }

  std::chrono::milliseconds limit_;
  MpiSession session_;
  Topology topology_;
  torch::Device device_ = torch::kCPU;
  DeviceVote vote_;
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
  const std::string load_error = load_cuda_if_present(config);
  if (launch.kind == LaunchKind::Mpi) {
    const CallLimit joining(config.deadline, [limit = config.deadline] {
      spdlog::error("the ranks did not find together within {}: one has not started, or is stopped",
                    seconds_text(limit));
      flush_logs();
      _exit(static_cast<int>(ExitCode::PeerLost));  // MPI may not be there to abort
    });
    failpoint("world.join");
    return std::make_unique<RankedWorld>(config, load_error);
  }
  return std::make_unique<LonelyWorld>(config, load_error);
}

std::string nccl_version() {
#ifdef FACEMAE_HAS_NCCL
  return "NCCL " + nccl::library_version();
#else
  return "NCCL: not built";
#endif
}

}  // namespace facemae
