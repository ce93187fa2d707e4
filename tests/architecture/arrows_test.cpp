// The folders of the repository depend on each other as cmake/arrows.txt says, and each check sees a planted fault.
#include "tests/architecture/arrows.h"

#include <gmock/gmock.h>

namespace facemae::architecture {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_F(Architecture, IncludesFollowTheArrows) { EXPECT_THAT(wrong_includes(tree()), IsEmpty()); }
TEST_F(Architecture, ForeignHeadersAreInTheirPlace) { EXPECT_THAT(foreign_includes(tree()), IsEmpty()); }
TEST_F(Architecture, NoFolderDependsOnItself) { EXPECT_THAT(cycles(tree()), IsEmpty()); }
TEST_F(Architecture, NoFolderIsCrowded) { EXPECT_THAT(crowded_folders(tree()), IsEmpty()); }
TEST_F(Architecture, CMakeBuildsTheFoldersOfTheArrows) { EXPECT_THAT(faults_of_cmake(tree()), IsEmpty()); }
TEST_F(Architecture, TheTableOfFoldersIsTrue) { EXPECT_THAT(faults_of_table(tree()), IsEmpty()); }

/// Two folders of data, one of which sees LibTorch, and core.
class PlantedFolders : public PlantedTree {
 protected:
  void SetUp() override {
    PlantedTree::SetUp();
    plant("cmake/arrows.txt",
          "# who may include whom\ncore:\ncore/files: core\ndata/image:\ndata/store: data/image\n");
    plant("core/CMakeLists.txt",
          "facemae_library(core\n  SOURCES a.cpp)\nfacemae_library(core/files\n  SOURCES b.cpp)\n");
    plant(
        "data/CMakeLists.txt",
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
};

TEST_F(PlantedTree, ACleanTreePasses) {
  plant("cmake/arrows.txt", "core:\n");
  plant("core/a.h", "#pragma once\n// A thing.\n#include <vector>\n");
  plant("tests/t.cpp", "#include <mpi.h>\n#include \"app/x.h\"\n");
  EXPECT_THAT(wrong_includes(root_), IsEmpty());
  EXPECT_THAT(foreign_includes(root_), IsEmpty());
}

TEST_F(PlantedFolders, ThatFollowTheirArrowsPass) {
  EXPECT_THAT(wrong_includes(root_), IsEmpty());
  EXPECT_THAT(foreign_includes(root_), IsEmpty());
  EXPECT_THAT(cycles(root_), IsEmpty());
  EXPECT_THAT(crowded_folders(root_), IsEmpty());
  EXPECT_THAT(faults_of_cmake(root_), IsEmpty());
  EXPECT_THAT(faults_of_table(root_), IsEmpty());
}

TEST_F(PlantedFolders, AnArrowBackwardsIsSeen) {
  plant("core/a.cpp", "#include \"data/store/d.h\"\n");
  plant("data/image/c.h", "#include \"data/store/d.h\"\n");
  plant("data/odd/e.h", "#include <vector>\n");
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("core may not depend on data/store")));
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("data/image may not depend on data/store")));
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("data/odd/e.h lies in a folder")));
}

TEST_F(PlantedFolders, AnIncludeWithoutItsFolderIsSeen) {
  plant("core/a.cpp", "#include \"a.h\"\n");
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("\"core/a.h\"")));
}

TEST_F(PlantedFolders, AForeignHeaderOutOfPlaceIsSeen) {
  plant("core/a.cpp", "#include <mpi.h>\n");
  plant("data/image/c.cpp", "#include <torch/types.h>\n");
  EXPECT_THAT(foreign_includes(root_),
              UnorderedElementsAre(HasSubstr("mpi.h"), HasSubstr("does not see LibTorch")));
}

TEST_F(PlantedTree, AForeignHeaderInAHeaderThatOthersSeeIsSeen) {
  plant("cmake/arrows.txt", "cluster/mpi:\ncluster/world: cluster/mpi\n");
  plant("cluster/mpi/seen.h", "#include <mpi.h>\n");
  plant("cluster/world/world.h", "#include \"cluster/mpi/seen.h\"\n");
  plant("cluster/mpi/own.h", "#include <mpi.h>\n");
  plant("cluster/mpi/d.cpp", "#include <mpi.h>\n#include \"cluster/mpi/own.h\"\n");
  EXPECT_THAT(foreign_includes(root_), ElementsAre(HasSubstr("seen.h includes mpi.h")));
}

TEST_F(PlantedFolders, ACycleIsSeen) {
  plant("cmake/arrows.txt", "core:\ndata/image: data/store\ndata/store: data/image\n");
  EXPECT_THAT(cycles(root_), ElementsAre("data/image depends on itself", "data/store depends on itself"));
}

TEST_F(PlantedFolders, ACrowdIsSeen) {
  for (int i = 0; i < 31; ++i) plant("data/image/n" + std::to_string(i) + ".h", "");
  EXPECT_THAT(crowded_folders(root_), ElementsAre(HasSubstr("data/image has 32 sources")));
}

TEST_F(PlantedFolders, WhatCMakeDoesOtherwiseIsSeen) {
  plant(
      "data/CMakeLists.txt",
      "facemae_library(data/image\n  SOURCES c.cpp\n  LIBRARIES facemae_data_store)\nfacemae_library(data/odd)\n");
  EXPECT_THAT(faults_of_cmake(root_),
              ElementsAre(HasSubstr("names data/store, which has no facemae_library"),
                          HasSubstr("data/image links facemae_data_store by name"),
                          HasSubstr("data/odd has no line"), "data/store/d.cpp is not compiled"));
}

TEST_F(PlantedFolders, AWrongRowIsSeen) {
  plant("docs/ARCHITECTURE.md",
        "| `core/` | x | - |\n| `core/files/` | x | - |\n| `data/image/` | x | - |\n| `old/` | x | - |\n");
  EXPECT_THAT(faults_of_table(root_), ElementsAre(HasSubstr("row of core/files"),
                                                  HasSubstr("row of data/store"), HasSubstr("a row of old")));
}

}  // namespace
}  // namespace facemae::architecture
