// facemae pack: folders of images to a store.
#include "data/pack.h"

#include "app/command.h"
#include "app/describe.h"
#include "app/image_source.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

ExitCode run_pack(App& app, Words words) {
  PackConfig config;
  SourceOptions images;
  std::string out;
  std::uint64_t shard_mib = 2048;
  config.threads = available_cores();
  Options options(
      "Makes a store from images. Every image is decoded once to check it; bad ones go to rejects.csv. "
      "Killed at any "
      "moment, the same command goes on.",
      "pack --from folder|zip|tar|rec|list --in PATH... --out STORE [OPTIONS]");
  images.declare(options.group("Images"));
  options.require("out", out, "folder of the new store")
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
      SourceOptions::help() +
      "\nExample:  facemae pack --from folder --in casia112 --out casia --source-licence 'research only'");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(shard_mib > 0, "--shard-mib must be at least 1");
  options.check(config.threads > 0, "--threads must be at least 1");
  options.check(config.image_size >= 0, "--image-size must not be negative");
  options.check(config.max_reject_fraction >= 0 && config.max_reject_fraction <= 1,
                "--max-reject-fraction is between 0 and 1");
  images.check(options);
  if (!options.finish()) return ExitCode::Done;
  app.alone("pack");
  config.out = out;
  config.shard_bytes = shard_mib << 20;
  const auto result = pack(*images.open(true), config, real_files());
  spdlog::info(
      "{}: {} images of {} identities, {} in {} shard(s), {} rejected, {} duplicates, {:.0f} images/s", out,
      human_count(result.images), result.identities, human_bytes(result.bytes), result.shards, result.rejects,
      result.duplicates, static_cast<double>(result.images) / std::max(result.seconds, 1e-9));
  app.result(describe(result));
  return ExitCode::Done;
}

}  // namespace facemae
