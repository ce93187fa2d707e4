// The form of the sources as a test: no file too long to read, no header that does not say what it is for, no type
// defined twice, no path or host of one machine. FACEMAE_SOURCE names the tree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/architecture/tree.h"

namespace facemae::architecture {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t max_lines = 400;

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
    if (source.path.starts_with("tests/") || source.path.starts_with("bench/")) continue;
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
  for (const auto& [link, target] : read_links(root))
    if (target.is_absolute()) faults.push_back(link + " links to a path of one machine: " + target.string());
  return faults;
}

/// What decides who is who in a release draws from core/random/secret.h alone: core/random/keys.h can be predicted.
std::vector<std::string> predictable_releases(const fs::path& root) {
  static const std::regex pattern(
      R"re(core/(random/)?(keys|permutation)\.h|\b(key_of|Draws|Permutation|mt19937\w*|random_device|s?rand)\b|<random>)re");
  std::vector<std::string> faults;
  for (const Source& source : read_tree(root, {".h", ".cpp"})) {
    if (!source.path.starts_with("data/release/") && !source.path.starts_with("trainer/rebuild/") &&
        !source.path.starts_with("app/use/reconstruct"))
      continue;
    for (const std::string& line : source.lines)
      if (std::regex_search(line, pattern))
        faults.push_back(source.path + " draws what can be predicted: " + line);
  }
  return faults;
}

/// fmt is spdlog's, bundled or not: a header named otherwise may be of another version, LibTorch's for one.
std::vector<std::string> other_fmt(const fs::path& root) {
  std::vector<std::string> faults;
  for (const Source& source : read_tree(root, {".h", ".cpp", ".cu"}))
    for (const std::string& line : source.lines)
      if (line.starts_with("#include <fmt/"))
        faults.push_back(source.path + " includes fmt past spdlog: " + line + " (<spdlog/fmt/fmt.h>)");
  return faults;
}

TEST_F(Architecture, NoFileIsTooLongToRead) { EXPECT_THAT(long_files(tree()), IsEmpty()); }
TEST_F(Architecture, EveryHeaderSaysWhatItIsFor) { EXPECT_THAT(silent_headers(tree()), IsEmpty()); }
TEST_F(Architecture, EveryTypeIsDefinedOnce) { EXPECT_THAT(types_defined_twice(tree()), IsEmpty()); }
TEST_F(Architecture, NothingNamesOneMachine) { EXPECT_THAT(machine_traces(tree()), IsEmpty()); }
TEST_F(Architecture, FmtIsThatOfSpdlog) { EXPECT_THAT(other_fmt(tree()), IsEmpty()); }

TEST_F(Architecture, ReleasesDrawFromSecretsAlone) { EXPECT_THAT(predictable_releases(tree()), IsEmpty()); }

TEST_F(PlantedTree, AReleaseFromPredictableDrawsIsSeen) {
  plant("data/release/release_plan.cpp", "#include \"core/random/keys.h\"\n");
  plant("trainer/rebuild/rebuild.cpp", "const Permutation order(rows.size(), key_of(secret.order_seed));\n");
  plant("app/use/reconstruct.h", "#include \"core/random/secret.h\"\n");
  plant("data/order/order.cpp", "#include \"core/random/keys.h\"\n");
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
TEST_F(PlantedTree, FmtPastSpdlogIsSeen) {
  plant("core/a.cpp", "#include <fmt/format.h>\n");
  plant("core/b.cpp", "#include <spdlog/fmt/fmt.h>\n");
  EXPECT_EQ(other_fmt(root_).size(), 1u);
}
TEST_F(PlantedTree, APathOfOneMachineIsSeen) {
  plant("scripts/a.sh", "cd /" + std::string("home/somebody\n"));
  plant("docs/b.md", "see https://" + std::string("mirror.example.com/x\n"));
  plant(".github/workflows/ci.yml", "run: /" + std::string("root/check.sh\n"));
  plant("docs/c.md", "see tests/" + std::string("work/x and ${root}/") + "work/y\n");
  fs::create_symlink("/" + std::string("data/faces"), root_ / "faces");
  fs::create_symlink("c.md", root_ / "docs" / "d.md");
  EXPECT_EQ(machine_traces(root_).size(), 4u);
}

}  // namespace
}  // namespace facemae::architecture
