#pragma once
// Rows of a table of back ends for tests: MPI alone, and one that is no more than its communicators.
#include "cluster/mpi/mpi_back_end.h"
#include "cluster/tensors/alone.h"
#include "cluster/tensors/back_end.h"

namespace facemae::test {

/// What is done with a fake back end.
struct FakeBackEnd {
  std::string obstacle;  ///< why it is not possible; "" when it is
  int opened = 0, closed = 0;
  std::chrono::milliseconds deadline{0};
  Communicator* communicator = nullptr;

  BackEnd row() {
    return {
        .carrier = {.name = "fake", .title = "Fake", .obstacle = [this](const auto&) { return obstacle; }},
        .version = [] { return "Fake 1.0"; },
        .open =
            [this](Control&, const LinkOptions& options) {
              ++opened;
              deadline = options.deadline;
              auto link = std::make_unique<FakeLink>(options.device, closed);
              communicator = &link->gradients();
              return link;
            }};
  }

 private:
  class FakeLink final : public Link {
   public:
    FakeLink(torch::Device device, int& closed) : ranks_(device), closed_(closed) {}
    Communicator& gradients() override { return ranks_; }
    Communicator& batch() override { return ranks_; }
    OperationRings operations() const override { return {ring_}; }
    void close() override { ++closed_; }

   private:
    AloneCommunicator ranks_;
    int& closed_;
    std::shared_ptr<const OperationRing> ring_ = std::make_shared<OperationRing>("fake");
  };
};

inline BackEnds mpi_alone() { return {mpi_back_end()}; }

}  // namespace facemae::test
