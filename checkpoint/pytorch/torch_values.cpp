#include "checkpoint/pytorch/torch_values.h"

#include <algorithm>

#include "core/log.h"

namespace facemae {

namespace {

constexpr TorchType kTorchTypes[] = {{"FloatStorage", "F32", 4},     {"HalfStorage", "F16", 2},
                                     {"BFloat16Storage", "BF16", 2}, {"DoubleStorage", "F64", 8},
                                     {"LongStorage", "I64", 8},      {"IntStorage", "I32", 4},
                                     {"ShortStorage", "I16", 2},     {"CharStorage", "I8", 1},
                                     {"ByteStorage", "U8", 1},       {"BoolStorage", "BOOL", 1}};

template <class Matches>
const TorchType* type_where(Matches matches) {
  const auto* found = std::find_if(std::begin(kTorchTypes), std::end(kTorchTypes), matches);
  return found == std::end(kTorchTypes) ? nullptr : found;
}

}  // namespace

const TorchType* torch_type_of_storage(std::string_view storage) {
  return type_where([&](const TorchType& known) { return known.storage == storage; });
}

const TorchType* torch_type_named(std::string_view type) {
  return type_where([&](const TorchType& known) { return known.type == type; });
}

std::uint64_t width_of_type(std::string_view type) { return torch_type_named(type)->width; }

const PickleValue* entry_of(const Pickle& pickle, const PickleValue& dict, std::string_view key) {
  if (dict.kind != PickleValue::Kind::Dict) return nullptr;
  for (std::size_t i = dict.items.size(); i >= 2; i -= 2) {
    const auto& name = pickle.at(dict.items[i - 2]);
    if (name.kind == PickleValue::Kind::Text && name.bytes == key) return &pickle.at(dict.items[i - 1]);
  }
  return nullptr;
}

std::string told(const PickleValue& value) {
  constexpr std::size_t kMostLetters = 80;
  std::string kind = Pickle::name_of(value.kind);
  if (value.kind != PickleValue::Kind::Object && value.kind != PickleValue::Kind::Callable) return kind;
  return fmt::format("{} of {}", kind, value.bytes.substr(0, kMostLetters));
}

}  // namespace facemae
