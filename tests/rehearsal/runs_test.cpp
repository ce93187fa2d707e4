// Commands of the program on the stand-in, from pretraining to embeddings: what they leave is what CPUs leave.
#include <torch/torch.h>

#include <fstream>

#include "core/files/files.h"
#include "tests/rehearsal/device.h"
#include "tests/rehearsal/rehearsal.h"
#include "tests/relative.h"

namespace facemae::rehearsal {
namespace {

const Words kCpus{"--device", "cpu"}, kFloat32{"--precision", "float32"};

Words joined(Words first, const Words& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

std::string text_of(const Path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The float32 values of an .npy file, which follow its heading.
torch::Tensor values_of(const Path& file) {
  const std::string text = text_of(file);
  const auto begin = text.find('\n') + 1;
  return torch::from_blob(const_cast<char*>(text.data() + begin),
                          {static_cast<std::int64_t>((text.size() - begin) / sizeof(float))}, torch::kFloat32)
      .clone();
}

TEST_F(Runs, PretrainingStopsResumesAndEndsAsOnCpus) {
  make_faces();
  const Words steps{"--steps", "4", "--accumulate", "2", "--relation", "pkt"};
  const auto whole = joined(joined(pretraining("cpus", steps), kFloat32), kCpus);
  const auto halves = joined(pretraining("halves", steps), kFloat32);
  EXPECT_EQ(perform(whole), ExitCode::Done);
  EXPECT_EQ(perform(joined(halves, {"--stop-after", "2"})), ExitCode::Stopped);
  ASSERT_TRUE(stage.wire) << "the tensors went over another back end";
  EXPECT_EQ(perform(halves), ExitCode::Done) << "tensors of the host are no matter for NCCL";
  expect_equal(weights("halves"), weights("cpus"));
  EXPECT_FALSE(control.rank() != 0 && has_context(0)) << "a context on the GPU of another rank";
}

TEST_F(Runs, RecognitionStopsResumesAndEndsAsOnCpusAndItsNetworkEmbeds) {
  make_faces();
  if (control.is_root()) {  // what the answers are is no matter
    std::ofstream pairs(at("pairs.txt"));
    for (int row = 0; row < 20; ++row) pairs << row << ' ' << row + 1 << ' ' << row % 2 << '\n';
  }
  control.barrier(std::chrono::minutes(1));
  const Words steps{"--steps",      "3",         "--eval",       at("pairs.txt"),
                    "--eval-store", at("faces"), "--batch-norm", "frozen"};
  EXPECT_EQ(perform(joined(joined(recognition("cpus", steps), kFloat32), kCpus)), ExitCode::Done);
  const auto halves = joined(recognition("halves", steps), kFloat32);
  EXPECT_EQ(perform(joined(halves, {"--stop-after", "2"})), ExitCode::Stopped);
  EXPECT_EQ(perform(halves), ExitCode::Done);
  expect_equal(weights("halves"), weights("cpus"));

  for (const auto& [device, out] : {std::pair("cpu", "cpus.npy"), std::pair("auto", "there.npy")})
    EXPECT_EQ(perform({"embed", "--from", at("cpus"), "--store", at("faces"), "--out", at(out), "--device",
                       device}),
              ExitCode::Done);
  EXPECT_THAT(values_of(at("there.npy")), test::IsWithin(1e-4, values_of(at("cpus.npy"))));
  EXPECT_EQ(perform({"evaluate", "--from", at("cpus"), "--store", at("faces"), "--pairs", at("pairs.txt"),
                     "--csv", at("figures.csv")}),
            ExitCode::Done);
  if (control.is_root()) {
    EXPECT_GT(std::filesystem::file_size(at("figures.csv")), 0u);
  }
}

TEST_F(Runs, ARebuiltReleaseIsMadeOnTheStandIn) {
  make_faces();
  EXPECT_EQ(perform(joined(pretraining("mae", {"--steps", "1", "--relation", "none"}), kFloat32)),
            ExitCode::Done);
  for (const auto& [device, name] : {std::pair("cpu", "cpus"), std::pair("auto", "there")})
    EXPECT_EQ(perform({"reconstruct", "--store", at("faces"), "--from", at("mae"), "--out", at(name),
                       "--private", at(std::string(name) + "-secret"), "--device", device}),
              ExitCode::Done);
  for (const char* name : {"cpus", "there"})
    EXPECT_EQ(perform({"store", "verify", at(name)}), ExitCode::Done) << name;
}

TEST_F(Runs, ExactRunsHaveTheBitsOfCpusOnAnyNumberOfRanks) {
  make_faces();
  const Words steps{"--steps", "2", "--exact", "--exact-slots", "4"};
  EXPECT_EQ(perform(joined(joined(pretraining("cpus", steps), kFloat32), kCpus)), ExitCode::Done);
  EXPECT_EQ(perform(joined(pretraining("there", steps), kFloat32)), ExitCode::Done);
  expect_equal(weights("there"), weights("cpus"));
}

}  // namespace
}  // namespace facemae::rehearsal
