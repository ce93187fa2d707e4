#include "data/formats/list_columns.h"

#include <algorithm>
#include <cctype>
#include <span>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/file_names.h"

namespace facemae {
namespace {

using Names = std::vector<std::string>;

/// Names of a column, in tiers: one of an earlier tier is preferred to all of a later one.
struct Role {
  const char* what;
  std::vector<Names> tiers;
};

const Role& path_role() {
  static const Role role = {
      "the path of the image",
      {{"path"},
       {"file", "filename", "filepath", "imagepath", "imgpath", "imagefile", "imgfile"},
       {"image", "img", "imagename", "imgname", "imageid", "imgid", "picture", "photo"}}};
  return role;
}
const Role& label_role() {
  static const Role role = {
      "the label (whose it is)",
      {{"label"},
       {"identity", "identityid", "identityname", "person", "personid", "personname", "subject", "subjectid",
        "subjectname", "celebrity"},
       {"class", "classid", "classname", "labelid", "labelname", "category", "target"}}};
  return role;
}
/// May be either, when the other one is known.
const Names kEither = {"id", "name"};

std::string plain(const std::string& name) {
  std::string letters;
  for (const char c : name)
    if (c != '_' && c != '-' && c != ' ')
      letters.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return letters;
}

std::vector<std::size_t> places_of(const Names& wanted, const Names& found) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (std::find(wanted.begin(), wanted.end(), found[i]) != wanted.end()) places.push_back(i);
  return places;
}
/// The columns of the best tier that has any.
std::vector<std::size_t> best_of(const Role& role, const Names& found) {
  for (const Names& tier : role.tiers)
    if (auto places = places_of(tier, found); !places.empty()) return places;
  return {};
}
Names all_of(const Role& role) {
  Names all;
  for (const Names& tier : role.tiers) all.insert(all.end(), tier.begin(), tier.end());
  return all;
}

bool is_whole(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}
bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.+-eE") == text.npos;
}
/// The beginning of a row, for messages.
std::string shown(const Names& fields) {
  const auto first = std::span(fields).first(std::min<std::size_t>(fields.size(), 8));
  return fmt::format("{}{}", fmt::join(first, ", "), fields.size() > first.size() ? ", ..." : "")
      .substr(0, 200);
}

}  // namespace

std::optional<ListColumns> columns_of_header(const Names& names, const std::string& place) {
  Names found;
  for (const auto& name : names) found.push_back(plain(name));
  auto path = best_of(path_role(), found), label = best_of(label_role(), found);
  const auto either = places_of(kEither, found);
  if (path.empty() && label.empty() && either.size() < 2) return std::nullopt;
  if (std::any_of(names.begin(), names.end(), [](const auto& name) { return has_picture_ending(name); }))
    return std::nullopt;  // "image/1.jpg, name" is a row
  if (path.empty() && !label.empty()) path = either;
  if (label.empty() && !path.empty()) label = either;
  const auto one = [&](const std::vector<std::size_t>& places, const Role& role) {
    if (places.size() == 1) return places.front();
    Names candidates;
    for (const std::size_t at : places) candidates.push_back("\"" + names[at] + "\"");
    throw DataError(fmt::format(
        "{}: the header \"{}\" {} {}; give that column one of the names {}{}", place, shown(names),
        places.empty() ? "names no column for"
                       : fmt::format("names several columns ({}) for", join(candidates, ", ")),
        role.what, join(all_of(role), ", "), places.empty() ? "" : "; the first of them is preferred"));
  };
  ListColumns columns{one(path, path_role()), one(label, label_role()), names.size()};
  if (names.size() > 2)
    columns.note =
        fmt::format("column \"{}\" is taken as the path, \"{}\" as the label; {} other(s) are left out",
                    names[columns.path], names[columns.label], names.size() - 2);
  return columns;
}

ListColumns columns_of_first_row(const Names& fields, bool tabs, const std::string& place) {
  const std::size_t n = fields.size();
  const auto is_picture = [&](std::size_t i) { return has_picture_ending(fields[i]); };
  const std::string remedy =
      "if this is a header, it must name a column path and a column label (file, image_id, identity, class and "
      "others are understood, too); if it is an image, begin the list with the header \"path,label\", parted as "
      "the rows are";
  if (n == 2 && is_picture(0)) return {};
  if (n == 2 && is_picture(1))
    throw DataError(
        fmt::format("{}: \"{}\" has the image behind the label; begin the list with the header "
                    "\"label,path\", parted as the rows are",
                    place, shown(fields)));
  if (tabs && n >= 3 && is_whole(fields[0])) {
    const bool numbers = std::all_of(fields.begin() + 1, fields.end() - 1, is_number);
    if (numbers && is_picture(n - 1)) {
      if (n > 3)
        throw DataError(
            fmt::format("{}: MXNet's .lst with {} labels for each image; keep the one that says who it is, "
                        "for example the first: cut -f 1,2,{}",
                        place, n - 2, n));
      return {2, 1, 3, "it is read as MXNet's .lst: index, label, path"};
    }
    if (is_picture(1) && is_number(fields[2]) && (n == 3 || n == 7 || n == 17))
      return {1, 2, n,
              fmt::format("it is read as InsightFace's .lst of {} columns: aligned, path, label", n)};
  }
  throw DataError(fmt::format("{}: found {} field(s), \"{}\", expected \"path label\" or \"path,label\"; {}",
                              place, n, shown(fields), remedy));
}

}  // namespace facemae
