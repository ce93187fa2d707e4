#include "trainer/input/training_identities.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "checkpoint/tensors/weights.h"
#include "core/log.h"

namespace facemae {
namespace {

using Hashes = std::vector<std::int64_t>;

std::int64_t first_of(const SecretKey& key) {
  std::int64_t value = 0;
  std::memcpy(&value, key.bytes.data(), sizeof value);
  return value;
}

/// Among hashes that were made with keys; older versions, which used none, do not have it.
std::int64_t mark_of_keys() { return first_of(derive({}, "training identities are hashed with a key")); }
/// Among hashes that were made with this key.
std::int64_t mark_of(const SecretKey& key) { return first_of(derive(key, "mark")); }

/// What older versions kept as it is.
std::int64_t without_key(const std::string& name) {
  return static_cast<std::int64_t>(xxh64(bytes_of("facemae training identity\n" + name)));
}
std::int64_t with_key(std::int64_t hash, const SecretKey& key) {
  return first_of(derive(key, "identity", std::as_bytes(std::span(&hash, 1))));
}

Hashes values_of(const torch::Tensor& hashes) {
  if (!hashes.defined()) return {};
  const auto host = hashes.contiguous();
  return {host.const_data_ptr<std::int64_t>(), host.const_data_ptr<std::int64_t>() + host.numel()};
}

bool has(const Hashes& hashes, std::int64_t value) {
  return std::binary_search(hashes.begin(), hashes.end(), value);
}
bool is_keyed(const Hashes& hashes) { return hashes.empty() || has(hashes, mark_of_keys()); }

torch::Tensor united(Hashes a, const Hashes& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  a.erase(std::unique(a.begin(), a.end()), a.end());
  return torch::tensor(a, torch::kInt64);
}

/// What an earlier training noted, as this version keeps it.
Hashes carried_over(const torch::Tensor& before, const std::optional<SecretKey>& key) {
  Hashes hashes = values_of(before);
  if (is_keyed(hashes)) return hashes;
  if (!key) return {};
  for (std::int64_t& hash : hashes) hash = with_key(hash, *key);
  return hashes;
}

}  // namespace

torch::Tensor training_identities(const Store& store, const std::string& init,
                                  const std::optional<SecretKey>& key) {
  Hashes hashes{mark_of_keys()};
  if (key) {
    hashes.push_back(mark_of(*key));
    for (std::int64_t label = 0; label < store.identities(); ++label)
      if (const std::string name = store.identity_name(label); !name.empty())
        hashes.push_back(with_key(without_key(name), *key));
  }
  return united(hashes, init.empty() ? Hashes{} : carried_over(read_weights(init).training_identities, key));
}

torch::Tensor no_training_identities() { return united({mark_of_keys()}, {}); }

std::optional<std::string> restore_with_identities(CheckpointStore& checkpoints, const CheckpointInfo& info,
                                                   Snapshot& into, const std::optional<SecretKey>& key,
                                                   const ClassMap* map) {
  const auto slot = std::find_if(into.replicated.begin(), into.replicated.end(),
                                 [](const auto& tensor) { return tensor.name == kTrainingIdentities; });
  const auto saved = info.shapes.find(kTrainingIdentities);
  if (slot == into.replicated.end() || saved == info.shapes.end())
    return checkpoints.restore(info, into, map);
  const torch::Tensor own = slot->value;
  slot->value = torch::zeros(saved->second, torch::kInt64);
  auto corrupt = checkpoints.restore(info, into, map);
  slot->value = corrupt ? own : united(values_of(own), carried_over(slot->value, key));
  return corrupt;
}

std::optional<std::int64_t> trained_on(const torch::Tensor& hashes, const Store& store,
                                       const std::optional<SecretKey>& key) {
  const Hashes known = values_of(hashes);
  if (known.empty()) return {};
  const bool keyed = is_keyed(known);
  if (keyed && (!key || !has(known, mark_of(*key)))) return {};
  std::int64_t both = 0;
  for (std::int64_t label = 0; label < store.identities(); ++label) {
    const std::int64_t hash = without_key(store.identity_name(label));
    both += has(known, keyed ? with_key(hash, *key) : hash) ? 1 : 0;
  }
  return both;
}

IdentityFacts facts_of(const torch::Tensor& hashes) {
  const Hashes known = values_of(hashes);
  const bool keyed = is_keyed(known);
  const auto count = static_cast<std::int64_t>(known.size());
  return {keyed, keyed ? std::max<std::int64_t>(0, count - 2) : count};
}

}  // namespace facemae
