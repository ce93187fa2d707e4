#include "data/formats/member_name.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "core/log.h"
#include "data/formats/file_names.h"

namespace facemae {
namespace {

/// Why a path could leave its folder; nullptr if it cannot.
const char* danger_of(std::string_view path) {
  if (path.find('\0') != path.npos) return "holds a zero byte";
  if (path.starts_with('/')) return "is absolute";
  if (path.find('\\') != path.npos) return "holds a backslash";
  if (path.size() >= 2 && path[1] == ':' && std::isalpha(static_cast<unsigned char>(path[0])) != 0)
    return "begins with a drive letter";
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part == "..") return "climbs with \"..\"";
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  return nullptr;
}

}  // namespace

bool is_image_name(std::string_view file_name) {
  if (file_name.starts_with("._")) return false;
  constexpr std::string_view endings[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp"};
  return std::ranges::find(endings, ending_of(file_name)) != std::end(endings);
}

std::string member_path(std::string_view path) {
  if (const char* danger = danger_of(path))
    throw DataError(
        fmt::format("the member \"{}\" {}: archives with such names are refused; "
                    "pack the images again with names like <identity>/<image>.jpg",
                    std::string(path.substr(0, path.find('\0'))), danger));
  std::string clean;
  if (path.ends_with('/')) return clean;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (!rest.empty() && (is_hidden_name(part) || is_system_name(part))) return "";
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

std::optional<MemberImage> image_of_member(std::string_view path) {
  const auto slash = path.rfind('/');
  const std::string_view image = slash == path.npos ? path : path.substr(slash + 1);
  if (!is_image_name(image)) return std::nullopt;
  const std::string_view folders = slash == path.npos ? "" : path.substr(0, slash);
  return MemberImage{folders.substr(folders.rfind('/') + 1), image};
}

}  // namespace facemae
