#pragma once
// Values of any type between the ranks, carried as nlohmann::json: whatever has a to_json and a from_json. As
// CBOR, in which texts may be any bytes: a message that names a file need not be UTF-8.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cluster/host/control.h"

namespace facemae {

template <class T>
std::string packed(const T& value) {
  std::string bytes;
  nlohmann::json::to_cbor(nlohmann::json(value), bytes);
  return bytes;
}
template <class T>
T unpacked(const std::string& bytes) {
  return nlohmann::json::from_cbor(bytes).get<T>();
}

/// The value of every rank by rank, on the root; empty elsewhere. All ranks.
template <class T>
std::vector<T> gather(Control& control, const T& mine, int root = 0) {
  std::vector<T> all;
  for (const auto& bytes : control.gather(packed(mine), root)) all.push_back(unpacked<T>(bytes));
  return all;
}
/// The root's value, on every rank. All ranks.
template <class T>
T broadcast(Control& control, const T& value, int root = 0) {
  return unpacked<T>(control.broadcast(control.rank() == root ? packed(value) : "", root));
}

}  // namespace facemae
