#include "trainer/release/rebuild_release.h"

#include <algorithm>
#include <map>

#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/text.h"
#include "trainer/apply/models.h"
#include "trainer/input/open_store.h"
#include "trainer/release/closing_audit.h"
#include "trainer/release/privacy_notes.h"
#include "trainer/release/rebuild_begin.h"
#include "trainer/release/rebuild_shards.h"
#include "trainer/release/rebuild_source.h"
#include "trainer/step/precision.h"

namespace facemae {
namespace {

/// Where OUT will be made, as long as it is not there: a release that is refused leaves nothing behind.
void require_shared_place(Control& control, const std::string& out) {
  const bool there = control.any_of(control.is_root() && std::filesystem::is_directory(out) ? 1 : 0) != 0;
  require_shared(control, real_files(), there ? Path(out) : std::filesystem::absolute(out).parent_path(),
                 "--out " + out);
}

/// People of the source who are in no class of a blend.
std::uint64_t left_out(const ReleaseChoice& choice, const Store& source) {
  if (!choice.blend) return 0;
  return static_cast<std::uint64_t>(source.identities()) - choice.groups.size() * choice.blend->people;
}

/// What a release of codes says of itself; "" of any other.
std::string code_notes(const RebuildSource& source, const ReleasePlan& plan) {
  if (!source.nuisance) return "";
  std::map<std::int64_t, std::uint64_t> photos;
  for (const auto& [label, rows] : rows_of_classes(plan))
    for (const auto row : rows) ++photos[source.store->label(row)];
  std::uint64_t most = 0;
  for (const auto& [person, count] : photos) most = std::max(most, count);
  return privacy_notes(source.mu, source.model->config.code, most);
}

}  // namespace

RebuiltRelease rebuild_release(World& world, const ReconstructConfig& config,
                               const std::function<void()>& claim) {
  Control& control = world.control();
  ReleaseChoice choice{
      .images_per_identity = config.images_per_identity, .copies = {}, .blend = config.blend, .groups = {}};
  RebuildSource source;
  std::unique_ptr<PrivateFolder> folder;  // rank 0 holds it to the end
  auto store = open_once_a_node(control, world.topology(), config.store);
  together(control, [&] {
    applied_precision(config.precision, world.device());
    source = open_rebuild_source(config, std::move(store), world.device());
    check_release(*source.store, choice);
    if (!control.is_root()) return;
    refuse_flat_pictures(source, world.device());
    folder = open_places(config, claim);
    warn_of_doubts(source, config);
  });
  if (!config.baseline) expect_same_weights(control, config.from, source.weights.hash);
  require_shared_place(control, config.out);
  const ReleaseSecret secret = begin_rebuilding(control, folder.get(), config, source, choice);
  ReleasePlan plan;
  together(control, [&] {
    plan = plan_release(*source.store, secret, choice, config.shard_images);
    plan.whole_classes = source.nuisance != nullptr;
    rebuild_shards(world.topology(), world.device(), source, config, secret, plan);
  });

  RebuiltRelease made{.images = plan.pictures(),
                      .copies = choice.copies.size(),
                      .identities = plan.identities,
                      .people_left_out = left_out(choice, *source.store),
                      .model_hash = source.weights.hash,
                      .mask_ratio = source.mask_ratio};
  together(control, [&] {
    if (!control.is_root()) return;
    finish_release(real_files(), config.out, *folder, secret, plan,
                   {.model_hash = source.weights.hash,
                    .software_version = program_version(),
                    .source_licence = source.store->source_licence(),
                    .policy = config.policy,
                    .mask_ratio = source.mask_ratio,
                    .images_per_identity = config.images_per_identity,
                    .blend = config.blend,
                    .people_left_out = made.people_left_out,
                    .baseline_text = config.baseline ? baseline_text(*config.baseline) : "",
                    .baseline = config.baseline ? config.baseline->name : "",
                    .code = code_notes(source, plan)},
                   *source.store);
    try {
      made.audit = closing_audit(config.out, config.private_folder, *source.store);
    } catch (const std::exception& error) {  // the release is whole; but nobody should take it for audited
      made.code = exit_code_for(error);
      spdlog::error(
          "the release is written, but its closing audit failed: {}. The same command tries the audit again",
          error.what());
    }
  });
  return made;
}

}  // namespace facemae
