#include "data/image/landmark_columns.h"

#include <algorithm>
#include <cctype>

#include "core/files/table_row.h"

namespace facemae {
namespace {

/// In small letters, without what parts words.
std::string plain(std::string_view name) {
  std::string letters;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      letters.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return letters;
}

/// The place (0 to 9) among the points of the column of this name; nullopt if it is another one.
std::optional<std::size_t> point_of(const std::string& column) {
  static const std::array<std::vector<std::string>, 5> points = {
      {{"lefteye", "p1"},
       {"righteye", "p2"},
       {"nose", "nosetip", "p3"},
       {"leftmouth", "mouthleft", "leftmouthcorner", "p4"},
       {"rightmouth", "mouthright", "rightmouthcorner", "p5"}}};
  const std::string name = plain(column);
  if (name.empty() || (name.back() != 'x' && name.back() != 'y')) return {};
  for (std::size_t i = 0; i < points.size(); ++i)
    if (std::find(points[i].begin(), points[i].end(), name.substr(0, name.size() - 1)) != points[i].end())
      return 2 * i + (name.back() == 'y' ? 1 : 0);
  return {};
}

/// CVLface's ldmk_0 to ldmk_9, or to ldmk_14 with a score behind each x and y.
std::optional<std::size_t> numbered_point_of(const std::string& column, std::size_t numbers) {
  for (std::size_t i = 0; i < numbers; ++i) {
    const std::size_t each = numbers / 5;
    if (column == "ldmk_" + std::to_string(i) && i % each < 2) return i / each * 2 + i % each;
  }
  return {};
}

}  // namespace

std::optional<LandmarkColumns> landmark_columns_of_header(const std::vector<std::string>& header) {
  LandmarkColumns columns{.count = header.size()};
  const auto numbers = static_cast<std::size_t>(std::count_if(
      header.begin(), header.end(), [](const auto& name) { return name.starts_with("ldmk_"); }));
  std::array<bool, 10> found{};
  std::optional<std::size_t> name;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto point =
        numbers == 10 || numbers == 15 ? numbered_point_of(header[i], numbers) : point_of(header[i]);
    if (point) {
      if (found[*point]) return {};
      found[*point] = true;
      columns.points[*point] = i;
    } else if (!name && !header[i].empty() && !header[i].starts_with("ldmk_")) {
      name = i;
    }
  }
  if (std::find(found.begin(), found.end(), false) != found.end()) return {};
  columns.name = name.value_or(0);
  if (!name && !header.front().empty()) {  // that of the images' names, before them, has no name
    ++columns.count;
    for (std::size_t& point : columns.points) ++point;
  }
  return columns;
}

std::optional<LandmarkColumns> landmark_columns_without_header(std::size_t fields) {
  if (fields != 11 && fields != 12 && fields != 16) return {};
  LandmarkColumns columns{.count = fields};
  const std::size_t each = fields == 16 ? 3 : 2;
  for (std::size_t i = 0; i < 10; ++i) columns.points[i] = 1 + i / 2 * each + i % 2;
  return columns;
}

void split_landmarks(TextLines& lines, std::string_view row, std::vector<std::string>& fields) {
  const char separator = separator_of(row);
  const auto is_several = [](const std::string& field) {
    return field.find(' ') != field.npos && field.find_first_of("0123456789.-") == 0;
  };
  split_row(lines, row, separator == '?' ? ';' : separator, fields);
  if (fields.size() < 11 || std::any_of(fields.begin() + 1, fields.end(), is_several)) {
    std::string blanks;
    for (const auto& field : fields) blanks += field + " ";
    std::replace(blanks.begin(), blanks.end(), ',', ' ');
    split_row(lines, blanks, ' ', fields);
  }
  while (!fields.empty() && fields.back().empty()) fields.pop_back();
}

}  // namespace facemae
