#include "app/data/pack_ranks.h"

#include <utility>

#include "app/describe.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/log.h"
#include "core/text.h"
#include "data/pack/journal.h"

namespace facemae {
namespace {

void log_figures(const PackConfig& config, const PackResult& result) {
  const std::string out = config.out.string();
  spdlog::info("{}: {} images of {} identities in {} shard(s), {}; {} per image on average ({} to {} bytes)",
               out, human_count(result.images), human_count(static_cast<std::uint64_t>(result.identities)),
               result.shards, human_bytes(result.bytes),
               human_bytes(result.bytes / std::max<std::uint64_t>(1, result.images)), result.smallest,
               result.largest);
  std::string rejects = human_count(result.rejects) + " rejected";
  for (const auto& [reason, count] : result.rejects_by_reason)
    rejects += fmt::format(", {} {}", human_count(count), reason);
  spdlog::info("{}{}; {} duplicates{}", rejects, result.rejects > 0 ? " (rejects.csv)" : "",
               human_count(result.duplicates), result.duplicates > 0 ? " (duplicates.csv)" : "");
  if (result.resumed_images == result.images) {
    spdlog::info("all of it was made by an earlier start");
    return;
  }
  const auto made = result.images - result.resumed_images;
  spdlog::info("{} images in {}: {:.0f} images/s{}", human_count(made), human_seconds(result.seconds),
               static_cast<double>(made) / std::max(result.seconds, 1e-9),
               result.resumed_shards > 0
                   ? fmt::format("; {} shard(s) were made by an earlier start", result.resumed_shards)
                   : "");
}

}  // namespace

ExitCode pack_on_all_ranks(App& app, const std::string& command, const PackConfig& config,
                           const std::function<std::unique_ptr<ImageSource>()>& make_source) {
  Control& control = app.world({.device = "cpu"}).control();
  std::unique_ptr<ImageSource> source;
  std::unique_ptr<Packing> packing;
  OutputLocks locks(command);
  together(control, [&] {
    if (control.is_root()) locks.folder("--out", config.out);
  });
  together(control, [&] {
    source = make_source();
    packing = std::make_unique<Packing>(*source, config, real_files(), control.rank(), control.size());
  });
  if (!control.same_everywhere(packing->settings()))
    throw AgreedError("packing into " + config.out.string() +
                          ": the ranks do not see the same images; "
                          "every rank must see the same source, unchanged while it is packed",
                      ExitCode::BadConfiguration, "ConfigError");
  bool met = false;
  for (const auto& phase : packing->phases()) {
    together(control, phase);
    // Once rank 0 has begun, not before: what is finished already may be on a disk that nobody may write.
    const bool begun = control.is_root() && std::filesystem::exists(config.out / kPackingFolder);
    if (!std::exchange(met, true) && control.any_of(begun ? 1 : 0) != 0)
      require_shared(control, real_files(), config.out / kPackingFolder, "--out " + config.out.string());
  }
  if (control.is_root()) log_figures(config, packing->result());
  app.result(describe(packing->result()));
  return ExitCode::Done;
}

}  // namespace facemae
