#pragma once
// SHA-256 (libsodium): for digests that people check by sha256sum.
#include <string>

namespace facemae {

/// In 64 lower-case digits.
std::string sha256_hex(const std::string& text);

}  // namespace facemae
