#pragma once
// Makes secret keys from the system's random source, and what is derived from them, with libsodium. Unlike
// core/random/keys.h, whose draws are fast and predictable, these do not give away what they are made from.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/checksum.h"

namespace facemae {

/// BLAKE2b-256: nobody can find two contents with the same hash.
struct Hash256 {
  std::array<std::uint8_t, 32> bytes{};
  bool operator==(const Hash256&) const = default;
  bool operator<(const Hash256& other) const { return bytes < other.bytes; }
};
Hash256 blake2b(Bytes content);

/// 256 bits that nobody can guess.
struct SecretKey {
  std::array<std::uint8_t, 32> bytes{};
  bool operator==(const SecretKey&) const = default;
  std::string hex() const;                          ///< 64 lower-case digits
  static SecretKey from_hex(const std::string& s);  ///< throws DataError
};
/// A new key from the system's random source.
SecretKey random_key();
/// Another key, for one purpose and content: keyed BLAKE2b-256 of both. It reveals nothing about `key`.
SecretKey derive(const SecretKey& key, std::string_view purpose, Bytes content = {});

/// The ChaCha20 stream of a key: the same everywhere, and random bytes to whoever lacks the key.
class SecretStream {
 public:
  explicit SecretStream(const SecretKey& key) : key_(key) {}
  std::uint64_t next();
  /// Uniform in [0, n), n > 0, exactly: draws that would favour some values are discarded.
  std::uint64_t below(std::uint64_t n);
  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  SecretKey key_;
  std::array<std::uint8_t, 4096> drawn_{};
  std::size_t used_ = sizeof drawn_;
  std::uint64_t block_ = 0;  ///< in blocks of 64 bytes, the next one to draw
};

/// 0..n-1 in an order that only the key determines, all n! equally likely (Fisher-Yates).
std::vector<std::uint64_t> secret_order(std::uint64_t n, const SecretKey& key);

/// A random UUID (RFC 4122, version 4).
std::string random_uuid();

}  // namespace facemae
