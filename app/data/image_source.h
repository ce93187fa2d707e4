#pragma once
// Where the images of a pack come from: options and the source they name.
#include <memory>
#include <string>
#include <vector>

#include "core/options/options.h"
#include "data/source/source.h"

namespace facemae {

struct SourceOptions {
  std::string from = "folder", root, landmarks;
  std::vector<std::string> in;
  FolderRules rules;

  void declare(Options& options);
  void check(Options& options) const;
  std::unique_ptr<ImageSource> open(bool show_progress) const;
  static std::string names();  ///< "folder|zip|..."
  /// For the end of --help: labels and landmarks.
  static std::string help();
};

}  // namespace facemae
