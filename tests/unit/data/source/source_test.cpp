#include "data/source/source.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "data/pack/pack.h"
#include "data/store/store.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test::why;
using test_images::picture;
using test_images::put;
using test_images::put_faces;
using test_images::quiet;
using test_images::TemporaryFolder;

TEST(FolderSource, SortsIdentitiesOverSeveralRoots) {
  TemporaryFolder here;
  put(here / "a/zoe/1.JPG", encode_jpeg(picture(1)));
  put(here / "a/adam/1.png", encode_png(picture(2)));
  put(here / "a/adam/notes.txt", bytes_of("not an image"));
  put(here / "b/mia/1.jpeg", encode_jpeg(picture(3)));
  put(here / "b/adam/2.jpg", encode_jpeg(picture(4)));
  const auto source = folder_source({here / "a", here / "b"});
  EXPECT_EQ(source->identity_names(), (std::vector<std::string>{"adam", "mia", "zoe"}));
  ASSERT_EQ(source->size(), 4u);
  EXPECT_EQ(source->name(1), "adam/2.jpg");
  EXPECT_EQ(source->label(3), 2);
  EXPECT_EQ(source->read(1), encode_jpeg(picture(4)));
  put(here / "b/adam/1.png", encode_png(picture(5)));
  EXPECT_NE(why<DataError>([&] {
              folder_source({here / "a", here / "b"});
            }).find("one name"),
            std::string::npos);
}

TEST(FolderSource, NamesEmptyIdentitiesAndMissingFolders) {
  TemporaryFolder here;
  put_faces(here / "faces", 1, 1);
  fs::create_directories(here / "faces/nobody");
  EXPECT_NE(why<DataError>([&] { folder_source({here / "faces"}); }).find("nobody"), std::string::npos);
  fs::create_directories(here / "bare");
  EXPECT_NE(why<ConfigError>([&] { folder_source({here / "bare"}); }).find("no identity folders"),
            std::string::npos);
  EXPECT_NE(why<ConfigError>([&] { folder_source({here / "missing"}); }).find("not a folder"),
            std::string::npos);
}

TEST(FolderSource, LeavesOutWhatNobodyPutThere) {
  TemporaryFolder here;
  put_faces(here / "faces", 2, 2);
  for (const char* folder : {".ipynb_checkpoints", "__MACOSX", "@eaDir", "lost+found"})
    fs::copy(here / "faces/id-0", here / "faces" / folder);
  fs::create_directories(here / "faces/.git");
  put(here / "faces/id-0/._image-0.jpg", bytes_of("finder"));
  const auto source = folder_source({here / "faces"});
  EXPECT_EQ(source->identity_names(), (std::vector<std::string>{"id-0", "id-1"}));
  EXPECT_EQ(source->size(), 4u);
}

TEST(FolderSource, ImagesBelowTheFolderOfAnIdentityAreToldOrTaken) {
  TemporaryFolder here;
  put_faces(here / "faces", 1, 1);
  put_faces(here / "faces/id-1", 1, 2);
  put_faces(here / "faces/id-2/deep", 1, 1);
  const std::string fault = why<DataError>([&] { folder_source({here / "faces"}); });
  for (const char* part : {"2 identity folder(s)", "id-1", "3 image(s) below", "--nested", "--skip-empty"})
    EXPECT_NE(fault.find(part), std::string::npos) << fault;
  const auto source = folder_source({here / "faces"}, {.nested = true});
  EXPECT_EQ(source->identity_names(), (std::vector<std::string>{"id-0", "id-1", "id-2"}));
  ASSERT_EQ(source->size(), 4u);
  EXPECT_EQ(source->name(2), "id-1/id-0/image-1.jpg");
  EXPECT_EQ(source->name(3), "id-2/deep/id-0/image-0.jpg");
  EXPECT_EQ(source->read(3), source->read(0));
  EXPECT_EQ(folder_source({here / "faces"}, {.skip_empty = true})->size(), 1u);
}

TEST(FolderSource, NamesTheFolderForTemporaryFilesThatIsNotThere) {
  TemporaryFolder here;
  put_faces(here / "faces", 1, 1);
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", (here / "missing").c_str(), 1);
  EXPECT_NE(why<ConfigError>([&] { folder_source({here / "faces"}); }).find("TMPDIR"), std::string::npos);
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST(SynthSource, PacksAndDependsOnItsSeed) {
  TemporaryFolder here;
  const auto config = quiet(here / "synth");
  EXPECT_EQ(pack(*synth_source(5, 10, 2, 3), config, real_files()).images, 6u);
  const auto store = Store::open(config.out);
  EXPECT_EQ(store->image_size(), 112);
  EXPECT_EQ(store->identity_name(0), "syn-0000010");
  EXPECT_NE(why<ConfigError>([&] {
              pack(*synth_source(6, 10, 2, 3), config, real_files());
            }).find("content_sample"),
            std::string::npos);
}

}  // namespace
}  // namespace facemae
