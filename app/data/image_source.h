#pragma once
// Where the images of a pack come from: options and the source they name.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/options/options.h"
#include "data/source/source_kind.h"

namespace facemae {

struct SourceOptions {
  std::string from = "folder", root, landmarks;
  std::vector<std::string> in;
  FolderRules rules;

  void declare(Options& options);
  void check(Options& options) const;
  /// Lists what they name, into OUT/packing. One rank; throws like list_for_pack().
  void list(const Path& out);
  /// After list(), by its catalogue in OUT/packing; `first`: the rank that checks and tells. All ranks.
  std::unique_ptr<ImageSource> open(const Path& out, bool first);
  /// Without OUT/packing, where nothing may be written: lists into a temporary file.
  std::unique_ptr<ImageSource> open_alone();
  static std::string names();  ///< "folder|zip|..."
  /// For the end of --help: labels and landmarks.
  static std::string help();

 private:
  SourcePlaces places() const;
  void read_landmarks();
  std::unique_ptr<ImageSource> aligned(std::unique_ptr<ImageSource> source, bool check);
  std::optional<Landmarks> points_;  ///< read once: the file may be a pipe
};

}  // namespace facemae
