// facemae pack: folders of images to a store.
#include "data/pack.h"

#include "app/command.h"
#include "app/describe.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

ExitCode run_pack(App& app, Words words) {
  PackConfig config;
  std::string from = "folder", out;
  std::vector<std::string> in;
  std::uint64_t shard_mib = 2048;
  config.threads = available_cores();
  Options options(
      "Makes a store from images. Every image is decoded once to check it; bad ones go to rejects.csv. "
      "Killed at any "
      "moment, the same command goes on.",
      "pack --from folder --in PATH... --out STORE [OPTIONS]");
  options.group("Images")
      .choice("from", from, {"folder"}, "folder: PATH/<identity>/<image>.jpg, .jpeg or .png")
      .require("in", in, "one or several folders, packed as one set")
      .require("out", out, "folder of the new store")
      .add("seed", config.seed, "of the order of images in the store")
      .add("shard-mib", shard_mib, "size of a shard file in MiB")
      .add("image-size", config.image_size, "side in pixels; 0: that of the first image. Others are rejected")
      .flag("resize", config.resize, "re-encode images of another size instead of rejecting them")
      .add("max-reject-fraction", config.max_reject_fraction,
           "more rejects than this end the command (exit 65)")
      .add("source-licence", config.source_licence,
           "text that travels with the store and what is made from it")
      .add("threads", config.threads, "threads that read and decode");
  options.epilogue(
      "Example:  facemae pack --from folder --in casia112 --out casia --source-licence 'research only'");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(shard_mib > 0, "--shard-mib must be at least 1");
  options.check(config.threads > 0, "--threads must be at least 1");
  options.check(config.image_size >= 0, "--image-size must not be negative");
  options.check(config.max_reject_fraction >= 0 && config.max_reject_fraction <= 1,
                "--max-reject-fraction is between 0 and 1");
  if (!options.finish()) return ExitCode::Done;
  app.alone("pack");
  config.out = out;
  config.shard_bytes = shard_mib << 20;
  const auto result = pack(*folder_source({in.begin(), in.end()}), config, real_files());
  spdlog::info(
      "{}: {} images of {} identities, {} in {} shard(s), {} rejected, {} duplicates, {:.0f} images/s", out,
      human_count(result.images), result.identities, human_bytes(result.bytes), result.shards, result.rejects,
      result.duplicates, static_cast<double>(result.images) / std::max(result.seconds, 1e-9));
  app.result(describe(result));
  return ExitCode::Done;
}

}  // namespace facemae
