#include "core/options/help_text.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/text.h"

namespace facemae {
namespace {

constexpr int kWidth = 100, kNarrowest = 60;

/// Where the second column of a line begins; where its text begins when it has one column.
std::size_t hang_of(const std::string& line) {
  const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", first);
  if (gap == std::string::npos) return first;
  const std::size_t second = line.find_first_not_of(' ', gap);
  return second == std::string::npos ? first : second;
}

std::string wrapped_line(const std::string& line, std::size_t width) {
  const std::size_t hang = hang_of(line);
  const std::string body = line.substr(std::min(hang, line.size()));
  if (line.size() <= width || body.starts_with("facemae ") || body.starts_with("mpirun ")) return line;
  const std::string indent(hang <= width / 2 ? hang : 4, ' ');
  std::string all, current = line.substr(0, line.size() - body.size());
  bool empty = true;  // the line has no word of the body yet
  for (const auto& word : split(body, ' ')) {
    if (!empty && current.size() + 1 + word.size() > width) {
      all += current + "\n";
      current = indent;
      empty = true;
    }
    current += (empty ? "" : " ") + word;
    empty = false;
  }
  return all + current;
}

}  // namespace

int help_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidth;
  return std::max<int>(kNarrowest, size.ws_col);
}

std::string wrapped(const std::string& text, int width) {
  std::vector<std::string> lines = split(text, '\n');
  for (auto& line : lines) line = wrapped_line(line, static_cast<std::size_t>(width));
  return join(lines, "\n");
}

std::string in_column(const std::string& head, const std::string& text, int column, int width) {
  const std::string indent(static_cast<std::size_t>(column), ' ');
  const int room = std::max(20, width - column);
  std::string body;
  for (const auto& line : split(wrapped(text, room), '\n'))
    body += (body.empty() ? "" : "\n" + indent) + line;
  std::string start = "  " + head;
  for (std::size_t from = 0; start.size() - from > static_cast<std::size_t>(width);) {  // a|b|c may be long
    const std::size_t bar = start.rfind('|', from + static_cast<std::size_t>(width) - 1);
    if (bar == std::string::npos || bar < from + 8) break;
    start.insert(bar + 1, "\n        ");
    from = bar + 2;
  }
  if (start.size() + 2 > indent.size())
    start += "\n" + indent;
  else
    start.resize(indent.size(), ' ');
  return start + body + "\n";
}

}  // namespace facemae
