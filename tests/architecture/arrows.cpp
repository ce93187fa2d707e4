#include "tests/architecture/arrows.h"

#include <algorithm>
#include <functional>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace facemae::architecture {
namespace {

constexpr size_t kMostSources = 30;

std::string top_of(const std::string& folder) { return folder.substr(0, folder.find('/')); }

/// The folders that a word of a line stands for.
std::set<std::string> meant_by(const Arrows& arrows, const std::string& word) {
  std::set<std::string> folders;
  for (const auto& [folder, words] : arrows)
    if (folder == word || folder.starts_with(word + "/")) folders.insert(folder);
  return folders;
}

/// All that a folder may include beside itself.
std::set<std::string> allowed_for(const Arrows& arrows, const std::string& folder) {
  std::set<std::string> allowed;
  const bool of_core = top_of(folder) == "core";
  if (!of_core) allowed = meant_by(arrows, "core");
  for (const auto& word : arrows.at(folder)) {
    if (of_core || folder.starts_with(word + "/"))
      allowed.insert(word);  // that folder alone: core of core/files, app of app/data
    else
      allowed.merge(meant_by(arrows, word));
  }
  return allowed;
}

struct Foreign {
  std::regex header;
  std::set<std::string> folders;  ///< whose files may include it
  bool in_headers;                ///< whether headers that others see may, too
};

const std::vector<Foreign>& foreign() {
  static const std::vector<Foreign> rules = {
      {std::regex(R"(mpi\.h)"), {"cluster/mpi"}, false},
      {std::regex(R"(nccl\.h|cuda.*\.h|c10/cuda/.*)"), {"cluster/nccl"}, false},
      {std::regex(R"(hdf5.*\.h|H5.*\.h)"), {"data/hdf5"}, false},
      {std::regex(R"(archive(_entry)?\.h)"), {"data/archives"}, false},
      {std::regex(R"(zip\.h)"), {"data/archives", "checkpoint/pytorch"}, true},
      {std::regex(R"(png\.h|turbojpeg\.h|webp/.*|libexif/.*)"), {"data/image"}, false},
      {std::regex(R"(sodium.*\.h)"), {"core/random", "evaluation/gate", "evaluation/report"}, false},
      {std::regex(R"(google/protobuf/.*|.*\.pb\.h)"),
       {"cluster/host", "checkpoint/format", "checkpoint/onnx", "trainer/files"},
       false},
  };
  return rules;
}

std::vector<Source> cmake_files(const fs::path& root, const Arrows& arrows) {
  std::vector<Source> files;
  for (auto& file : read_tree(root, {".txt"}))
    if (file.path.ends_with("/CMakeLists.txt") && !meant_by(arrows, top_of(file.path)).empty())
      files.push_back(std::move(file));
  return files;
}

/// FOLDER -> the text of its facemae_library(FOLDER ...).
std::map<std::string, std::string> libraries(const fs::path& root, const Arrows& arrows) {
  static const std::regex opens(R"(^facemae_library\(([a-z0-9/]+)(.*)$)");
  std::map<std::string, std::string> found;
  for (const auto& file : cmake_files(root, arrows)) {
    std::string* open = nullptr;
    std::smatch match;
    for (const auto& line : file.lines) {
      if (std::regex_search(line, match, opens))
        open = &(found[match[1]] = match[2]);
      else if (open != nullptr)
        *open += "\n" + line;
      if (line.ends_with(")")) open = nullptr;
    }
  }
  return found;
}

}  // namespace

Arrows read_arrows(const fs::path& root) {
  static const std::regex pattern(R"(^([a-z0-9/]+):(( [a-z0-9/]+)*)$)");
  Arrows arrows;
  std::smatch match;
  for (const auto& line : read_lines(root / "cmake/arrows.txt")) {
    if (line.empty() || line.starts_with("#")) continue;
    if (!std::regex_match(line, match, pattern)) throw std::runtime_error("cmake/arrows.txt: " + line);
    std::istringstream words(match[2].str());
    auto& to = arrows[match[1]];
    if (!to.empty()) throw std::runtime_error("cmake/arrows.txt has two lines for " + match[1].str());
    for (std::string word; words >> word;) to.insert(word);
  }
  return arrows;
}

std::vector<std::string> wrong_includes(const fs::path& root) {
  const Arrows arrows = read_arrows(root);
  std::vector<std::string> faults;
  for (const Source& source : read_tree(root, {".h", ".cpp"})) {
    const std::string from = source.folder();
    if (meant_by(arrows, top_of(from)).empty()) continue;  // tests and benchmarks see everything
    if (!arrows.contains(from)) {
      faults.push_back(source.path + " lies in a folder that cmake/arrows.txt does not know");
      continue;
    }
    const auto allowed = allowed_for(arrows, from);
    for (const auto& [header, quoted] : includes(source)) {
      if (!quoted) continue;
      const auto slash = header.rfind('/');
      if (slash == std::string::npos) {
        faults.push_back(source.path + " includes \"" + header + "\": write the folder, \"" + from + "/" +
                         header + "\"");
        continue;
      }
      const std::string to = header.substr(0, slash);
      const bool program = source.path == "app/main.cpp";  // puts everything together
      if (to != from && !program && !allowed.contains(to))
        faults.push_back(source.path + " includes " + header + ": " + from + " may not depend on " + to);
    }
  }
  return faults;
}

std::vector<std::string> foreign_includes(const fs::path& root) {
  static const std::regex of_torch(R"((torch|ATen|c10)/.*)");
  const Arrows arrows = read_arrows(root);
  const auto built = libraries(root, arrows);
  const std::vector<Source> sources = read_tree(root, {".h", ".cpp"});
  std::set<std::string> seen;  // headers that another header or another folder includes
  for (const Source& source : sources)
    for (const auto& [header, quoted] : includes(source))
      if (quoted && (source.header() || header.substr(0, header.rfind('/')) != source.folder()))
        seen.insert(header);
  std::vector<std::string> faults;
  for (const Source& source : sources) {
    const std::string from = source.folder();
    if (!arrows.contains(from)) continue;
    const auto library = built.find(from);
    const bool sees_torch = library != built.end() && library->second.starts_with(" TORCH");
    for (const auto& [header, quoted] : includes(source)) {
      for (const Foreign& rule : foreign())
        if (std::regex_match(header, rule.header) &&
            (!rule.folders.contains(from) ||
             (source.header() && seen.contains(source.path) && !rule.in_headers)))
          faults.push_back(source.path + " includes " + header +
                           ": that header has its place in .cpp files of " +
                           testing::PrintToString(rule.folders));
      if (!quoted && std::regex_match(header, of_torch) && !sees_torch)
        faults.push_back(source.path + " includes " + header + ": " + from + " does not see LibTorch");
    }
  }
  return faults;
}

std::vector<std::string> cycles(const fs::path& root) {
  const Arrows arrows = read_arrows(root);
  std::vector<std::string> faults;
  for (const auto& [start, words] : arrows) {
    std::set<std::string> reached;
    const std::function<void(const std::string&)> visit = [&](const std::string& folder) {
      if (!arrows.contains(folder)) return;
      for (const auto& next : allowed_for(arrows, folder))
        if (next != folder && reached.insert(next).second) visit(next);
    };
    visit(start);
    if (reached.contains(start)) faults.push_back(start + " depends on itself");
  }
  return faults;
}

std::vector<std::string> crowded_folders(const fs::path& root) {
  std::map<std::string, size_t> sources;
  for (const Source& source : read_tree(root, {".h", ".cpp", ".proto"})) ++sources[source.folder()];
  std::vector<std::string> faults;
  for (const auto& [folder, count] : sources)
    if (count > kMostSources)
      faults.push_back(folder + " has " + std::to_string(count) + " sources, more than " +
                       std::to_string(kMostSources) + ": divide it by idea");
  return faults;
}

std::vector<std::string> faults_of_cmake(const fs::path& root) {
  static const std::regex of_a_folder(
      R"(\bfacemae_(core|data|cluster|model|checkpoint|evaluation|trainer|app)\w*)");
  const Arrows arrows = read_arrows(root);
  const auto built = libraries(root, arrows);
  std::vector<std::string> faults;
  for (const auto& [folder, words] : arrows)
    if (!built.contains(folder))
      faults.push_back("cmake/arrows.txt names " + folder + ", which has no facemae_library");
  std::string all;
  for (const auto& file : cmake_files(root, arrows))
    for (const auto& line : file.lines) all += line + "\n";
  for (const auto& [folder, text] : built) {
    if (!arrows.contains(folder))
      faults.push_back("the library of " + folder + " has no line in cmake/arrows.txt");
    std::smatch match;
    if (std::regex_search(text, match, of_a_folder))
      faults.push_back("the library of " + folder + " links " + match[0].str() +
                       " by name: draw an arrow instead");
  }
  for (const Source& source : read_tree(root, {".cpp"})) {
    if (!arrows.contains(source.folder())) continue;
    const std::regex named("(^|[ /(\n])" + fs::path(source.path).filename().string() + "\\b");
    if (!std::regex_search(all, named)) faults.push_back(source.path + " is not compiled");
  }
  return faults;
}

std::vector<std::string> faults_of_table(const fs::path& root) {
  static const std::regex row(R"(^\| `([a-z0-9/]+)/` \|[^|]*\|([^|]*)\|$)"), word("`([a-z0-9/]+)`");
  Arrows told;
  std::smatch match;
  for (const auto& line : read_lines(root / "docs/ARCHITECTURE.md"))
    if (std::regex_match(line, match, row)) {
      auto& to = told[match[1]];
      const std::string cell = match[2];
      for (auto it = std::sregex_iterator(cell.begin(), cell.end(), word); it != std::sregex_iterator(); ++it)
        to.insert((*it)[1]);
    }
  std::vector<std::string> faults;
  const Arrows arrows = read_arrows(root);
  for (const auto& [folder, words] : arrows)
    if (!told.contains(folder) || told.at(folder) != words)
      faults.push_back("docs/ARCHITECTURE.md should have the row of " + folder + ", which may include " +
                       testing::PrintToString(words));
  for (const auto& [folder, words] : told)
    if (!arrows.contains(folder))
      faults.push_back("docs/ARCHITECTURE.md has a row of " + folder + ", which is not there");
  return faults;
}

}  // namespace facemae::architecture
