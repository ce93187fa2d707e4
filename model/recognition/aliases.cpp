#include "model/recognition/aliases.h"

namespace facemae {
namespace {

/// Whatever ratio arcface_torch's configuration has, what it masks is this, when it is on.
constexpr double kMasked = 0.1;

constexpr NetworkAlias kAliases[] = {
    {"mbf", "mobilefacenet"},
    {"mbf_large", "mobilefacenet-large"},
    {"r18", "iresnet18"},
    {"r34", "iresnet34"},
    {"r50", "iresnet50"},
    {"r100", "iresnet100"},
    {"r200", "iresnet200"},
    {"vit_t", "vit-t"},
    {"vit_t_dp005_mask0", "vit-t", 0.05, 0},
    {"vit_s", "vit-s"},
    {"vit_s_dp005_mask_0", "vit-s", 0.05, 0},
    {"vit_b", "vit-b"},
    {"vit_b_dp005_mask_005", "vit-b", 0.05, kMasked},
    {"vit_l_dp005_mask_005", "vit-l", 0.05, kMasked},
    {"vit_h", "vit-h"},
    {"ir_18", "ir18"},
    {"ir_34", "ir34"},
    {"ir_50", "ir50"},
    {"ir_101", "ir101"},
};

}  // namespace

std::span<const NetworkAlias> network_aliases() { return kAliases; }

const NetworkAlias* find_network_alias(const std::string& word) {
  for (const auto& row : kAliases)
    if (word == row.alias) return &row;
  return nullptr;
}

std::string network_name_now(const std::string& word) {
  const auto* alias = find_network_alias(word);
  return alias == nullptr ? word : alias->name;
}

}  // namespace facemae
