#include "evaluation/gate/sha256.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/log.h"

namespace facemae {

std::string sha256_of(const Path& file) {
  const InputFile input(file);
  const std::uint64_t size = input.size();
  std::vector<std::byte> piece(1 << 20);
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    const auto part =
        std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size - at)));
    input.read_at(at, part);
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  }
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_sums(const Path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(folder).generic_string());
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += sha256_of(folder / name) + "  " + name + "\n";
  return text;
}

}  // namespace facemae
