// InsightFace verification packs: pickles that others wrote (evaluation/formats/bin_pack.h).
#include "evaluation/formats/bin_pack.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

/// `width` bytes, little endian.
std::string number(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

/// (images, [True, False]) with each image as `encode` writes it.
template <class Encode>
std::string pack_of(int protocol, Encode encode) {
  std::string pickle = "\x80" + number(static_cast<std::uint64_t>(protocol), 1) + "](";
  for (const std::string image : {"one", "t\xC3\xA9wo", "\n3.", "four"}) pickle += encode(image);
  return pickle + "e](\x88\x89" + "e\x86.";
}

std::string numpy_array(const std::string& home, const std::string& values) {
  const std::string zero(1, '\0');
  return "c" + home + ".multiarray\n_reconstruct\ncnumpy\nndarray\nK" + zero + "\x85" + "C\x01" +
         "b\x87R(K\x01M" + number(values.size(), 2) + "K\x01\x86" + "cnumpy\ndtype\nX" + number(2, 4) +
         "u1\x89\x88\x87R(K\x03X" + number(1, 4) + "|NNNJ" + number(0xFFFFFFFF, 4) + "J" +
         number(0xFFFFFFFF, 4) + "K" + zero + "tb\x89" + "B" + number(values.size(), 4) + values + "tb";
}

}  // namespace

void parse(std::string_view input) {
  const BinPack pack = parse_bin_pack(input);
  require(pack.images.size() == 2 * pack.same.size(), "two images a pair");
}

std::vector<std::string> seeds() {
  const auto text = [](const std::string& image) { return "X" + number(image.size(), 4) + image; };
  return {
      pack_of(2, [](auto& image) { return "U" + number(image.size(), 1) + image; }),
      pack_of(2, [](auto& image) { return "T" + number(image.size(), 4) + image + "q\x01"; }),
      pack_of(2, [&](auto& image) { return "c_codecs\nencode\n" + text(image) + text("latin1") + "\x86R"; }),
      pack_of(3, [](auto& image) { return "B" + number(image.size(), 4) + image + "r" + number(7, 4); }),
      pack_of(4, [](auto& image) { return "\x8e" + number(image.size(), 8) + image + "\x94"; }),
      pack_of(5, [](auto& image) { return "\x96" + number(image.size(), 8) + image; }),
      pack_of(3, [](auto& image) { return numpy_array("numpy.core", image); }),
      pack_of(4, [](auto& image) { return numpy_array("numpy._core", image) + "\x94"; }),
      "((lp0\nS'\\xff\\n\\'\\101'\np1\nag1\na(lp2\nI01\natp3\n.",
      "((lp0\nc_codecs\nencode\n(V\xE9\\u0000\nVlatin1\ntRaVa\\U000000ff\na(lL1L\natp2\n.",
  };
}

}  // namespace facemae::fuzz
