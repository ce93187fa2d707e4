#include "trainer/speed/profile.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/temporary_folder.h"
#include "trainer/step/range.h"

namespace facemae {
namespace {

using testing::Contains;
using testing::Not;

/// Six steps after `done`, of which Profile writes what it writes.
void six_steps(const Path& folder, std::optional<StepSpan> steps, std::uint64_t done) {
  Profile profile(steps, folder, 3, torch::kCPU, done);
  for (int i = 0; i < 6; ++i) {
    {
      const Range range("forward");
      const std::string name = "step" + std::to_string(++done);
      const Range of_step(name.c_str());
      const auto product = torch::ones({4, 4}).mm(torch::ones({4, 4}));
    }
    profile.after_step(done);
  }
}

std::set<std::string> names_in(const Path& trace) {
  const auto json = nlohmann::json::parse(read_file(trace));
  std::set<std::string> names;
  for (const auto& event : json.at("traceEvents")) names.insert(event.at("name").get<std::string>());
  return names;
}

struct Profiling : testing::Test {
  test::TemporaryFolder temporary;
  Path folder = temporary.path() / "profile";
};

TEST_F(Profiling, WritesATraceOfTheStepsAskedFor) {
  six_steps(folder, StepSpan{3, 4}, 0);
  const auto names = names_in(folder / "steps-3-4.rank3.json");
  for (const char* name : {"forward", "aten::mm", "step3", "step4"}) EXPECT_THAT(names, Contains(name));
  for (const char* name : {"step2", "step5"}) EXPECT_THAT(names, Not(Contains(name)));
}

TEST_F(Profiling, NamesTheStepsThatItHasWhenAStartBeginsOrEndsAmongThem) {
  six_steps(folder, StepSpan{3, 1000}, 5);
  EXPECT_THAT(names_in(folder / "steps-6-11.rank3.json"), Contains("step6"));
}

TEST_F(Profiling, WritesNothingUnlessAsked) {
  six_steps(folder, std::nullopt, 0);
  six_steps(folder, StepSpan{1, 4}, 4);
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(Profiling, GoesOnWithoutAFolderToWriteInto) {
  write_whole(real_files(), folder, "a file");
  EXPECT_NO_THROW(six_steps(folder, StepSpan{1, 1}, 0));
}

}  // namespace
}  // namespace facemae
