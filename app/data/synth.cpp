// facemae synth: a store of procedural faces.
#include <algorithm>

#include "app/data/pack_ranks.h"
#include "core/host.h"

namespace facemae {

ExitCode run_synth(App& app, Words words) {
  PackConfig pack_config;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  std::uint64_t identities = 0, images = 0, seed = 0, first = 0, shard_mib = 2048;
  Options options(
      "Makes a store of procedural faces: deterministic, nobody's face, and nothing to download. "
      "Figures measured on them say nothing about people.",
      "synth --out STORE --identities N --images-per-identity M [OPTIONS]");
  std::string out;
  pack_config.threads = available_cores();
  options.group("Faces")
      .require("out", out, "folder of the new store")
      .require("identities", identities, "number of people")
      .between(1, kMost)
      .require("images-per-identity", images, "images per person")
      .between(1, kMost)
      .add("seed", seed, "seed for the faces and for their order in the store")
      .add("first-identity", first, "number of the first identity: stores with disjoint ranges share nobody")
      .at_most(kMost)
      .add("shard-mib", shard_mib,
           "size of a shard file in MiB; ranks divide the shards, and each holds one in memory")
      .between(1, 1 << 20)
      .add("threads", pack_config.threads, "threads per rank that draw and encode")
      .between(1, 1024);
  options.epilogue(
      "Works on any number of ranks, with equal bytes for any; they must share the file system of --out.\n\n"
      "Example:  facemae synth --out faces --identities 100 --images-per-identity 20");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(images <= kMost / std::max<std::uint64_t>(1, identities),
                "--identities times --images-per-identity must be at most 2^40");
  if (!options.finish()) return ExitCode::Done;
  pack_config.out = out;
  pack_config.seed = seed;
  pack_config.image_size = 112;
  pack_config.shard_bytes = shard_mib << 20;
  pack_config.source_licence = "synthetic faces made by facemae: no rights of persons are touched";
  const auto draw = [&] { return synth_source(seed, first, identities, images); };
  return pack_on_all_ranks(app, "synth", pack_config,
                           {.list = nullptr, .open = [&](bool) { return draw(); }, .open_alone = draw});
}

}  // namespace facemae
