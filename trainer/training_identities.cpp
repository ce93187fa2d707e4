#include "trainer/training_identities.h"

#include <torch/torch.h>

#include <algorithm>

#include "checkpoint/weights.h"

namespace facemae {
namespace {

torch::Tensor united(const torch::Tensor& a, const torch::Tensor& b) {
  return std::get<0>(torch::_unique(torch::cat({a, b}), /*sorted=*/true));
}

}  // namespace

torch::Tensor training_identities(const Store& store, const std::string& init) {
  std::vector<std::int64_t> hashes;
  for (std::int64_t label = 0; label < store.identities(); ++label)
    hashes.push_back(training_identity_hash(store.identity_name(label)));
  torch::Tensor before = torch::empty({0}, torch::kInt64);
  if (!init.empty())
    if (const auto known = read_weights(init).training_identities; known.defined()) before = known;
  return united(torch::tensor(hashes, torch::kInt64), before);
}

std::optional<std::string> restore_with_identities(CheckpointStore& checkpoints, const CheckpointInfo& info,
                                                   Snapshot& into, const ClassMap* map) {
  const auto slot = std::find_if(into.replicated.begin(), into.replicated.end(),
                                 [](const auto& tensor) { return tensor.name == kTrainingIdentities; });
  const auto saved = info.shapes.find(kTrainingIdentities);
  if (slot == into.replicated.end() || saved == info.shapes.end())
    return checkpoints.restore(info, into, map);
  const torch::Tensor own = slot->value;
  slot->value = torch::zeros(saved->second, torch::kInt64);
  auto corrupt = checkpoints.restore(info, into, map);
  slot->value = corrupt ? own : united(own, slot->value);
  return corrupt;
}

}  // namespace facemae
