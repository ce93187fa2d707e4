#include "cluster/facts/reading.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "core/log.h"
#include "core/text.h"

namespace facemae {

std::vector<std::string> lines_of(const Path& file) {
  std::vector<std::string> lines;
  std::error_code unseen;
  if (!std::filesystem::is_regular_file(file, unseen)) return lines;
  std::ifstream input(file);
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  return lines;
}

std::string text_of(const Path& file) { return trim(join(lines_of(file), "\n")); }

std::optional<std::int64_t> leading_number(const std::string& text) {
  std::int64_t value = 0;
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return {};
  if (std::from_chars(text.data() + first, text.data() + text.size(), value).ec != std::errc()) return {};
  return value;
}

std::optional<std::int64_t> number_of(const Path& file) { return leading_number(text_of(file)); }

std::vector<std::string> names_in(const Path& folder) {
  std::vector<std::string> names;
  std::error_code unseen;
  for (std::filesystem::directory_iterator entry(folder, unseen), end; !unseen && entry != end;
       entry.increment(unseen))
    names.push_back(entry->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string value_in(const std::vector<std::string>& lines, const std::string& key) {
  for (const auto& line : lines)
    if (line.starts_with(key) && line.size() > key.size() &&
        std::string(": \t=").find(line[key.size()]) != std::string::npos)
      return trim(line.substr(line.find_first_not_of(": \t=", key.size()) == std::string::npos
                                  ? line.size()
                                  : line.find_first_not_of(": \t=", key.size())));
  return "";
}

std::vector<int> core_list(const std::string& text) {
  constexpr int kMost = 65536;
  std::vector<int> cores;
  for (const auto& part : split(trim(text), ',')) {
    const auto first = leading_number(part);
    const auto hyphen = part.find('-');
    const auto last = hyphen == std::string::npos ? first : leading_number(part.substr(hyphen + 1));
    if (!first || !last || *first < 0 || *last >= kMost) return {};
    for (auto core = *first; core <= *last; ++core) cores.push_back(static_cast<int>(core));
  }
  std::sort(cores.begin(), cores.end());
  cores.erase(std::unique(cores.begin(), cores.end()), cores.end());
  return cores;
}

std::string core_text(std::vector<int> cores) {
  std::sort(cores.begin(), cores.end());
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < cores.size();) {
    std::size_t j = i;
    while (j + 1 < cores.size() && cores[j + 1] == cores[j] + 1) ++j;
    parts.push_back(i == j ? std::to_string(cores[i]) : fmt::format("{}-{}", cores[i], cores[j]));
    i = j + 1;
  }
  return join(parts, ",");
}

}  // namespace facemae
