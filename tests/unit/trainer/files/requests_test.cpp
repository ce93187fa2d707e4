#include "trainer/files/requests.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/error.h"
#include "core/log.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

struct RequestsTest : testing::Test {
  RequestsTest() { spdlog::set_level(spdlog::level::off); }
  void put(const std::string& name, const std::string& text) { std::ofstream(run / name) << text; }
  const test::TemporaryFolder run;
};

TEST_F(RequestsTest, SayWhoAskedAndWhen) {
  EXPECT_FALSE(asked(run.path(), Request::Stop));
  ask(real_files(), run.path(), Request::Stop);
  EXPECT_THAT(*asked(run.path(), Request::Stop), testing::MatchesRegex("20[0-9T:-]+Z [^ ]+@[^ ]+"));
  EXPECT_FALSE(asked(run.path(), Request::Save)) << "they are two";
  EXPECT_THROW(ask(real_files(), run / "missing", Request::Save), FileError);
}

TEST_F(RequestsTest, OfAnyTextStand) {
  put("stop", "");  // touch RUN/stop
  EXPECT_TRUE(asked(run.path(), Request::Stop));
  std::filesystem::create_directory(run / "save");
  EXPECT_FALSE(asked(run.path(), Request::Save)) << "a folder is no request, and no failure";
}

TEST_F(RequestsTest, TheEndOfTheJobIsANumberOfSeconds) {
  EXPECT_FALSE(end_of_job(run.path()));
  put("end_time", "1790000000\n");
  EXPECT_EQ(end_of_job(run.path()), 1790000000);
  for (const char* bad : {"", "\n", "Unknown\n", "-5\n", "1790000000000000\n", "17900 00000\n"}) {
    put("end_time", bad);
    EXPECT_FALSE(end_of_job(run.path())) << bad;
  }
}

TEST_F(RequestsTest, AreOverWhenAPersonStartsTheRunAndStandForASupervisor) {
  put("end_time", "1790000000\n");
  for (const auto request : {Request::Stop, Request::Save}) ask(real_files(), run.path(), request);
  begin_requests(real_files(), run.path(), /*supervised=*/true);
  EXPECT_TRUE(asked(run.path(), Request::Stop) && asked(run.path(), Request::Save) && end_of_job(run.path()));
  begin_requests(real_files(), run.path(), /*supervised=*/false);
  EXPECT_TRUE(std::filesystem::is_empty(run.path()));
  begin_requests(real_files(), run.path(), /*supervised=*/false);
}

}  // namespace
}  // namespace facemae
