#include "checkpoint/format/finite.h"

#include <cstdint>
#include <cstring>

#include "core/text.h"

namespace facemae {
namespace {

/// An IEEE value (or a bfloat16) is infinite or NaN when every bit of its exponent is set.
template <class Word>
bool exponents_not_full(Bytes bytes, Word exponent) {
  Word full = 0;
  for (std::size_t i = 0; i + sizeof(Word) <= bytes.size(); i += sizeof(Word)) {
    Word word;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    full |= static_cast<Word>((word & exponent) == exponent);
  }
  return full == 0;
}

}  // namespace

bool all_finite(Bytes bytes, const std::string& dtype) {
  if (dtype == "F32") return exponents_not_full<std::uint32_t>(bytes, 0x7F800000U);
  if (dtype == "F64") return exponents_not_full<std::uint64_t>(bytes, 0x7FF0000000000000ULL);
  if (dtype == "F16") return exponents_not_full<std::uint16_t>(bytes, 0x7C00U);
  if (dtype == "BF16") return exponents_not_full<std::uint16_t>(bytes, 0x7F80U);
  return true;
}

std::vector<std::string> not_finite(const StagedFile& staged) {
  std::vector<std::string> names;
  for (const auto& piece : staged.pieces)
    if ((names.empty() || names.back() != piece.tensor) &&
        !all_finite(staged.data.subspan(piece.at, piece.range.bytes), piece.dtype))
      names.push_back(piece.tensor);
  return names;
}

std::string first_of(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 3;
  if (names.size() <= kNamed) return join(names, ", ");
  return join({names.begin(), names.begin() + kNamed}, ", ") + " and " +
         std::to_string(names.size() - kNamed) + " more";
}

}  // namespace facemae
