#include "tests/architecture/tree.h"

#include <cstdlib>
#include <fstream>
#include <regex>

namespace facemae::architecture {
namespace {

bool ignored(const fs::path& relative) {
  const std::string first = relative.begin()->string();
  return first == "build" || (first.size() > 1 && first[0] == '.' && first != ".ci" && first != ".github");
}

}  // namespace

std::vector<std::string> read_lines(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Source> read_tree(const fs::path& root, const std::set<std::string>& extensions) {
  std::vector<Source> sources;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator();
       ++entry) {
    const fs::path relative = fs::relative(entry->path(), root);
    if (ignored(relative))
      entry.disable_recursion_pending();
    else if (entry->is_regular_file() && extensions.contains(relative.extension().string()))
      sources.push_back({relative.generic_string(), read_lines(entry->path())});
  }
  return sources;
}

std::vector<std::pair<std::string, fs::path>> read_links(const fs::path& root) {
  std::vector<std::pair<std::string, fs::path>> links;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator();
       ++entry) {
    const fs::path relative = fs::relative(entry->path().parent_path(), root) / entry->path().filename();
    if (ignored(relative.lexically_normal()))
      entry.disable_recursion_pending();
    else if (entry->is_symlink())
      links.emplace_back(relative.lexically_normal().generic_string(), fs::read_symlink(entry->path()));
  }
  return links;
}

std::vector<std::pair<std::string, bool>> includes(const Source& source) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::vector<std::pair<std::string, bool>> found;
  std::smatch match;
  for (const std::string& line : source.lines)
    if (std::regex_search(line, match, pattern)) found.emplace_back(match[2], match[1] == "\"");
  return found;
}

fs::path tree() {
  const char* root = std::getenv("FACEMAE_SOURCE");
  return root ? root : "";
}

void Architecture::SetUp() {
  ASSERT_TRUE(fs::exists(tree() / "core")) << "FACEMAE_SOURCE does not name the source tree: " << tree();
  ASSERT_GT(read_tree(tree(), {".h", ".cpp"}).size(), 20u);
}

void PlantedTree::SetUp() {
  std::string pattern = (fs::temp_directory_path() / "architecture_XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  root_ = pattern;
}

void PlantedTree::plant(const std::string& path, const std::string& text) const {
  fs::create_directories((root_ / path).parent_path());
  std::ofstream(root_ / path) << text;
}

void PlantedTree::plant_folders() const {
  plant("cmake/arrows.txt",
        "# who may include whom\ncore:\ncore/files: core\ndata/image:\ndata/store: data/image\n");
  plant("core/CMakeLists.txt",
        "facemae_library(core\n  SOURCES a.cpp)\nfacemae_library(core/files\n  SOURCES b.cpp)\n");
  plant("data/CMakeLists.txt",
        "facemae_library(data/image\n  SOURCES c.cpp)\nfacemae_library(data/store TORCH\n  SOURCES d.cpp)\n");
  plant(
      "docs/ARCHITECTURE.md",
      "| folder | what | may include |\n|---|---|---|\n| `core/` | x | - |\n| `core/files/` | x | `core` |\n"
      "| `data/image/` | x | - |\n| `data/store/` | x | `data/image` |\n");
  plant("core/a.cpp", "#include <vector>\n");
  plant("core/files/b.cpp", "#include \"core/a.h\"\n");
  plant("data/image/c.cpp", "#include \"core/files/b.h\"\n#include \"data/image/c.h\"\n");
  plant("data/store/d.cpp", "#include \"data/image/c.h\"\n#include <torch/torch.h>\n");
}

}  // namespace facemae::architecture
