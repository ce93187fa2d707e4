#include "checkpoint/pytorch/state_dict.h"

#include <map>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

using Kind = PickleValue::Kind;

constexpr int kDeepest = 8;  // a dict may hold itself

/// Under which names trainings keep the weights: Lightning, MAE and timm, arcface_torch, and others.
constexpr std::string_view kKeysOfWeights[] = {
    "state_dict", "model_state_dict", "state_dict_backbone", "model", "backbone", "network", "net", "module"};

bool has_tensors(const Pickle& pickle, const PickleValue& dict) {
  for (std::size_t i = 1; i < dict.items.size(); i += 2)
    if (pickle.at(dict.items[i]).kind == Kind::Tensor) return true;
  return false;
}

const PickleValue* weights_within(const Pickle& pickle, const PickleValue& value, int depth) {
  if (value.kind != Kind::Dict || depth == kDeepest) return nullptr;
  for (const auto key : kKeysOfWeights)
    if (const auto* inner = entry_of(pickle, value, key); inner != nullptr && inner->kind == Kind::Dict)
      if (const auto* found = weights_within(pickle, *inner, depth + 1)) return found;
  return has_tensors(pickle, value) ? &value : nullptr;
}

std::string keys_of(const Pickle& pickle, const PickleValue& dict) {
  constexpr std::size_t kMostKeys = 12, kMostLetters = 60;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i + 1 < dict.items.size() && keys.size() < kMostKeys; i += 2)
    keys.push_back(fmt::format("{}: {}", pickle.at(dict.items[i]).bytes.substr(0, kMostLetters),
                               told(pickle.at(dict.items[i + 1]))));
  return join(keys, ", ");
}

}  // namespace

std::vector<StateEntry> state_dict_in(const TorchPickle& content, const std::string& from) {
  const Pickle& pickle = content.pickle;
  const PickleValue& root = pickle.root();
  const auto* dict = weights_within(pickle, root, 0);
  if (dict == nullptr)
    throw DataError(fmt::format(
        "reading {}: it has no dict of tensors by name, as state_dict() makes it, but {}{}. In PyTorch: "
        "torch.save(network.state_dict(), \"NEW\")",
        from, told(root), root.kind == Kind::Dict ? " of " + keys_of(pickle, root) : ""));
  constexpr std::size_t kLongestName = 1024;
  std::vector<StateEntry> entries;
  std::map<std::string_view, std::size_t> places;  // of a key that comes again, the last one counts
  for (std::size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const auto& name = pickle.at(dict->items[i]);
    const auto& value = pickle.at(dict->items[i + 1]);
    if (name.kind != Kind::Text || name.bytes.size() > kLongestName)
      throw DataError(fmt::format("reading {}: a tensor's name is {} instead of a text of up to {} letters",
                                  from, told(name), kLongestName));
    if (value.kind == Kind::None || value.kind == Kind::Bool || value.kind == Kind::Int ||
        value.kind == Kind::Float || value.kind == Kind::Text)
      continue;
    if (value.kind != Kind::Tensor)
      throw DataError(fmt::format(
          "reading {}: \"{}\" is {} where a tensor should be; nothing of it was executed. In PyTorch: "
          "torch.save({{name: tensor.detach().clone() for name, tensor in network.state_dict().items()}}, \"NEW\")",
          from, name.bytes, told(value)));
    if (const auto [place, fresh] = places.try_emplace(name.bytes, entries.size()); !fresh)
      entries[place->second].tensor = &value;
    else
      entries.push_back({std::string(name.bytes), &value});
  }
  return entries;
}

}  // namespace facemae
