#include "data/formats/zip_directory.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "data/formats/value_at.h"

namespace facemae {
namespace {

constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50, kEntry = 0x02014b50;
constexpr std::size_t kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20, kEntryBytes = 46;
constexpr std::uint16_t kUnicodePath = 0x7075;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Where the end record begins in `tail`: the last place with its mark and a comment that
/// reaches the file's end.
std::size_t find_end_record(Bytes tail) {
  for (std::size_t at = tail.size() < kEndBytes ? 0 : tail.size() - kEndBytes + 1; at-- > 0;)
    if (value_at<std::uint32_t>(tail, at) == kEnd &&
        value_at<std::uint16_t>(tail, at + 20) == tail.size() - at - kEndBytes)
      return at;
  throw DataError("no directory at its end: it is truncated or not a zip; fetch it again");
}

/// Info-ZIP's field with the name in UTF-8, which takes precedence over the name itself; "" if there is none.
std::string_view unicode_path(Bytes extra) {
  while (extra.size() >= 4) {
    const std::size_t length = value_at<std::uint16_t>(extra, 2);
    if (length > extra.size() - 4) return {};
    if (value_at<std::uint16_t>(extra, 0) == kUnicodePath && length > 5)
      return text_of(extra.subspan(9, length - 5));
    extra = extra.subspan(4 + length);
  }
  return {};
}

}  // namespace

ZipEnd find_zip_end(Bytes tail, std::uint64_t file_bytes) {
  const std::size_t at = find_end_record(tail);
  ZipEnd end{0, value_at<std::uint32_t>(tail, at + 12), value_at<std::uint16_t>(tail, at + 10)};
  std::size_t end_at = at;
  const bool is_64 = end.members == 0xffff || end.directory_bytes == 0xffffffff ||
                     value_at<std::uint32_t>(tail, at + 16) == 0xffffffff;
  if (is_64 && at >= kLocatorBytes + kEnd64Bytes &&
      value_at<std::uint32_t>(tail, at - kLocatorBytes) == kLocator64) {
    end_at = at - kLocatorBytes - kEnd64Bytes;
    if (value_at<std::uint32_t>(tail, end_at) != kEnd64)
      throw DataError("its zip64 end record is not where it belongs: it is damaged; fetch it again");
    end.members = value_at<std::uint64_t>(tail, end_at + 32);
    end.directory_bytes = value_at<std::uint64_t>(tail, end_at + 40);
  }
  // Counted back from the end record, so that bytes before the archive do not matter.
  const std::uint64_t position = file_bytes - (tail.size() - end_at);
  if (end.directory_bytes > position || end.members > end.directory_bytes / kEntryBytes)
    throw DataError(fmt::format(
        "its end record claims {} members in a directory of {} bytes, for which {} bytes have no room: it is damaged or truncated; "
        "fetch it again",
        end.members, end.directory_bytes, file_bytes));
  end.directory_offset = position - end.directory_bytes;
  return end;
}

void parse_zip_directory(Bytes directory, std::uint64_t members, const std::function<void(ZipMember)>& take) {
  for (std::uint64_t member = 0; member < members; ++member) {
    if (directory.size() < kEntryBytes || value_at<std::uint32_t>(directory, 0) != kEntry)
      throw DataError(fmt::format("entry {} of {} in its directory is invalid: it is damaged; fetch it again",
                                  member, members));
    const std::size_t name = value_at<std::uint16_t>(directory, 28),
                      extra = value_at<std::uint16_t>(directory, 30),
                      comment = value_at<std::uint16_t>(directory, 32);
    const bool encrypted = (value_at<std::uint16_t>(directory, 8) & 1) != 0;
    directory = directory.subspan(kEntryBytes);
    if (name + extra + comment > directory.size())
      throw DataError(
          fmt::format("entry {} of its directory is longer than the directory: it is damaged", member));
    const std::string_view path = text_of(directory.first(name)),
                           unicode = unicode_path(directory.subspan(name, extra));
    take({unicode.empty() ? path : unicode, encrypted});
    directory = directory.subspan(name + extra + comment);
  }
}

}  // namespace facemae
