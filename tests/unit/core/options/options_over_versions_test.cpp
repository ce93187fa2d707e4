// Options of what goes on from start to start, and from one version of the program to the next.
#include <gmock/gmock.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files/files.h"
#include "core/options/options.h"

namespace facemae {
namespace {

using testing::HasSubstr;

TEST(OptionsOverVersions, SayWhichMayChangeBetweenStarts) {
  int threads = 1, batch = 1;
  Options options("", "thing");
  options.add("threads", threads, "a number").free().add("batch", batch, "a number");
  EXPECT_TRUE(options.may_change("threads"));
  EXPECT_FALSE(options.may_change("batch"));
  EXPECT_FALSE(options.may_change("nothing"));
}

TEST(OptionsOverVersions, WhatBeganBeforeAnOptionGoesOnWithoutIt) {
  const auto went_on = [](const std::vector<std::string>& words, const std::string& had) {
    std::string form = "new", other = "x";
    CommonOptions common;
    Options options("", "");
    options.choice("form", form, {"old", "new", "newer"}, "help").before("old").add("other", other, "help");
    options.parse(words, common);
    if (had != "none") options.go_on(had);
    return form + ": " + options.text();
  };
  EXPECT_EQ(went_on({}, "none"), "new: form = new\nother = x\n");
  EXPECT_EQ(went_on({}, "other = y\n"), "old: other = x\n")
      << "it is not in the text of a later start either";
  EXPECT_EQ(went_on({}, "form = newer\n"), "newer: form = newer\nother = x\n");
  EXPECT_EQ(went_on({"--form", "newer"}, "other = y\n"), "newer: form = newer\nother = x\n");
}

TEST(OptionsOverVersions, WhatBeganBeforeMayHaveHadNothingAndAValueMayLeaveItToThat) {
  const auto went_on = [](const std::vector<std::string>& words, const std::string& had) {
    std::optional<int> size;
    std::string form = "auto";
    CommonOptions common;
    Options options("", "");
    options.add("size", size, "help").before("");
    options.choice("form", form, {"auto", "wide", "long"}, "help").before("wide", "auto");
    options.parse(words, common);
    options.go_on(had);
    return (size ? std::to_string(*size) : "none") + " " + form + ": " + options.text();
  };
  EXPECT_EQ(went_on({}, "other = y\n"), "none wide: ");
  EXPECT_EQ(went_on({}, "size = 4\nform = long\n"), "4 long: size = 4\nform = long\n");
  EXPECT_EQ(went_on({"--form", "auto", "--size", "5"}, "form = long\n"), "5 long: size = 5\nform = long\n");
  EXPECT_EQ(went_on({"--form", "wide"}, "form = long\n"), "none wide: form = wide\n");
}

TEST(OptionsOverVersions, AnOldNameIsUnderstoodWithAWarning) {
  int speed = 1;
  const auto told = [&](const std::vector<std::string>& given) {
    Options options("", "thing");
    options.add("speed", speed, "a number").was("velocity").free();
    CommonOptions common;
    testing::internal::CaptureStderr();
    std::string fault;
    try {
      options.parse(given, common);
      options.finish();
    } catch (const ConfigError& error) {
      fault = error.what();
    }
    EXPECT_EQ(options.name_now("velocity"), "speed");
    EXPECT_TRUE(options.may_change("velocity"));
    EXPECT_EQ(options.text(), "speed = " + std::to_string(speed) + "\n");
    return testing::internal::GetCapturedStderr() + fault;
  };
  EXPECT_EQ(told({"--velocity", "3"}),
            "facemae: --velocity is now called --speed: the old name still works\n");
  EXPECT_EQ(speed, 3);
  EXPECT_EQ(told({"--speed", "4"}), "");
  EXPECT_EQ(told({"--speed", "4", "--velocity=5"}), "--speed is given twice: 4, 5");
  const Path file = Path(testing::TempDir()) / ("options_old_" + std::to_string(::getpid()));
  write_durably(real_files(), file, "velocity = 6\n");
  EXPECT_THAT(told({"--config", file.string()}),
              HasSubstr("--velocity (" + file.string() + ":1) is now called"));
  EXPECT_EQ(speed, 6);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace facemae
