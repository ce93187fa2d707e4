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

TEST_F(PlantedTree, ACleanTreePasses) {
  plant("cmake/arrows.txt", "core:\n");
  plant("core/a.h", "#pragma once\n// A thing.\n#include <vector>\n");
  plant("tests/t.cpp", "#include <mpi.h>\n#include \"app/x.h\"\n");
  EXPECT_THAT(wrong_includes(root_), IsEmpty());
  EXPECT_THAT(foreign_includes(root_), IsEmpty());
}

TEST_F(PlantedTree, FoldersThatFollowTheirArrowsPass) {
  plant_folders();
  EXPECT_THAT(wrong_includes(root_), IsEmpty());
  EXPECT_THAT(foreign_includes(root_), IsEmpty());
  EXPECT_THAT(cycles(root_), IsEmpty());
  EXPECT_THAT(crowded_folders(root_), IsEmpty());
  EXPECT_THAT(faults_of_cmake(root_), IsEmpty());
  EXPECT_THAT(faults_of_table(root_), IsEmpty());
}

TEST_F(PlantedTree, AnArrowBackwardsIsSeen) {
  plant_folders();
  plant("core/a.cpp", "#include \"data/store/d.h\"\n");
  plant("data/image/c.h", "#include \"data/store/d.h\"\n");
  plant("data/odd/e.h", "#include <vector>\n");
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("core may not depend on data/store")));
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("data/image may not depend on data/store")));
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("data/odd/e.h lies in a folder")));
}

TEST_F(PlantedTree, AnIncludeWithoutItsFolderIsSeen) {
  plant_folders();
  plant("core/a.cpp", "#include \"a.h\"\n");
  EXPECT_THAT(wrong_includes(root_), Contains(HasSubstr("\"core/a.h\"")));
}

TEST_F(PlantedTree, AForeignHeaderOutOfPlaceIsSeen) {
  plant_folders();
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

TEST_F(PlantedTree, ACycleIsSeen) {
  plant_folders();
  plant("cmake/arrows.txt", "core:\ndata/image: data/store\ndata/store: data/image\n");
  EXPECT_THAT(cycles(root_), ElementsAre("data/image depends on itself", "data/store depends on itself"));
}

TEST_F(PlantedTree, ACrowdIsSeen) {
  plant_folders();
  for (int i = 0; i < 31; ++i) plant("data/image/n" + std::to_string(i) + ".h", "");
  EXPECT_THAT(crowded_folders(root_), ElementsAre(HasSubstr("data/image has 32 sources")));
}

TEST_F(PlantedTree, WhatCMakeDoesOtherwiseIsSeen) {
  plant_folders();
  plant(
      "data/CMakeLists.txt",
      "facemae_library(data/image\n  SOURCES c.cpp\n  LIBRARIES facemae_data_store)\nfacemae_library(data/odd)\n");
  EXPECT_THAT(faults_of_cmake(root_),
              ElementsAre(HasSubstr("names data/store, which has no facemae_library"),
                          HasSubstr("data/image links facemae_data_store by name"),
                          HasSubstr("data/odd has no line"), "data/store/d.cpp is not compiled"));
}

TEST_F(PlantedTree, AWrongRowIsSeen) {
  plant_folders();
  plant("docs/ARCHITECTURE.md",
        "| `core/` | x | - |\n| `core/files/` | x | - |\n| `data/image/` | x | - |\n| `old/` | x | - |\n");
  EXPECT_THAT(faults_of_table(root_), ElementsAre(HasSubstr("row of core/files"),
                                                  HasSubstr("row of data/store"), HasSubstr("a row of old")));
}

}  // namespace
}  // namespace facemae::architecture
