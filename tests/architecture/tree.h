#pragma once
// A source tree as the tests of this folder read it: files, lines, includes; and one with planted faults.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace facemae::architecture {

namespace fs = std::filesystem;

struct Source {
  std::string path;  ///< from the root, "data/store/store.h"
  std::vector<std::string> lines;
  std::string folder() const { return path.substr(0, path.rfind('/')); }  ///< "data/store"
  bool header() const { return path.ends_with(".h"); }
};

/// All files below `root` that end so, but for what is built or hidden.
std::vector<Source> read_tree(const fs::path& root, const std::set<std::string>& extensions);
/// All symbolic links, and where they point.
std::vector<std::pair<std::string, fs::path>> read_links(const fs::path& root);
/// Nothing when the file is not there.
std::vector<std::string> read_lines(const fs::path& file);

/// The headers that a source includes, as written, and whether in quotes.
std::vector<std::pair<std::string, bool>> includes(const Source& source);

/// What FACEMAE_SOURCE names.
fs::path tree();

class Architecture : public testing::Test {
 protected:
  void SetUp() override;
};

/// A tree with faults planted, to see the checks fail.
class PlantedTree : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override { fs::remove_all(root_); }
  void plant(const std::string& path, const std::string& text) const;
  /// core, and two folders of data, one of which sees LibTorch, without a fault.
  void plant_folders() const;
  fs::path root_;
};

}  // namespace facemae::architecture
