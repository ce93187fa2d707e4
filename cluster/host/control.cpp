#include "cluster/host/control.h"

namespace facemae {

bool Control::same_everywhere(const std::string& text) { return all_agree(broadcast(text) == text); }

std::vector<std::optional<std::string>> Control::roll_call(const std::string& mine,
                                                           std::chrono::milliseconds) {
  std::vector<std::optional<std::string>> answers;
  for (auto& text : gather(mine)) answers.emplace_back(std::move(text));
  return answers;
}

}  // namespace facemae
