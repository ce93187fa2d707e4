#include "data/archives/zip_end.h"

#include <optional>

#include "data/formats/value_at.h"

namespace facemae {
namespace {

constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::size_t kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20;

/// Where the end record begins in `tail`: the first place with its mark and a comment that reaches the end. The
/// comment may hold another.
std::optional<std::size_t> find_end_record(Bytes tail) {
  for (std::size_t at = 0; at + kEndBytes <= tail.size(); ++at)
    if (value_at<std::uint32_t>(tail, at) == kEnd &&
        value_at<std::uint16_t>(tail, at + 20) == tail.size() - at - kEndBytes)
      return at;
  return std::nullopt;
}

}  // namespace

bool ends_as_zip(Bytes tail) { return find_end_record(tail).has_value(); }

bool is_part_of_split_zip(Bytes tail) {
  const auto at = find_end_record(tail);
  if (!at) return false;
  const auto disk = value_at<std::uint16_t>(tail, *at + 4);
  if (disk != 0xffff) return disk != 0;
  // A zip64 has the number elsewhere: in the locator, beside how many files there are.
  if (*at < kLocatorBytes || value_at<std::uint32_t>(tail, *at - kLocatorBytes) != kLocator64) return true;
  return value_at<std::uint32_t>(tail, *at - kLocatorBytes + 16) > 1;
}

std::uint64_t bytes_before_zip(Bytes tail, std::uint64_t file_bytes) {
  const auto at = find_end_record(tail);
  if (!at) return 0;
  std::uint64_t place = file_bytes - (tail.size() - *at);  // of the record that ends the directory, and where
  std::uint64_t claimed = 0;                               // the zip believes it to be
  if (*at >= kLocatorBytes && value_at<std::uint32_t>(tail, *at - kLocatorBytes) == kLocator64) {
    const std::size_t beside = kLocatorBytes + kEnd64Bytes;
    if (*at < beside || value_at<std::uint32_t>(tail, *at - beside) != kEnd64) return 0;
    place -= beside;
    claimed = value_at<std::uint64_t>(tail, *at - kLocatorBytes + 8);
  } else {
    claimed =
        std::uint64_t{value_at<std::uint32_t>(tail, *at + 12)} + value_at<std::uint32_t>(tail, *at + 16);
  }
  return claimed < place ? place - claimed : 0;
}

}  // namespace facemae
