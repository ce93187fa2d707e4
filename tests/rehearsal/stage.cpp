#include "tests/rehearsal/stage.h"

#include "cluster/mpi/mpi_back_end.h"
#include "cluster/nccl/nccl_back_end.h"
#include "tests/rehearsal/device.h"
#include "tests/rehearsal/streams.h"

namespace facemae::rehearsal {
namespace {

class StandInLink final : public Link {
 public:
  StandInLink(std::shared_ptr<Wire> wire, nccl::Api api, std::shared_ptr<GpuStreams> streams,
              Control& control, const LinkOptions& options)
      : wire_(std::move(wire)),
        ranks_(std::move(api), std::move(streams), control,
               {.deadline = options.deadline, .watch_every = std::chrono::milliseconds(10)}) {}
  Communicator& gradients() override { return ranks_; }
  Communicator& batch() override { return ranks_; }
  OperationRings operations() const override { return {ranks_.operations()}; }
  void close() override { ranks_.close(); }

 private:
  std::shared_ptr<Wire> wire_;
  NcclCommunicator ranks_;
};

}  // namespace

BackEnds Stage::back_ends() {
  Carrier carrier = nccl_carrier();
  if (obstacle) carrier.obstacle = obstacle;
  const auto open = [this](Control& control, const LinkOptions& options) -> std::unique_ptr<Link> {
    wire = std::make_shared<Wire>();
    auto streams = stand_in_streams(options.device);
    return std::make_unique<StandInLink>(
        wire, wire->api(), around_streams ? around_streams(streams) : streams, control, options);
  };
  const auto look = [this](std::optional<int> gpu) -> GpuFacts {
    GpuFacts facts{.driver = 13000, .runtime = 13000};
    if (!gpu) return facts;
    facts.name = "stand-in";
    facts.bus = bus ? bus() : "0000:0" + std::to_string(*gpu) + ":00.0";
    return facts;  // not of bfloat16: what is not asked for is computed in float32, as on CPUs
  };
  return {{.carrier = carrier, .version = [] { return "stand-in for NCCL"; }, .open = open, .look = look},
          mpi_back_end()};
}

Accelerator Stage::gpus() {
  return {.type = kType,
          .present = [] { return true; },
          .load =
              [] {
                install();
                return std::string();
              },
          .count = [this] { return devices; }};
}

}  // namespace facemae::rehearsal
