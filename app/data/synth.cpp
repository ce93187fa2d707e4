// facemae synth: a store of procedural faces.
#include <algorithm>

#include "app/data/pack_ranks.h"
#include "core/host.h"

namespace facemae {

ExitCode run_synth(App& app, Words words) {
  PackConfig pack_config;
  std::uint64_t identities = 0, images = 0, seed = 0, first = 0, shard_mib = 2048;
  Options options(
      "Makes a store of procedural faces: deterministic, nobody's face, and nothing to download. "
      "Figures measured on them say nothing about people.",
      "synth --out STORE --identities N --images-per-identity M [OPTIONS]");
  std::string out;
  pack_config.threads = available_cores();
  options.group("Faces")
      .require("out", out, "folder of the new store")
      .require("identities", identities, "how many people")
      .require("images-per-identity", images, "images of each")
      .add("seed", seed, "of the faces and of their order in the store")
      .add("first-identity", first, "number of the first identity: stores with disjoint ranges share nobody")
      .add("shard-mib", shard_mib,
           "size of a shard file in MiB. Ranks divide the shards, and each holds one in memory")
      .add("threads", pack_config.threads, "threads of each rank that draw and encode");
  options.epilogue(
      "Works on any number of ranks, with equal bytes for any; they must share the file system of --out.\n\n"
      "Example:  facemae synth --out faces --identities 100 --images-per-identity 20");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(identities > 0 || !options.given("identities"), "--identities must be at least 1");
  options.check(images > 0 || !options.given("images-per-identity"),
                "--images-per-identity must be at least 1");
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  options.check(
      identities <= kMost && images <= kMost / std::max<std::uint64_t>(1, identities) && first <= kMost,
      "--identities times --images-per-identity, and --first-identity, are at most 2^40");
  options.check(shard_mib > 0 && shard_mib <= 1 << 20, "--shard-mib is from 1 to 1048576, a TiB");
  options.check(pack_config.threads > 0 && pack_config.threads <= 1024, "--threads is from 1 to 1024");
  if (!options.finish()) return ExitCode::Done;
  pack_config.out = out;
  pack_config.seed = seed;
  pack_config.image_size = 112;
  pack_config.shard_bytes = shard_mib << 20;
  pack_config.source_licence = "synthetic faces made by facemae: no rights of persons are touched";
  return pack_on_all_ranks(app, "synth", pack_config,
                           [&] { return synth_source(seed, first, identities, images); });
}

}  // namespace facemae
