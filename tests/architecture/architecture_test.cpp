// The architecture as a test: reads every source of the repository and fails on an include that points the
// wrong way, a foreign header outside its place, a file too long to read, a header that does not say what it
// is for, or a path or host of somebody's machine. FACEMAE_SOURCE names the tree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t max_lines = 400;

/// What each folder may include from; a folder may always include from itself.
const std::map<std::string, std::set<std::string>>& arrows() {
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"core", {}},
      {"data", {"core"}},
      {"model", {"core"}},  // and two headers of cluster, below
      {"cluster", {"core"}},
      {"checkpoint", {"core", "cluster"}},
      {"evaluation", {"core", "data", "model"}},
      {"trainer", {"core", "cluster", "data", "model", "checkpoint", "evaluation"}},
      {"app", {"core", "cluster", "data", "model", "checkpoint", "evaluation", "trainer"}},
  };
  return allowed;
}

/// Single headers that a folder may include beyond its arrows: the verbs that the mathematics needs.
const std::map<std::string, std::set<std::string>>& exceptions() {
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"model", {"cluster/communicator.h", "cluster/collectives.h"}},
  };
  return allowed;
}

struct Foreign {
  std::regex header;
  std::set<std::string> folders;  // whose files may include it
  bool in_headers;                // and whether headers that others see may, too
};

const std::vector<Foreign>& foreign() {
  static const std::vector<Foreign> rules = {
      {std::regex(R"(mpi\.h)"), {"cluster", "app"}, false},
      {std::regex(R"(nccl\.h|cuda.*\.h|c10/cuda/.*)"), {"cluster", "app"}, false},
      {std::regex(R"(hdf5.*\.h|H5.*\.h)"), {"data", "app"}, false},
      {std::regex(R"(sodium.*\.h)"), {"core", "evaluation"}, false},
      {std::regex(R"(google/protobuf/.*)"), {"cluster", "data", "checkpoint", "trainer"}, false},
      {std::regex(R"((torch|ATen|c10)/.*)"),
       {"cluster", "model", "checkpoint", "evaluation", "trainer", "app"},
       true},
  };
  return rules;
}

struct Source {
  std::string path;  // from the root, "data/store.h"
  std::vector<std::string> lines;
  std::string folder() const { return path.substr(0, path.find('/')); }
  bool header() const { return path.ends_with(".h"); }
};

bool ignored(const fs::path& relative) {
  const std::string first = relative.begin()->string();
  return first == "build" || (first.size() > 1 && first[0] == '.' && first != ".ci");
}

std::vector<Source> read_tree(const fs::path& root, const std::set<std::string>& extensions) {
  std::vector<Source> sources;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator();
       ++entry) {
    const fs::path relative = fs::relative(entry->path(), root);
    if (ignored(relative)) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && extensions.contains(relative.extension().string())) {
      Source source{.path = relative.generic_string(), .lines = {}};
      std::ifstream file(entry->path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      sources.push_back(std::move(source));
    }
  }
  return sources;
}

/// The headers a source includes, as written, with a mark whether in quotes.
std::vector<std::pair<std::string, bool>> includes(const Source& source) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::vector<std::pair<std::string, bool>> found;
  std::smatch match;
  for (const std::string& line : source.lines)
    if (std::regex_search(line, match, pattern)) found.emplace_back(match[2], match[1] == "\"");
  return found;
}

std::vector<std::string> wrong_includes(const fs::path& root) {
  std::vector<std::string> faults;
  const std::vector<Source> sources = read_tree(root, {".h", ".cpp"});
  std::set<std::string> seen_outside;  // headers that another header or another folder includes
  for (const Source& source : sources)
    for (const auto& [header, quoted] : includes(source))
      if (source.header() || header.substr(0, header.find('/')) != source.folder())
        seen_outside.insert(header);
  for (const Source& source : sources) {
    const std::string from = source.folder();
    if (!arrows().contains(from)) continue;  // tests and benchmarks see everything
    for (const auto& [header, quoted] : includes(source)) {
      const std::string to = header.substr(0, header.find('/'));
      if (arrows().contains(to) && to != from && !arrows().at(from).contains(to)) {
        const auto exception = exceptions().find(from);
        if (exception == exceptions().end() || !exception->second.contains(header))
          faults.push_back(source.path + " includes " + header + ": " + from + " may not depend on " + to);
      }
      if (quoted && header.find('/') == std::string::npos && !header.ends_with(".pb.h"))
        faults.push_back(source.path + " includes \"" + header + "\": write the folder, \"" + from + "/" +
                         header + "\"");
      const bool seen = source.header() && seen_outside.contains(source.path);
      for (const Foreign& rule : foreign())
        if (std::regex_match(header, rule.header) &&
            (!rule.folders.contains(from) || (seen && !rule.in_headers)))
          faults.push_back(source.path + " includes " + header +
                           ": that header has its place in .cpp files of " +
                           testing::PrintToString(rule.folders));
    }
  }
  return faults;
}

std::vector<std::string> long_files(const fs::path& root) {
  std::vector<std::string> faults;
  for (const Source& source : read_tree(root, {".h", ".cpp", ".sh", ".cmake", ".py", ".awk"}))
    if (source.lines.size() > max_lines)
      faults.push_back(source.path + " has " + std::to_string(source.lines.size()) + " lines, more than " +
                       std::to_string(max_lines) + ": split it by idea");
  return faults;
}

/// A header says what it is for within its first lines, and is guarded.
std::vector<std::string> silent_headers(const fs::path& root) {
  std::vector<std::string> faults;
  for (const Source& source : read_tree(root, {".h"})) {
    bool guarded = false, speaks = false;
    for (size_t i = 0; i < std::min<size_t>(3, source.lines.size()); ++i) {
      guarded = guarded || source.lines[i] == "#pragma once";
      speaks = speaks || source.lines[i].starts_with("// ");
    }
    if (!guarded) faults.push_back(source.path + " has no #pragma once in its first lines");
    if (!speaks) faults.push_back(source.path + " does not say in its first lines what it is for");
  }
  return faults;
}

/// Two types of one name in one namespace: the linker would merge their functions without a word.
std::vector<std::string> types_defined_twice(const fs::path& root) {
  static const std::regex opens(R"(^(inline )?namespace ?([A-Za-z_:]*) ?\{)"), closes(R"(^\}  // namespace)");
  static const std::regex defines(
      R"(^(struct|class|enum class|enum|union) ([A-Z]\w*)(?![\w:])[^;]*(\{.*)?$)");
  std::map<std::string, std::string> where;
  std::vector<std::string> faults;
  for (const Source& source : read_tree(root, {".h", ".cpp"})) {
    if (!arrows().contains(source.folder())) continue;
    std::vector<std::string> spaces;
    std::smatch match;
    for (const std::string& line : source.lines) {
      if (std::regex_search(line, match, opens)) {
        spaces.push_back(match[2].length() > 0 ? match[2].str() : source.path);  // unnamed: the file's own
      } else if (std::regex_search(line, closes) && !spaces.empty()) {
        spaces.pop_back();
      } else if (std::regex_match(line, match, defines)) {
        std::string name;
        for (const auto& space : spaces) name += space + "::";
        name += match[2];
        const auto [at, fresh] = where.try_emplace(name, source.path);
        if (!fresh) faults.push_back(name + " is defined in " + at->second + " and in " + source.path);
      }
    }
  }
  return faults;
}

/// Paths and hosts that exist on somebody's machine only. The patterns are pieced together, so
/// that this file passes.
std::vector<std::string> machine_traces(const fs::path& root) {
  static const std::regex pattern(std::string("(^|[^A-Za-z0-9_.}/-])/(wo") + "rk|ho" + "me|ro" + "ot|Us" +
                                  "ers)/(?!zz-planted)[A-Za-z0-9._-]|" + "[a-z0-9.-]+\\.(pk" +
                                  "g\\.dev|inter" + "nal)([^A-Za-z_(]|$)|//[a-z0-9.-]*(regi" + "stry|mir" +
                                  "ror)[a-z0-9.-]*\\.");
  std::vector<std::string> faults;
  std::set<std::string> text = {".h",   ".cpp", ".sh",     ".cmake", ".py",  ".md", ".txt", ".json",
                                ".yml", ".cfg", ".sbatch", ".proto", ".awk", "",    ".conf"};
  for (const Source& source : read_tree(root, text))
    for (size_t i = 0; i < source.lines.size(); ++i)
      if (std::regex_search(source.lines[i], pattern))
        faults.push_back(source.path + ":" + std::to_string(i + 1) +
                         " names a path or host of one machine: " + source.lines[i]);
  return faults;
}

/// What decides who is who in a release draws from core/secret.h alone: core/keys.h can be predicted.
std::vector<std::string> predictable_releases(const fs::path& root) {
  static const std::regex pattern(
      R"re(core/(keys|permutation)\.h|\b(key_of|Draws|Permutation|mt19937\w*|random_device|s?rand)\b|<random>)re");
  std::vector<std::string> faults;
  for (const Source& source : read_tree(root, {".h", ".cpp"})) {
    if (!source.path.starts_with("data/release") && !source.path.starts_with("trainer/rebuild") &&
        !source.path.starts_with("app/reconstruct"))
      continue;
    for (const std::string& line : source.lines)
      if (std::regex_search(line, pattern))
        faults.push_back(source.path + " draws what can be predicted: " + line);
  }
  return faults;
}

fs::path tree() {
  const char* root = std::getenv("FACEMAE_SOURCE");
  return root ? root : "";
}

class Architecture : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::exists(tree() / "core")) << "FACEMAE_SOURCE does not name the source tree: " << tree();
    ASSERT_GT(read_tree(tree(), {".h", ".cpp"}).size(), 20u);
  }
};

TEST_F(Architecture, IncludesFollowTheArrows) { EXPECT_THAT(wrong_includes(tree()), IsEmpty()); }
TEST_F(Architecture, NoFileIsTooLongToRead) { EXPECT_THAT(long_files(tree()), IsEmpty()); }
TEST_F(Architecture, EveryHeaderSaysWhatItIsFor) { EXPECT_THAT(silent_headers(tree()), IsEmpty()); }
TEST_F(Architecture, EveryTypeIsDefinedOnce) { EXPECT_THAT(types_defined_twice(tree()), IsEmpty()); }
TEST_F(Architecture, NothingNamesOneMachine) { EXPECT_THAT(machine_traces(tree()), IsEmpty()); }

TEST_F(Architecture, ReleasesDrawFromSecretsAlone) { EXPECT_THAT(predictable_releases(tree()), IsEmpty()); }

/// A tree with faults planted, to see the checks above fail.
class PlantedTree : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "architecture_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }
  void plant(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(PlantedTree, ACleanTreePasses) {
  plant("core/a.h", "#pragma once\n// A thing.\n#include <vector>\n");
  plant("model/b.cpp",
        "#include \"core/a.h\"\n#include \"cluster/communicator.h\"\n#include <torch/torch.h>\n");
  plant("tests/t.cpp", "#include <mpi.h>\n#include \"app/x.h\"\n");
  plant("build/x.h", "/" + std::string("work/x"));
  EXPECT_THAT(wrong_includes(root_), IsEmpty());
  EXPECT_THAT(silent_headers(root_), IsEmpty());
  EXPECT_THAT(long_files(root_), IsEmpty());
  EXPECT_THAT(machine_traces(root_), IsEmpty());
}

TEST_F(PlantedTree, AnArrowBackwardsIsSeen) {
  plant("core/a.cpp", "#include \"trainer/loop.h\"\n");
  plant("model/b.h", "#include \"cluster/world.h\"\n");
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("core may not depend on trainer")));
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("model may not depend on cluster")));
}

TEST_F(PlantedTree, AForeignHeaderOutOfPlaceIsSeen) {
  plant("data/a.cpp", "#include <mpi.h>\n");
  plant("core/b.h", "#  include <torch/types.h>\n");
  plant("cluster/seen.h", "#include <mpi.h>\n");
  plant("cluster/world.h", "#include \"cluster/seen.h\"\n");
  plant("cluster/own.h", "#include <mpi.h>\n");
  plant("cluster/d.cpp", "#include <mpi.h>\n#include \"cluster/own.h\"\n");
  EXPECT_EQ(wrong_includes(root_).size(), 3u);
}

TEST_F(PlantedTree, AnIncludeWithoutItsFolderIsSeen) {
  plant("core/a.cpp", "#include \"a.h\"\n");
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("\"core/a.h\"")));
}

TEST_F(PlantedTree, AReleaseFromPredictableDrawsIsSeen) {
  plant("data/release_plan.cpp", "#include \"core/keys.h\"\n");
  plant("trainer/rebuild.cpp", "const Permutation order(rows.size(), key_of(secret.order_seed));\n");
  plant("app/reconstruct.h", "#include \"core/secret.h\"\n");
  plant("data/order.cpp", "#include \"core/keys.h\"\n");
  EXPECT_THAT(predictable_releases(root_), testing::SizeIs(2));
}

TEST_F(PlantedTree, ALongFileAndASilentHeaderAreSeen) {
  plant("core/a.cpp", [] {
    std::string text;
    for (size_t i = 0; i <= max_lines; ++i) text += "//\n";
    return text;
  }());
  plant("core/b.h", "#include <vector>\nint f();\n");
  EXPECT_EQ(long_files(root_).size(), 1u);
  EXPECT_EQ(silent_headers(root_).size(), 2u);
}

TEST_F(PlantedTree, ATypeOfTheSameNameIsSeenUnlessItsNamespaceDiffers) {
  plant(
      "core/a.h",
      "#pragma once\n// A.\nnamespace facemae {\nstruct Twice {\n};\nstruct Once;\n}  // namespace facemae\n");
  plant("data/b.h", "#pragma once\n// B.\nnamespace facemae {\nstruct Once {\n};\n}  // namespace facemae\n");
  plant("data/c.cpp",
        "namespace facemae {\nnamespace {\nstruct Twice {\n};\n}  // namespace\n}  // namespace facemae\n");
  EXPECT_THAT(types_defined_twice(root_), IsEmpty());
  plant("data/d.cpp", "namespace facemae {\nstruct Twice {\n};\n}  // namespace facemae\n");
  EXPECT_EQ(types_defined_twice(root_).size(), 1u);
}
TEST_F(PlantedTree, APathOfOneMachineIsSeen) {
  plant("scripts/a.sh", "cd /" + std::string("home/somebody\n"));
  plant("docs/b.md", "see https://" + std::string("mirror.example.com/x\n"));
  plant("docs/c.md", "see tests/" + std::string("work/x and ${root}/") + "work/y\n");
  EXPECT_EQ(machine_traces(root_).size(), 2u);
}

}  // namespace
