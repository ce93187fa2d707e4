// What a catalogue of very many images costs: the memory and time of the rank that lists them, the memory of four
// ranks that plan a pack and go through their share of it, and the time of a restart. Prints figures.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>

#include "core/log.h"
#include "core/random/permutation.h"
#include "data/image/image.h"
#include "data/pack/pack_plan.h"
#include "data/source/catalogue_writer.h"
#include "data/source/catalogued_source.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

#ifdef FACEMAE_WHOLE_SETS
constexpr std::uint64_t kImages = 50'000'000;
#else
constexpr std::uint64_t kImages = 1'000'000;
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasures = false;  // a sanitizer's memory is not ours
#else
constexpr bool kMeasures = true;
#endif
constexpr std::uint64_t kOfIdentity = 25;
constexpr int kRanks = 4;
constexpr double kMostMib = 300;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
/// Memory that this process shares with nobody.
double private_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "RssAnon:") {
      double kib = 0;
      status >> kib;
      return kib / 1024;
    }
  return 0;
}

class SmallFaces final : public CataloguedSource {
 public:
  using CataloguedSource::CataloguedSource;
  std::vector<std::byte> read(std::uint64_t) const override { return face_; }

 private:
  std::vector<std::byte> face_ = encode_jpeg({8, 8, std::vector<std::uint8_t>(8 * 8 * 3, 128)}, 90);
};

/// Images as a folder gives them: identities in no order, the images of each together.
void list(const Path& folder, double& most_mib) {
  CatalogueWriter catalogue({.request = "test", .parts = {{.path = "faces"}}}, folder);
  const std::uint64_t identities = kImages / kOfIdentity;
  const Permutation order(identities, 1);
  for (std::uint64_t k = 0; k < identities; ++k) {
    const std::string identity = fmt::format("{:07}", order(k));
    for (std::uint64_t i = 0; i < kOfIdentity; ++i)
      catalogue.add(identity, fmt::format("{:08}.jpg", order(k) * kOfIdentity + i), 0);
    if (k % 4096 == 0) most_mib = std::max(most_mib, private_mib());
  }
  catalogue.write(real_files(), folder / "catalogue.bin");
  most_mib = std::max(most_mib, private_mib());
}

PackConfig small() {
  PackConfig config;
  config.image_size = 8;
  return config;
}

struct Figures {
  double seconds = 0, mib = 0;
  std::uint64_t sum = 0;  ///< of what was looked at
};

/// A rank's share of all shards, as ShardMaker asks for it.
Figures walk(const Path& path, int rank) {
  Figures figures;
  const SmallFaces source{Catalogue(path)};
  PackPlan plan = plan_pack(source, small());
  plan.images_per_shard = 300'000;  // as of faces of 7 KB
  const auto start = std::chrono::steady_clock::now();
  for (auto shard = static_cast<std::uint64_t>(rank); shard < plan.shards(); shard += kRanks) {
    const auto entries = plan.entries_of(shard);
    for (const std::uint64_t entry : entries)
      figures.sum += static_cast<std::uint64_t>(source.label(entry)) + xxh64(bytes_of(source.name(entry)));
    figures.mib = std::max(figures.mib, private_mib());
  }
  figures.seconds = seconds_since(start);
  return figures;
}

Figures restart(const Path& path) {
  const auto start = std::chrono::steady_clock::now();
  const Catalogue catalogue(path);
  catalogue.verify();
  plan_pack(SmallFaces(catalogue), small());
  return {seconds_since(start), private_mib(), 0};
}

/// Runs each in a process of its own, all at the same time.
std::vector<Figures> in_processes(const std::vector<std::function<Figures()>>& works) {
  std::vector<int> ends;
  std::vector<pid_t> processes;
  for (const auto& work : works) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe(pipe.data()), 0);
    processes.push_back(::fork());
    if (processes.back() == 0) {
      Figures figures = work();
      _exit(::write(pipe[1], &figures, sizeof figures) == sizeof figures ? 0 : 1);
    }
    ::close(pipe[1]);
    ends.push_back(pipe[0]);
  }
  std::vector<Figures> all(works.size());
  for (std::size_t i = 0; i < works.size(); ++i) {
    EXPECT_EQ(::read(ends[i], &all[i], sizeof(Figures)), static_cast<ssize_t>(sizeof(Figures)));
    ::close(ends[i]);
    ::waitpid(processes[i], nullptr, 0);
  }
  return all;
}

TEST(CatalogueAtScale, TakesNoMemoryOfItsOwnAndIsThereAtOnce) {
  const Path home = std::filesystem::temp_directory_path();
  const test::TemporaryFolder here(home);
  const Path path = here / "catalogue.bin";
  const auto listed = in_processes({[&] {
    Figures figures;
    const auto start = std::chrono::steady_clock::now();
    list(here.path(), figures.mib);
    figures.seconds = seconds_since(start);
    return figures;
  }});
  const auto restarted = in_processes({[&] { return restart(path); }});
  std::vector<std::function<Figures()>> ranks;
  for (int rank = 0; rank < kRanks; ++rank) ranks.emplace_back([&, rank] { return walk(path, rank); });
  const auto walked = in_processes(ranks);
  std::printf("%llu images listed and sorted       %.1f s, %.0f MiB of memory, a file of %.0f MiB\n",
              static_cast<unsigned long long>(kImages), listed[0].seconds, listed[0].mib,
              static_cast<double>(std::filesystem::file_size(path)) / (1 << 20));
  std::printf("opened, verified and planned again  %.2f s, %.0f MiB\n", restarted[0].seconds,
              restarted[0].mib);
  for (const auto& each : walked)
    std::printf("a rank's share looked up            %.1f s, %.0f MiB\n", each.seconds, each.mib);
  std::uint64_t sum = 0, expected = 0;
  for (const auto& each : walked) sum += each.sum;
  for (std::uint64_t entry = 0; entry < kImages; ++entry)
    expected +=
        entry / kOfIdentity + xxh64(bytes_of(fmt::format("{:07}/{:08}.jpg", entry / kOfIdentity, entry)));
  EXPECT_EQ(sum, expected) << "every image once, with its label and name";
  if (!kMeasures) return;
  EXPECT_LT(listed[0].mib, kMostMib);
  EXPECT_LT(restarted[0].mib, kMostMib);
  EXPECT_LT(restarted[0].seconds, 10);
  for (const auto& each : walked) EXPECT_LT(each.mib, kMostMib);
}

}  // namespace
}  // namespace facemae
