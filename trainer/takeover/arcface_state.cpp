#include "trainer/takeover/arcface_state.h"

#include <initializer_list>

#include "core/error.h"

namespace facemae {

using Kind = PickleValue::Kind;

namespace {

/// The value of a key that is a number.
const PickleValue* entry_at(const Pickle& pickle, const PickleValue& dict, std::int64_t key) {
  if (dict.kind != Kind::Dict) return nullptr;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2)
    if (const auto& name = pickle.at(dict.items[i]); name.kind == Kind::Int && name.number == key)
      return &pickle.at(dict.items[i + 1]);
  return nullptr;
}

/// Through dicts, by their keys; null where one of them is missing.
const PickleValue* entry_along(const Pickle& pickle, std::initializer_list<std::string_view> keys) {
  const auto* value = &pickle.root();
  for (const auto key : keys)
    if (value != nullptr) value = entry_of(pickle, *value, key);
  return value;
}

std::optional<double> real_of(const PickleValue* value) {
  if (value != nullptr && value->kind == Kind::Float) return value->real;
  if (value != nullptr && value->kind == Kind::Int) return static_cast<double>(value->number);
  return {};
}
std::optional<std::uint64_t> count_of(const PickleValue* value) {
  if (value == nullptr || value->kind != Kind::Int || value->number < 0) return {};
  return static_cast<std::uint64_t>(value->number);
}
const PickleValue* item_of(const Pickle& pickle, const PickleValue* list, std::size_t i) {
  if (list == nullptr || (list->kind != Kind::List && list->kind != Kind::Tuple) || list->items.size() <= i)
    return nullptr;
  return &pickle.at(list->items[i]);
}

}  // namespace

std::optional<std::uint64_t> arcface_step(const Pickle& pickle) {
  return count_of(entry_along(pickle, {"global_step"}));
}

ArcfaceSettings arcface_settings(const Pickle& pickle) {
  ArcfaceSettings found;
  const auto scheduler = [&](std::string_view key) {
    return entry_along(pickle, {"state_lr_scheduler", key});
  };
  found.step = arcface_step(pickle);
  found.lr = real_of(item_of(pickle, scheduler("base_lrs"), 0));
  found.power = real_of(scheduler("power"));
  found.total_steps = count_of(scheduler("total_iters"));
  found.warmup_steps = count_of(scheduler("warmup_iters"));
  const auto* group = item_of(pickle, entry_along(pickle, {"state_optimizer", "param_groups"}), 0);
  if (group == nullptr) return found;
  found.weight_decay = real_of(entry_of(pickle, *group, "weight_decay"));
  found.momentum = real_of(entry_of(pickle, *group, "momentum"));
  const auto* betas = entry_of(pickle, *group, "betas");
  found.beta1 = real_of(item_of(pickle, betas, 0));
  found.beta2 = real_of(item_of(pickle, betas, 1));
  found.optimizer = betas != nullptr ? "adamw" : "sgd";
  return found;
}

const PickleValue& arcface_centres(const TorchFile& file, bool whole) {
  const auto* found =
      whole ? entry_along(file.pickle(), {"state_dict_softmax_fc", "weight"}) : &file.pickle().root();
  if (found == nullptr)
    throw DataError(
        "reading " + file.name() +
        ": it has no state_dict_softmax_fc with a weight, so it is no checkpoint of arcface_torch");
  return *found;
}

const PickleValue* moment_of_parameter(const Pickle& pickle, std::int64_t number, std::string_view moment) {
  const auto* states = entry_along(pickle, {"state_optimizer", "state"});
  const auto* moments = states == nullptr ? nullptr : entry_at(pickle, *states, number);
  const auto* found = moments == nullptr ? nullptr : entry_of(pickle, *moments, moment);
  return found == nullptr || found->kind == Kind::None ? nullptr : found;
}

/// They are the only parameter of the optimizer's last group.
const PickleValue* moment_of_centres(const Pickle& pickle, std::string_view moment) {
  const auto* groups = entry_along(pickle, {"state_optimizer", "param_groups"});
  if (groups == nullptr || groups->items.empty()) return nullptr;
  const auto* group = item_of(pickle, groups, groups->items.size() - 1);
  const auto* number = group == nullptr ? nullptr : item_of(pickle, entry_of(pickle, *group, "params"), 0);
  if (number == nullptr || number->kind != Kind::Int) return nullptr;
  return moment_of_parameter(pickle, number->number, moment);
}

}  // namespace facemae
