#include "data/formats/image_walk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/file_names.h"
#include "data/formats/member_name.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostKinds = 64, kToldKinds = 8;

class Walk {
 public:
  Walk(const Path& root, LeftOut& left_out, const WalkVisitor& visitor)
      : root_(root), left_out_(left_out), visitor_(visitor) {}

  void folder(const std::string& below) {
    const Path path = below.empty() ? root_ : root_ / below;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) fail(path, errno);
    const std::pair self{info.st_dev, info.st_ino};
    if (std::find(above_.begin(), above_.end(), self) != above_.end())
      return left_out_.add("link(s) back to a folder above", path.string());
    above_.push_back(self);
    if (!below.empty() && visitor_.folder) visitor_.folder(below);
    try {
      for (const auto& entry : fs::directory_iterator(path)) visit(entry, below);
    } catch (const fs::filesystem_error& error) {
      fail(path, error.code().value());
    }
    above_.pop_back();
  }

 private:
  [[noreturn]] static void fail(const Path& path, int code) {
    throw FileError("listing the images in " + path.string() + ": " + std::strerror(code), code);
  }

  void visit(const fs::directory_entry& entry, const std::string& below) {
    const std::string name = entry.path().filename().string();
    std::error_code unseen;  // a link that leads nowhere is no folder
    const bool is_folder = entry.is_directory(unseen);
    if (is_hidden_name(name))
      return left_out_.add(is_folder ? "hidden folder(s)" : "hidden file(s)", entry.path().string());
    if (is_system_name(name))
      return left_out_.add(is_folder ? "folder(s) of the system" : "file(s) of the system",
                           entry.path().string());
    const std::string path = below.empty() ? name : below + "/" + name;
    if (is_folder) return folder(path);
    is_image_name(name) ? visitor_.image(path) : left_out_.add_file(entry.path().string());
  }

  const Path& root_;
  LeftOut& left_out_;
  const WalkVisitor& visitor_;
  std::vector<std::pair<dev_t, ino_t>> above_;  ///< the folders from the root to here
};

}  // namespace

void LeftOut::add(const std::string& kind, const std::string& example, Loss loss) {
  Kind& found = kinds_[kinds_.size() < kMostKinds || kinds_.contains(kind) ? kind : "other file(s)"];
  if (found.count++ == 0 || example < found.example) found.example = example;
  found.pictures = found.pictures || loss == Loss::Pictures;
}

void LeftOut::add_file(const std::string& path) {
  const std::string ending = ending_of(path);
  add(ending.empty() ? "file(s) without ending" : ending + " file(s)", path,
      has_picture_ending(path) ? Loss::Pictures : Loss::None);
}

std::string LeftOut::summary() const {
  std::vector<std::pair<std::string, Kind>> kinds(kinds_.begin(), kinds_.end());
  std::stable_sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.pictures, a.second.count) > std::pair(b.second.pictures, b.second.count);
  });
  std::vector<std::string> told;
  std::uint64_t others = 0;
  for (const auto& [name, kind] : kinds) {
    if (told.size() == kToldKinds && !kind.pictures)
      others += kind.count;
    else
      told.push_back(fmt::format("{} {} ({} for one)", human_count(kind.count), name, kind.example));
  }
  if (others > 0) told.push_back(human_count(others) + " other(s)");
  return join(told, ", ");
}

void LeftOut::tell() const {
  if (empty()) return;
  const bool missed =
      std::any_of(kinds_.begin(), kinds_.end(), [](const auto& kind) { return kind.second.pictures; });
  spdlog::log(missed ? spdlog::level::warn : spdlog::level::info, "left out: {}", summary());
}

void walk_images(const Path& root, LeftOut& left_out, const WalkVisitor& visitor) {
  std::error_code unseen;
  if (!fs::is_directory(root, unseen))
    throw ConfigError("listing images: " + root.string() + " is not a folder");
  Walk(root, left_out, visitor).folder("");
}

}  // namespace facemae
