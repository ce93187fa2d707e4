#include "cluster/mpi/mpi_back_end.h"

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/mpi/mpi_session.h"

namespace facemae {
namespace {

class MpiLink final : public Link {
 public:
  explicit MpiLink(const LinkOptions& options)
      : gradients_("gradients", options.deadline, kMpiCount, options.device),
        batch_("batch", options.deadline, kMpiCount, options.device) {}
  Communicator& gradients() override { return gradients_; }
  Communicator& batch() override { return batch_; }
  OperationRings operations() const override { return {gradients_.operations(), batch_.operations()}; }
  void close() override {
    gradients_.drain();
    batch_.drain();
  }

 private:
  MpiCommunicator gradients_, batch_;
};

}  // namespace

BackEnd mpi_back_end() {
  return {.carrier = {.name = "mpi", .title = "MPI", .obstacle = [](const auto&) { return ""; }},
          .version = [] { return mpi_library().version; },
          .open = [](Control&, const LinkOptions& options) { return std::make_unique<MpiLink>(options); }};
}

}  // namespace facemae
