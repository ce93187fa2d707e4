#pragma once
// Reads texts that people wrote or exported, whatever their program puts before the first line and after each.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// The lines of a text, one after the other. A line ends with "\n", "\r\n" or "\r"; the last one need not. A
/// byte-order mark of UTF-8 is passed over. Holds a buffer and one line, however long the text is. Move-only.
class TextLines {
 public:
  /// A file that the user named. A pipe is waited for and read once, to its end. Throws FileError.
  explicit TextLines(const Path& file);
  /// A text in memory, which must outlive this; errors name `origin`.
  TextLines(std::string_view text, std::string origin);

  /// The next line without its end, good until the next call; false when there is none. Throws FileError, and
  /// DataError for what is no such text: UTF-16 (with the remedy), a zero byte, a line above 4 MiB.
  bool next(std::string_view& line);
  std::uint64_t number() const noexcept {
    return number_;
  }                                               ///< of the line that next() has given last, from 1
  std::string place(std::uint64_t number) const;  ///< "list.csv, line 7"
  std::string place() const { return place(number_); }

 private:
  bool fill();
  void check(std::string_view line) const;
  void check_beginning();

  std::string origin_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;  ///< null: all of the text is in unread_
  std::vector<char> buffer_;
  std::string_view unread_;
  std::string held_;  ///< a line that does not lie in one piece
  std::uint64_t number_ = 0;
  bool begun_ = false, after_return_ = false;
};

/// All lines of a file that the user named, each ended by "\n". Throws as TextLines does.
std::string read_text(const Path& file);

}  // namespace facemae
