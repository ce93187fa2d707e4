#include "cluster/tensors/alone.h"

#include "cluster/tensors/shapes.h"
#include "core/error.h"

namespace facemae {
namespace {

void copy(torch::Tensor& out, const torch::Tensor& in) {
  const torch::NoGradGuard no_grad;
  out.view({-1}).copy_(in.view({-1}));
}

}  // namespace

void AloneCommunicator::check_alive() const {
  if (aborted_) throw PeerLost("a collective of one process was called after abort()");
}

Work AloneCommunicator::all_reduce(torch::Tensor tensor, Reduce) {
  check_tensor(tensor, device_, "all_reduce");
  check_alive();
  return {};
}

Work AloneCommunicator::all_gather(torch::Tensor out, torch::Tensor in) {
  check_parts(out, in, 1, device_, "all_gather");
  check_alive();
  copy(out, in);
  return {};
}

Work AloneCommunicator::reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce) {
  check_parts(in, out, 1, device_, "reduce_scatter");
  check_alive();
  copy(out, in);
  return {};
}

Work AloneCommunicator::broadcast(torch::Tensor tensor, int root) {
  check_tensor(tensor, device_, "broadcast");
  check_root(root, 1);
  check_alive();
  return {};
}

}  // namespace facemae
