#include "data/formats/file_names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace facemae {
namespace {

constexpr std::array kSystemNames = {
    "__macosx",     "@eadir",   "@recycle",   "@recently-snapshot",        "#recycle",    "#snapshot",
    "$recycle.bin", "recycler", "lost+found", "system volume information", "desktop.ini", "thumbs.db",
    "ehthumbs.db",  "icon\r"};

constexpr std::array kPictureEndings = {".jpg", ".jpeg", ".jpe", ".jfif", ".png",  ".apng", ".gif", ".webp",
                                        ".bmp", ".dib",  ".tif", ".tiff", ".jp2",  ".j2k",  ".jxl", ".avif",
                                        ".ppm", ".pgm",  ".pnm", ".tga",  ".heic", ".heif", ".dng", ".raw"};

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

}  // namespace

bool is_hidden_name(std::string_view name) { return name.starts_with('.'); }

bool is_system_name(std::string_view name) {
  return std::find(kSystemNames.begin(), kSystemNames.end(), in_small_letters(name)) != kSystemNames.end();
}

std::string ending_of(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  const auto dot = name.rfind('.');
  return dot == name.npos || dot == 0 || name.size() - dot > 9 ? "" : in_small_letters(name.substr(dot));
}

bool has_picture_ending(std::string_view name) {
  return std::find(kPictureEndings.begin(), kPictureEndings.end(), ending_of(name)) != kPictureEndings.end();
}

}  // namespace facemae
