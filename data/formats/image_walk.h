#pragma once
// Lists the images below a folder, and counts what it leaves out, so that nothing is lost in silence.
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "core/files/files.h"

namespace facemae {

/// What was left out of a set, by kind, each with how many and one of them.
class LeftOut {
 public:
  enum class Loss { None, Pictures };  ///< Pictures: somebody may miss them
  /// `kind` is a plural with its remedy, if there is one; the example named is the first by name.
  void add(const std::string& kind, const std::string& example, Loss loss = Loss::None);
  /// By ending.
  void add_file(const std::string& path);
  bool empty() const { return kinds_.empty(); }
  /// "4 .heic file(s) (ann/1.heic for one), 1 hidden folder(s) (.git for one)": what may be missed first.
  std::string summary() const;
  /// Logs the summary, as a warning when somebody may miss something; nothing when nothing was left out.
  void tell() const;

 private:
  struct Kind {
    std::uint64_t count = 0;
    std::string example;
    bool pictures = false;
  };
  std::map<std::string, Kind> kinds_;
};

/// Both are given paths below the folder that is walked, parted by "/", in no order.
struct WalkVisitor {
  std::function<void(const std::string& folder)> folder;  ///< before what is in it
  std::function<void(const std::string& image)> image;
};

/// Visits every folder and every image (is_image_name) below `root`, following links. Hidden and system folders
/// and files, other files, and links that lead back to a folder above them go to `left_out`. What has an image's
/// name is visited even if it is a dangling link or a pipe: reading it fails by name. Throws FileError for a
/// folder that cannot be listed, ConfigError when `root` is no folder.
void walk_images(const Path& root, LeftOut& left_out, const WalkVisitor& visitor);

}  // namespace facemae
