#include "app/data/pack_ranks.h"

#include <chrono>
#include <utility>

#include "app/describe.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/files/shared_view.h"
#include "core/log.h"
#include "core/text.h"
#include "data/pack/journal.h"
#include "data/pack/pack_catalogue.h"
#include "data/store/manifest.h"

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

/// Ranks of other hosts may see the catalogue late.
void require_seen(Control& control, const Path& out) {
  const Path path = catalogue_of(out);
  const std::string bytes =
      control.broadcast(control.is_root() ? std::to_string(std::filesystem::file_size(path)) : "");
  together(control, [&] {
    const auto unseen = unseen_after(path.parent_path(), {{path.filename().string(), std::stoull(bytes)}},
                                     std::chrono::seconds(60));
    if (!unseen.empty())
      throw ConfigError(
          fmt::format("packing into {}: rank {} does not see what rank 0 has listed: {}; --out must lie "
                      "on a file system that all ranks share",
                      out.string(), control.rank(), unseen.front()));
  });
}

/// Removes a folder at the end of its scope, on the first rank, if nothing was put into it.
struct RemovedIfEmpty {
  RemovedIfEmpty(const Control& control, Path folder) : path(std::move(folder)), root(control.is_root()) {}
  ~RemovedIfEmpty() {
    std::error_code not_empty;
    if (root) std::filesystem::remove(path, not_empty);
  }
  RemovedIfEmpty(const RemovedIfEmpty&) = delete;
  RemovedIfEmpty& operator=(const RemovedIfEmpty&) = delete;
  const Path path;
  const bool root;
};

/// Every phase on all ranks. Returns the figures, on the first rank.
PackResult pack_together(Control& control, const PackConfig& config, const PackedImages& images) {
  const RemovedIfEmpty packing_folder(control, config.out / kPackingFolder);
  together(control, [&] {
    if (control.is_root()) Journal(real_files(), config.out).prepare();
  });
  require_shared(control, real_files(), packing_folder.path, "--out " + config.out.string());
  together(control, [&] {
    if (control.is_root() && images.list) images.list();
  });
  if (images.list) require_seen(control, config.out);
  std::unique_ptr<ImageSource> source;
  std::unique_ptr<Packing> packing;
  together(control, [&] {
    source = images.open(control.is_root());
    packing = std::make_unique<Packing>(*source, config, real_files(), control.rank(), control.size());
  });
  if (!control.same_everywhere(packing->settings()))
    throw AgreedError("packing into " + config.out.string() +
                          ": the ranks do not see the same images; "
                          "every rank must see the same source, unchanged while it is packed",
                      ExitCode::BadConfiguration, "ConfigError");
  for (const auto& phase : packing->phases()) together(control, phase);
  return packing->result();
}

/// What is finished may be on a disk that nobody may write, and one rank can look at it.
PackResult look_at_finished(Control& control, const PackConfig& config, const PackedImages& images) {
  PackResult result;
  together(control, [&] {
    if (control.is_root()) result = pack(*images.open_alone(), config, real_files());
  });
  return result;
}

}  // namespace

ExitCode pack_on_all_ranks(App& app, const std::string& command, const PackConfig& config,
                           const PackedImages& images) {
  Control& control = app.world({.device = "cpu"}).control();
  OutputLocks locks(command);
  together(control, [&] {
    if (control.is_root()) locks.folder("--out", config.out);
  });
  const bool finished = control.is_root() && std::filesystem::exists(config.out / kManifestName);
  const PackResult result = control.any_of(finished ? 1 : 0) != 0 ? look_at_finished(control, config, images)
                                                                  : pack_together(control, config, images);
  if (control.is_root()) log_figures(config, result);
  app.result(describe(result));
  return ExitCode::Done;
}

}  // namespace facemae
