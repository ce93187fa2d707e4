#pragma once
// Names that other programs give to our networks.
#include <optional>
#include <span>
#include <string>

namespace facemae {

/// What arcface_torch's names say beside the network is part of it: the same options would be drop_path and mask_tokens of
/// NetworkOptions.
struct NetworkAlias {
  const char* alias;
  const char* name;
  std::optional<double> drop_path = {}, mask_tokens = {};
};
std::span<const NetworkAlias> network_aliases();
/// Null for a word that is no alias.
const NetworkAlias* find_network_alias(const std::string& word);
/// The name of a network that an alias stands for; any other word as it is.
std::string network_name_now(const std::string& word);

}  // namespace facemae
