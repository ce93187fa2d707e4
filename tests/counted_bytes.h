#pragma once
// A communicator that counts what is handed to it, in front of another.
#include <torch/types.h>

#include "cluster/tensors/communicator.h"

namespace facemae::test {

class CountedBytes final : public Communicator {
 public:
  explicit CountedBytes(Communicator& ranks) : ranks_(ranks) {}
  std::size_t bytes = 0;  ///< of this rank's own tensors

  int rank() const noexcept override { return ranks_.rank(); }
  int size() const noexcept override { return ranks_.size(); }
  torch::Device device() const noexcept override { return ranks_.device(); }
  Work all_reduce(torch::Tensor tensor, Reduce op) override { return ranks_.all_reduce(counted(tensor), op); }
  Work all_gather(torch::Tensor out, torch::Tensor in) override {
    return ranks_.all_gather(counted(out), in);
  }
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override {
    return ranks_.reduce_scatter(out, counted(in), op);
  }
  Work broadcast(torch::Tensor tensor, int root) override { return ranks_.broadcast(counted(tensor), root); }
  void abort() noexcept override { ranks_.abort(); }

 private:
  torch::Tensor counted(const torch::Tensor& tensor) {
    bytes += tensor.nbytes();
    return tensor;
  }
  Communicator& ranks_;
};

}  // namespace facemae::test
