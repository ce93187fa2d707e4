#include "core/checksum.h"

#include <isa-l/crc.h>
#include <xxhash.h>

#include <cstdio>

#include "core/error.h"

namespace facemae {

std::uint32_t crc32c(Bytes bytes) {
  // isa-l takes the register before the final inversion; its buffer is not const, but is only read.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  std::uint32_t crc = 0xFFFFFFFFu;
  constexpr std::size_t piece = 1u << 30;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    crc = crc32_iscsi(data + at, static_cast<int>(std::min(piece, bytes.size() - at)), crc);
  return ~crc;
}

std::string Hash128::hex() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return text;
}

Hash128 Hash128::from_hex(const std::string& s) {
  if (s.size() != 32 || s.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw DataError("expected a digest of 32 hexadecimal digits, found \"" + s + "\"");
  return {std::stoull(s.substr(0, 16), nullptr, 16), std::stoull(s.substr(16), nullptr, 16)};
}

Hash128 xxh128(Bytes bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

std::uint64_t xxh64(Bytes bytes, std::uint64_t seed) { return XXH64(bytes.data(), bytes.size(), seed); }

struct Hasher::State {
  State() : xxh(XXH3_createState()) { XXH3_128bits_reset(xxh); }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  XXH3_state_t* xxh;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
void Hasher::add(Bytes bytes) { XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size()); }
Hash128 Hasher::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return {hash.high64, hash.low64};
}

}  // namespace facemae
