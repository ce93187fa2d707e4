#pragma once
// Control over MPI: non-blocking calls and a test loop, so that every call has a deadline.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/hang/operation_ring.h"
#include "cluster/host/control.h"

namespace facemae {

class MpiControl final : public Control {
 public:
  /// Over a duplicate of MPI_COMM_WORLD. limit: of every call but barrier, which has its own.
  /// All ranks, same order.
  explicit MpiControl(std::chrono::milliseconds limit);
  ~MpiControl() override;

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  std::string broadcast(std::string from_root, int root = 0) override;
  std::vector<std::string> gather(const std::string& mine, int root = 0) override;
  std::vector<std::optional<std::string>> roll_call(const std::string& mine,
                                                    std::chrono::milliseconds limit) override;
  std::uint64_t any_of(std::uint64_t mask) override;
  void barrier(std::chrono::milliseconds limit) override;

  std::shared_ptr<const OperationRing> operations() const { return operations_; }

 private:
  struct Call;  // the requests and buffers of one call
  /// Runs `start`, then tests the call's requests until all are done; throws PeerLost at the deadline.
  void complete(const std::string& what, const std::shared_ptr<Call>& call, std::chrono::milliseconds limit,
                const std::function<void(Call&)>& start);

  struct Comm;
  std::unique_ptr<Comm> comm_;
  std::chrono::milliseconds limit_;
  int rank_ = 0, size_ = 1, roll_calls_ = 0;
  std::shared_ptr<OperationRing> operations_ = std::make_shared<OperationRing>("control");
  std::string lost_;  // why no call can succeed any more
};

}  // namespace facemae
