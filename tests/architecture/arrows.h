#pragma once
// Who may include whom: the lines of cmake/arrows.txt, and what in a tree does not follow them. Each check returns one
// sentence per fault.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/architecture/tree.h"

namespace facemae::architecture {

/// FOLDER -> the words of its line. Throws std::runtime_error for a line that is none, or a folder named twice.
using Arrows = std::map<std::string, std::set<std::string>>;
Arrows read_arrows(const fs::path& root);

/// Includes of our headers that no arrow allows, or without their folder.
std::vector<std::string> wrong_includes(const fs::path& root);
/// Headers of other libraries outside of the folders that are their place.
std::vector<std::string> foreign_includes(const fs::path& root);
/// Folders that reach themselves along the arrows.
std::vector<std::string> cycles(const fs::path& root);
/// Folders of more than 30 sources.
std::vector<std::string> crowded_folders(const fs::path& root);
/// Where CMakeLists.txt and the arrows differ: folders without a library, libraries without a line, sources that are
/// not compiled, libraries of folders that are linked by name instead of by an arrow.
std::vector<std::string> faults_of_cmake(const fs::path& root);
/// Rows of the table in docs/ARCHITECTURE.md, | `folder/` | what it is | what it may include |, that differ.
std::vector<std::string> faults_of_table(const fs::path& root);

}  // namespace facemae::architecture
