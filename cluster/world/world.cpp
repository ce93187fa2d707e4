#include "cluster/world/world.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "cluster/host/call_limit.h"
#include "cluster/host/launch.h"
#include "cluster/mpi/mpi_control.h"
#include "cluster/mpi/mpi_session.h"
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

std::vector<Carrier> carriers_of(const BackEnds& back_ends) {
  std::vector<Carrier> carriers;
  for (const auto& back_end : back_ends) carriers.push_back(back_end.carrier);
  return carriers;
}

class LonelyWorld final : public World {
 public:
  LonelyWorld(const BackEnds& back_ends, const WorldConfig& config, const Accelerator& gpus,
              const std::string& load_error)
      : topology_{.cores = available_cores(), .host = host_name()},
        found_(find_device(config, back_ends, gpus, topology_, load_error)),
        gradients_(found_.device),
        batch_(found_.device) {
    bfloat16_ =
        agree_on_devices(control_, found_.report, config.device, config.backend, carriers_of(back_ends))
            .bfloat16;
    use_device(found_.device);
  }
  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return found_.device; }
  std::string accelerator() const override { return found_.report.name; }
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
  RankedWorld(const BackEnds& back_ends, const WorldConfig& config, const Accelerator& gpus,
              const Launch& launch, const std::string& load_error)
      : limit_(config.deadline),
        session_(words_of_failed_start(launch, mpi_library())),
        topology_(mpi_topology()),
        control_(config.deadline) {
    try {
      if (const std::string fault = fault_of_world(launch, topology_.size, mpi_library()); !fault.empty())
        throw ConfigError(fault);
      const FoundDevice found = find_device(config, back_ends, gpus, topology_, load_error);
      device_ = found.device;
      accelerator_ = found.report.name;
      vote_ = agree_on_devices(control_, found.report, config.device, config.backend, carriers_of(back_ends));
    } catch (const PeerLost&) {
      throw;  // nobody is left to end with
    } catch (const Error&) {
      session_.close();  // all ranks are here: they have voted
      throw;
    }
    if (control_.is_root() && !vote_.warning.empty()) spdlog::warn("{}", vote_.warning);
    use_device(device_);
    for (const auto& back_end : back_ends)
      if (back_end.carrier.name == vote_.backend)
        link_ = back_end.open(control_, {.device = device_, .deadline = limit_});
    spdlog::debug("{} rank(s) on {} node(s), {} tensors over {}", topology_.size, topology_.nodes,
                  device_.is_cpu() ? "CPU" : "GPU", vote_.backend);
  }

  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return device_; }
  std::string accelerator() const override { return accelerator_; }
  bool bfloat16() const noexcept override { return vote_.bfloat16; }
  Control& control() override { return control_; }
  Communicator& gradients() override { return link_->gradients(); }
  Communicator& batch() override { return link_->batch(); }
  OperationRings operations() const override {
    OperationRings rings{control_.operations()};
    for (auto& ring : link_->operations()) rings.push_back(std::move(ring));
    return rings;
  }

  void close() override {
    control_.barrier(limit_);
    link_->close();
    link_.reset();
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
  std::chrono::milliseconds limit_;
  MpiSession session_;
  Topology topology_;
  torch::Device device_ = torch::kCPU;
  std::string accelerator_;
  DeviceVote vote_;
  MpiControl control_;
  std::unique_ptr<Link> link_;
};

}  // namespace

std::unique_ptr<World> World::open(const BackEnds& back_ends, const WorldConfig& config) {
  return open_world(back_ends, config, cuda_accelerator());
}

std::unique_ptr<World> open_world(const BackEnds& back_ends, const WorldConfig& config,
                                  const Accelerator& gpus) {
  const Launch launch = detect_launch(process_environment(), mpi_library());
  if (launch.kind == LaunchKind::Refused) throw ConfigError(launch.reason);
  const std::string load_error = config.device == "cpu" ? "" : gpus.load();
  if (launch.kind == LaunchKind::Mpi) {
    const CallLimit joining(config.deadline, [limit = config.deadline] {
      spdlog::error("not all ranks joined within {}: one did not start or is stopped", seconds_text(limit));
      flush_logs();
      _exit(static_cast<int>(ExitCode::PeerLost));  // MPI may not be there to abort
    });
    failpoint("world.join");
    return std::make_unique<RankedWorld>(back_ends, config, gpus, launch, load_error);
  }
  return std::make_unique<LonelyWorld>(back_ends, config, gpus, load_error);
}

bool launched_alone() {
  return detect_launch(process_environment(), mpi_library()).kind == LaunchKind::Alone;
}

}  // namespace facemae
