#pragma once
// The control plane: small host messages between ranks (plans, votes, digests). Main thread only;
// all ranks, same order.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace facemae {

class Control {
 public:
  virtual ~Control() = default;
  virtual int rank() const noexcept = 0;
  virtual int size() const noexcept = 0;
  virtual std::string broadcast(std::string from_root, int root = 0) = 0;
  virtual std::vector<std::string> gather(const std::string& mine, int root = 0) = 0;  ///< empty off the root
  /// On rank 0 the text of every rank that answers in time; empty elsewhere. Names who is missing, where gather() fails.
  virtual std::vector<std::optional<std::string>> roll_call(const std::string& mine,
                                                            std::chrono::milliseconds limit);
  virtual std::uint64_t any_of(std::uint64_t mask) = 0;  ///< bitwise or over the ranks: the step mask
  bool all_agree(bool mine) { return any_of(mine ? 0 : 1) == 0; }  ///< logical and
  virtual void barrier(std::chrono::milliseconds limit) = 0;       ///< throws PeerLost at the deadline
  bool is_root() const noexcept { return rank() == 0; }
  /// True on all ranks when every rank passed the same text.
  bool same_everywhere(const std::string& text);
};

/// One process: every call returns at once.
class AloneControl final : public Control {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  std::string broadcast(std::string from_root, int) override { return from_root; }
  std::vector<std::string> gather(const std::string& mine, int) override { return {mine}; }
  std::uint64_t any_of(std::uint64_t mask) override { return mask; }
  void barrier(std::chrono::milliseconds) override {}
};

}  // namespace facemae
