#include "data/formats/file_names.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(FileNames, TellWhatNobodyPutThere) {
  for (const char* name : {".git", ".ipynb_checkpoints", ".Trash-0", ".DS_Store", "._x.jpg"})
    EXPECT_TRUE(is_hidden_name(name)) << name;
  for (const char* name :
       {"__MACOSX", "@eaDir", "lost+found", "System Volume Information", "$RECYCLE.BIN", "THUMBS.DB"})
    EXPECT_TRUE(is_system_name(name)) << name;
  for (const char* name : {"ann", "lost", "m.0abc", "@ann", "$ann", "_"})
    EXPECT_FALSE(is_hidden_name(name) || is_system_name(name)) << name;
  for (const char* name : {"a.JPG", "b/c.HEIC", "x.y.tif", "d.WebP"})
    EXPECT_TRUE(has_picture_ending(name)) << name;
  for (const char* name : {"a.txt", "jpg", ".jpg", "a.jpg/b", "a.jpg~", "a.jpg "})
    EXPECT_FALSE(has_picture_ending(name)) << name;
}

}  // namespace
}  // namespace facemae
