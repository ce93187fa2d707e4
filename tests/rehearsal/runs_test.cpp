// Commands of the program on the stand-in, from pretraining to embeddings: what they leave is what CPUs leave.
#include <torch/torch.h>

#include <cstdlib>
#include <fstream>

#include "checkpoint/format/manifest.h"
#include "checkpoint/history/catalogue.h"
#include "core/files/files.h"
#include "core/text.h"
#include "data/store/store.h"
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

/// Lines of one set each: figures to three digits, all else to the letter.
void expect_same_figures(const std::string& found, const std::string& wanted) {
  const auto of_found = split(found, ','), of_wanted = split(wanted, ',');
  ASSERT_EQ(of_found.size(), of_wanted.size()) << found;
  for (std::size_t i = 0; i < of_wanted.size(); ++i) {
    char *end_found = nullptr, *end_wanted = nullptr;
    const double figure = std::strtod(of_found[i].c_str(), &end_found),
                 other = std::strtod(of_wanted[i].c_str(), &end_wanted);
    if (end_wanted == of_wanted[i].c_str())
      EXPECT_EQ(of_found[i], of_wanted[i]);
    else
      EXPECT_NEAR(figure, other, 1e-3) << found << wanted;
  }
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

TEST_F(Runs, CheckpointsOfAShardedOptimizerAreThoseOfCpusAlsoBesideTraining) {
  make_faces();
  const Words steps{"--steps", "4", "--shard-optimizer", "--save-every", "2"};
  EXPECT_EQ(perform(joined(joined(pretraining("cpus", steps), kFloat32), kCpus)), ExitCode::Done);
  EXPECT_EQ(perform(joined(pretraining("there", steps), kFloat32)), ExitCode::Done);
  const auto manifest = [&](const char* run, const char* step) {
    return parse_manifest(text_of(at(run) / "checkpoints" / step / "MANIFEST.pb"));
  };
  for (const char* step : {"s000000002.a00", "s000000004.a00"})  // begun beside training, and at the end
    EXPECT_THAT(differences_between(manifest("there", step), manifest("cpus", step)), testing::IsEmpty())
        << step;
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
  for (const auto& [device, csv] : {std::pair("cpu", "cpus.csv"), std::pair("auto", "there.csv")})
    EXPECT_EQ(perform({"evaluate", "--from", at("cpus"), "--store", at("faces"), "--pairs", at("pairs.txt"),
                       "--csv", at(csv), "--device", device}),
              ExitCode::Done);
  if (control.is_root()) expect_same_figures(text_of(at("there.csv")), text_of(at("cpus.csv")));
}

TEST_F(Runs, EmbeddingsInBfloat16AreThoseOfCpusToItsDigits) {
  make_faces();
  EXPECT_EQ(perform(joined(recognition("network", {"--steps", "1", "--batch-norm", "frozen"}), kFloat32)),
            ExitCode::Done);
  for (const auto& [device, precision, out] :
       {std::tuple("cpu", "float32", "cpus.npy"), std::tuple("auto", "bfloat16", "there.npy")})
    EXPECT_EQ(perform({"embed", "--from", at("network"), "--store", at("faces"), "--out", at(out), "--device",
                       device, "--precision", precision}),
              ExitCode::Done);
  const auto there = values_of(at("there.npy")), cpus = values_of(at("cpus.npy"));
  EXPECT_THAT(there, test::IsWithin(0.05, cpus));
  EXPECT_FALSE(there.equal(cpus)) << "nothing was computed in bfloat16";
}

TEST_F(Runs, ARebuiltReleaseHasThePicturesOfCpus) {
  make_faces();
  EXPECT_EQ(perform(joined(pretraining("mae", {"--steps", "1", "--relation", "none"}), kFloat32)),
            ExitCode::Done);
  // The private folder keeps the key of the release in this place, also where the release itself is gone.
  for (const char* device : {"cpu", "auto"}) {
    if (std::string(device) == "auto" && control.is_root())
      std::filesystem::rename(at("release"), at("cpus"));
    control.barrier(std::chrono::minutes(1));
    EXPECT_EQ(perform({"reconstruct", "--store", at("faces"), "--from", at("mae"), "--out", at("release"),
                       "--private", at("secret"), "--device", device}),
              ExitCode::Done);
  }
  for (const char* name : {"cpus", "release"})
    EXPECT_EQ(perform({"store", "verify", at(name)}), ExitCode::Done) << name;
  const auto cpus = Store::open(at("cpus")), there = Store::open(at("release"));
  ASSERT_EQ(there->size(), cpus->size());
  for (std::uint64_t row = 0; row < cpus->size(); ++row) {
    std::vector<std::byte> found, wanted;
    there->read(row, found);
    cpus->read(row, wanted);
    EXPECT_EQ(there->label(row), cpus->label(row)) << row;
    EXPECT_TRUE(found == wanted) << "picture " << row;
  }
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
