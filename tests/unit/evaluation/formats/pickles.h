// Packs as Python's pickle writes them, byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "evaluation/formats/bin_pack.h"

namespace facemae::test_pickles {

/// `width` bytes, little endian.
inline std::string number(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}
inline std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::string parse_fault(const std::string& pickle) {
  try {
    parse_bin_pack(pickle);
  } catch (const DataError& error) {
    return error.what();
  }
  return "nothing was refused";
}

inline const std::string kImages[] = {std::string("\xFF\xD8 one \x00\x80\xC3\xA9", 11), "two",
                                      std::string(300, '\xE4'), "\n4."};

/// (images, [True, False]) with each image as `encode` writes it.
template <class Encode>
std::string pack_of(const std::string& start, Encode encode) {
  std::string pickle = start + "](";
  for (const auto& image : kImages) pickle += encode(image);
  return pickle + "e](\x88\x89" + "e\x86.";
}

/// numpy's type object u1 or b1, as Python 3 writes it.
inline std::string numpy_type(const std::string& name) {
  return "cnumpy\ndtype\nX" + number(2, 4) + name + "\x89\x88\x87R(K\x03X" + number(1, 4) + "|NNNJ" +
         number(0xFFFFFFFF, 4) + "J" + number(0xFFFFFFFF, 4) + "K" + std::string(1, '\0') + "tb";
}
inline std::string numpy_array(const std::string& home, const std::string& image,
                               const std::string& type = "u1") {
  const std::string zero(1, '\0');
  return "c" + home + ".multiarray\n_reconstruct\ncnumpy\nndarray\nK" + zero + "\x85" + "C\x01" +
         "b\x87R(K\x01M" + number(image.size(), 2) + "K\x01\x86" + numpy_type(type) + "\x89" + "B" +
         number(image.size(), 4) + image + "tb";
}

}  // namespace facemae::test_pickles
