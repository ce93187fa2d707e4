#pragma once
// The types of PyTorch's storages, and how to find one's way among the values of a pickle.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/pickle/pickle.h"

namespace facemae {

/// A row of the table of types, which is in torch_values.cpp.
struct TorchType {
  std::string_view storage;  ///< torch's name for storages of it: "FloatStorage"
  std::string_view type;     ///< the name that safetensors has for it: "F32"
  std::uint64_t width;       ///< bytes of a value
};
/// By either name; null when it is unknown.
const TorchType* torch_type_of_storage(std::string_view storage);
const TorchType* torch_type_named(std::string_view type);
/// Bytes of a value of a type that is known.
std::uint64_t width_of_type(std::string_view type);

/// The value of a text key of a dict, the last one; null when it has none or is no dict.
const PickleValue* entry_of(const Pickle& pickle, const PickleValue& dict, std::string_view key);
/// What a value is, for messages: "a dict", "an object of numpy.dtype".
std::string told(const PickleValue& value);

}  // namespace facemae
