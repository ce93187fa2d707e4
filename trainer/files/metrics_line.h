#pragma once
// One line of metrics.jsonl, which the parts of a run fill in turn; TensorBoard gets the same figures.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace facemae {

class MetricsLine {
 public:
  /// After `step` steps of `batch` images each, over a store of `store_images`.
  MetricsLine(std::uint64_t step, std::uint64_t batch, std::uint64_t store_images)
      : json_({{"step", step},
               {"images", step * batch},
               {"epoch", static_cast<double>(step * batch) / static_cast<double>(store_images)}}) {}

  void add(const std::string& name, double value) {
    json_[name] = value;
    figures_.emplace_back(name, value);
  }
  std::string text() const { return json_.dump(); }  ///< without a line end
  /// What was added, in order.
  const std::vector<std::pair<std::string, double>>& figures() const { return figures_; }

 private:
  nlohmann::ordered_json json_;
  std::vector<std::pair<std::string, double>> figures_;
};

}  // namespace facemae
