#include "cluster/nccl/nccl_back_end.h"

#include "cluster/nccl/cuda_facts.h"
#include "cluster/nccl/nccl_communicator.h"

namespace facemae {
namespace {

/// One communicator for everything: one order for all collectives of a device.
class NcclLink final : public Link {
 public:
  NcclLink(Control& control, const LinkOptions& options)
      : ranks_(nccl::real_api(), cuda_streams(options.device.index()), control,
               NcclCommunicator::Options{.deadline = options.deadline}) {}
  Communicator& gradients() override { return ranks_; }
  Communicator& batch() override { return ranks_; }
  OperationRings operations() const override { return {ranks_.operations()}; }
  void close() override { ranks_.close(); }

 private:
  NcclCommunicator ranks_;
};

}  // namespace

BackEnd nccl_back_end() {
  return {.carrier = nccl_carrier(),
          .version = [] { return "NCCL " + nccl::library_version(); },
          .open = [](Control& control,
                     const LinkOptions& options) { return std::make_unique<NcclLink>(control, options); },
          .look = cuda_facts};
}

}  // namespace facemae
