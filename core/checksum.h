#pragma once
// Computes checksums: CRC-32C for single images and small records, XXH3 for digests of many bytes.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace facemae {

using Bytes = std::span<const std::byte>;

/// The bytes of a text or of an array of trivially copyable values.
inline Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
template <class T>
Bytes bytes_of(std::span<const T> values) {
  return std::as_bytes(values);
}

/// CRC-32C (Castagnoli, reflected, initial and final xor 0xFFFFFFFF; "123456789" gives 0xE3069283).
std::uint32_t crc32c(Bytes bytes);

/// XXH3-128.
struct Hash128 {
  std::uint64_t high = 0, low = 0;
  bool operator==(const Hash128&) const = default;
  auto operator<=>(const Hash128&) const = default;  // NOLINT(modernize-use-nullptr): none is meant
  std::string hex() const;                           ///< 32 lower-case digits, high first
  static Hash128 from_hex(const std::string& s);     ///< throws DataError
};
Hash128 xxh128(Bytes bytes);
std::uint64_t xxh64(Bytes bytes, std::uint64_t seed = 0);  ///< classic XXH64

/// XXH3-128 of a stream of pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void add(Bytes bytes);
  template <class T>
  void add_value(const T& value) {
    add(std::as_bytes(std::span(&value, 1)));
  }
  Hash128 digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace facemae
