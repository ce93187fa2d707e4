#include "core/random/secret.h"

#include <sodium.h>

#include <cstring>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// May be called from any thread, any number of times; the library requires it before its first use.
void start_sodium() {
  static const int started = sodium_init();
  if (started < 0)
    throw Error("libsodium cannot be initialised: does this system have a source of randomness?");
}

const std::uint8_t* data_of(Bytes bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

}  // namespace

Hash256 blake2b(Bytes content) {
  start_sodium();
  Hash256 hash;
  crypto_generichash(hash.bytes.data(), hash.bytes.size(), data_of(content), content.size(), nullptr, 0);
  return hash;
}

std::string SecretKey::hex() const {
  std::array<char, 2 * sizeof bytes + 1> text{};
  return sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
}

SecretKey SecretKey::from_hex(const std::string& s) {
  SecretKey key;
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_hex2bin(key.bytes.data(), key.bytes.size(), s.data(), s.size(), nullptr, &length, &end) != 0 ||
      length != key.bytes.size() || end != s.data() + s.size())
    throw DataError("a secret key must have 64 hexadecimal digits");  // never shown: it may be nearly right
  return key;
}

SecretKey random_key() {
  start_sodium();
  SecretKey key;
  randombytes_buf(key.bytes.data(), key.bytes.size());
  return key;
}

SecretKey derive(const SecretKey& key, std::string_view purpose, Bytes content) {
  start_sodium();
  SecretKey derived;
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.bytes.data(), key.bytes.size(), derived.bytes.size());
  // The length comes first, so that no purpose and content look like those of another purpose.
  const std::uint64_t length = purpose.size();
  crypto_generichash_update(&state, reinterpret_cast<const std::uint8_t*>(&length), sizeof length);
  crypto_generichash_update(&state, reinterpret_cast<const std::uint8_t*>(purpose.data()), purpose.size());
  crypto_generichash_update(&state, data_of(content), content.size());
  crypto_generichash_final(&state, derived.bytes.data(), derived.bytes.size());
  return derived;
}

std::uint64_t SecretStream::next() {
  if (used_ == drawn_.size()) {
    // A key is used for one stream only, so the nonce need not differ.
    static constexpr std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
    drawn_.fill(0);
    crypto_stream_chacha20_xor_ic(drawn_.data(), drawn_.data(), drawn_.size(), nonce.data(), block_,
                                  key_.bytes.data());
    block_ += drawn_.size() / 64;
    used_ = 0;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, drawn_.data() + used_, sizeof value);
  used_ += sizeof value;
  return value;
}

std::uint64_t SecretStream::below(std::uint64_t n) {
  const std::uint64_t unfair = -n % n;  // 2^64 mod n
  for (;;)
    if (const std::uint64_t value = next(); value >= unfair) return value % n;
}

std::vector<std::uint64_t> secret_order(std::uint64_t n, const SecretKey& key) {
  std::vector<std::uint64_t> order(n);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  SecretStream draws(key);
  for (std::uint64_t left = n; left > 1; --left) std::swap(order[left - 1], order[draws.below(left)]);
  return order;
}

std::string random_uuid() {
  start_sodium();
  std::array<std::uint8_t, 16> b{};
  randombytes_buf(b.data(), b.size());
  b[6] = static_cast<std::uint8_t>((b[6] & 0x0F) | 0x40);
  b[8] = static_cast<std::uint8_t>((b[8] & 0x3F) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", b[i]);
  }
  return text;
}

}  // namespace facemae
