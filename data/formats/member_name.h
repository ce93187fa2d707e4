#pragma once
// Decides what a path inside an archive, or a file name, means as an image of an identity. Pure.
#include <optional>
#include <string>
#include <string_view>

namespace facemae {

/// Ends in .jpg, .jpeg, .jpe, .jfif, .png, .webp or .bmp in any case, and is not one of macOS's "._" companions.
bool is_image_name(std::string_view file_name);

/// The path of a file without "." and empty parts; "" for a folder, and below one that is hidden or a
/// system's (file_names.h). Throws DataError for a path that could leave the folder it is unpacked into (absolute,
/// with "..", a drive letter, a backslash or a zero byte).
std::string member_path(std::string_view path);

struct MemberImage {
  std::string_view identity;  ///< the last folder of the path; "" when it lies in none
  std::string_view image;     ///< the file name
  bool operator==(const MemberImage&) const = default;
};
/// Which image a member of an archive is, by its member_path(), which the result refers to; nullopt if it is none
/// (a folder, a text). Folders above the last one do not matter.
std::optional<MemberImage> image_of_member(std::string_view path);

}  // namespace facemae
