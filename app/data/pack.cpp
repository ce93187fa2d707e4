// facemae pack: folders of images to a store.
#include "data/pack/pack.h"

#include "app/data/image_source.h"
#include "app/data/pack_ranks.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"
#include "data/pack/pack_forecast.h"
#include "data/pack/pack_plan.h"

namespace facemae {
namespace {

ExitCode show_forecast(App& app, const PackConfig& config, SourceOptions& images) {
  app.alone("pack --dry-run");
  const auto source = images.open_alone();
  const PackForecast forecast = forecast_pack(*source, config);
  spdlog::info(
      "{} would get {} images of {} identities, {} x {} pixels, {} each, in {} shard(s); {} are needed on the way, {} "
      "are free. {} of {} images looked at would be rejected; nothing was written",
      config.out.string(), human_count(forecast.images), human_count(forecast.identities),
      forecast.image_size, forecast.image_size, human_bytes(forecast.mean_bytes),
      human_count(forecast.shards), human_bytes(forecast.needed_bytes), human_bytes(forecast.free_bytes),
      forecast.rejects, forecast.looked_at);
  app.result({{"images", forecast.images},
              {"identities", forecast.identities},
              {"image_size", forecast.image_size},
              {"shards", forecast.shards},
              {"bytes_mean", forecast.mean_bytes},
              {"needed_bytes", forecast.needed_bytes},
              {"free_bytes", forecast.free_bytes}});
  require_space(forecast.free_bytes, forecast.needed_bytes, config.out);
  return ExitCode::Done;
}

}  // namespace

ExitCode run_pack(App& app, Words words) {
  PackConfig config;
  SourceOptions images;
  std::string out;
  std::uint64_t shard_mib = 2048;
  bool dry_run = false;
  config.threads = available_cores();
  config.image_size = 112;
  Options options(
      "Makes a store from images. Every image is decoded once to check it; bad ones go to rejects.csv. "
      "Works on any number of ranks, with equal bytes for any. "
      "After a kill at any moment the same command continues, on any number of ranks. "
      "When the storage fails, the command waits for it, then ends without rejecting anything; "
      "a second start in one place ends in 93.",
      "pack --from " + SourceOptions::names() + " --in PATH... --out STORE [OPTIONS]");
  options.group("Images");
  images.declare(options);
  options.require("out", out, "folder of the new store")
      .add("seed", config.seed, "seed for the order of images in the store")
      .add("shard-mib", shard_mib,
           "size of a shard file in MiB; ranks divide the shards, and each holds one in memory")
      .between(1, 1 << 20)
      .add("image-size", config.image_size,
           "side in pixels; images of another size are rejected. 0: the most common size of a sample")
      .between(0, 4096)
      .flag("resize", config.resize,
            "re-encode images of another size (the middle square), and those with an EXIF orientation "
            "(turned upright), instead of rejecting them")
      .add("max-reject-fraction", config.max_reject_fraction,
           "fraction of the images that may be rejected; more end the command (exit 65). "
           "With a larger fraction, or with mended images, the same command continues from there")
      .between(0, 1)
      .add("source-licence", config.source_licence,
           "text that travels with the store and what is made from it")
      .add("threads", config.threads, "threads per rank that read and decode")
      .between(1, 1024)
      .flag("dry-run", dry_run,
            "only list the images, look at some, and tell what the store would be and the room it needs");
  options.epilogue(
      SourceOptions::help() + "\n" +
      "Ranks meet in STORE/packing, which is removed at the end: STORE must lie on a file system that all ranks share.\n"
      "Images of archives pass through it, so archives need room for all images twice. It is checked beforehand.\n"
      "Rank 0 lists the images once, into STORE/packing/catalogue.bin, which a later start uses as long as what --in "
      "names has the same size and time: images added below a folder since are not seen, removed ones are rejected.\n"
      "Memory: a shard and up to 512 MiB per rank, and on rank 0 about 16 bytes per image at the end (4 GiB for 260 "
      "million). The names of all images (8 GB for 260 million) are in the page cache, which the ranks of a node "
      "share.\n"
      "Lists in STORE: rejects.csv (source, reason) and duplicates.csv (source, same_as: an image with the same "
      "bytes; both are kept).\n\n"
      "Examples:  facemae pack --from folder --in casia112 --out casia --source-licence 'research only'\n"
      "           mpirun -n 16 facemae pack --from zip --in WebFace260M/*.zip --out webface");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  images.check(options);
  if (!options.finish()) return ExitCode::Done;
  config.out = out;
  config.shard_bytes = shard_mib << 20;
  if (dry_run) return show_forecast(app, config, images);
  return pack_on_all_ranks(app, "pack", config,
                           {.list = [&] { images.list(config.out); },
                            .open = [&](bool first) { return images.open(config.out, first); },
                            .open_alone = [&] { return images.open_alone(); }});
}

}  // namespace facemae
