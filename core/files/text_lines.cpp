#include "core/files/text_lines.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::size_t kPieceBytes = 1 << 16, kLongestLine = 4 << 20;

std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(const Path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode))  // not <(command), which has a writer
    spdlog::info("waiting for what is written into the pipe {}", path.string());
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  const int code = file ? 0 : errno;
  if (code != 0)
    throw FileError(
        "opening " + path.string() + ": " + (code == ENXIO ? "it is a socket" : std::strerror(code)), code);
  return file;
}

}  // namespace

TextLines::TextLines(const Path& file) : origin_(file.string()), file_(opened(file)), buffer_(kPieceBytes) {}

TextLines::TextLines(std::string_view text, std::string origin)
    : origin_(std::move(origin)), file_(nullptr, std::fclose), unread_(text) {}

/// Is there an unread byte?
bool TextLines::fill() {
  if (unread_.empty() && file_) {
    unread_ = {buffer_.data(), std::fread(buffer_.data(), 1, buffer_.size(), file_.get())};
    const int code = errno;
    if (std::ferror(file_.get()) != 0)
      throw FileError("reading " + origin_ + ": " + std::strerror(code), code);
  }
  if (!std::exchange(begun_, true)) check_beginning();
  return !unread_.empty();
}

void TextLines::check_beginning() {
  if (unread_.starts_with("\xEF\xBB\xBF")) unread_.remove_prefix(3);
  const bool marked = unread_.starts_with("\xFF\xFE") || unread_.starts_with("\xFE\xFF");
  if (marked || (unread_.size() >= 2 && (unread_[0] == '\0') != (unread_[1] == '\0')))
    throw DataError(
        fmt::format("{} is text in UTF-16; save it as UTF-8, for example by `iconv -f {} -t UTF-8`", origin_,
                    marked               ? "UTF-16"
                    : unread_[0] == '\0' ? "UTF-16BE"
                                         : "UTF-16LE"));
}

void TextLines::check(std::string_view line) const {
  if (line.size() > kLongestLine)
    throw DataError(fmt::format("{} is longer than {} MiB: the file is not a text of lines", place(),
                                kLongestLine >> 20));
  if (line.find('\0') != line.npos)
    throw DataError(place() + " holds a zero byte: the file is damaged, or it is not a text");
}

bool TextLines::next(std::string_view& line) {
  held_.clear();
  bool found = false, ended = false;
  while (!ended && fill()) {
    if (std::exchange(after_return_, false) && unread_.front() == '\n') {
      unread_.remove_prefix(1);
      continue;
    }
    if (!std::exchange(found, true)) ++number_;
    std::string_view piece = unread_.substr(0, unread_.find('\n'));
    piece = piece.substr(0, piece.find('\r'));
    ended = piece.size() < unread_.size();
    after_return_ = ended && unread_[piece.size()] == '\r';
    unread_.remove_prefix(piece.size() + (ended ? 1 : 0));
    if (ended && held_.empty()) {
      line = piece;
    } else {
      line = held_.append(piece);
    }
    check(line);
  }
  return found;
}

std::string TextLines::place(std::uint64_t number) const {
  return fmt::format("{}, line {}", origin_, number);
}

std::string read_text(const Path& file) {
  TextLines lines(file);
  std::string text;
  for (std::string_view line; lines.next(line);) text.append(line).push_back('\n');
  return text;
}

}  // namespace facemae
