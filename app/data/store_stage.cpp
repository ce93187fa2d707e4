// facemae store stage: a store on a node's own disk.
#include "app/data/store_verbs.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store/people_key.h"
#include "data/upkeep/stage.h"

namespace facemae {

ExitCode store_stage(App& app, Words words) {
  std::vector<std::string> what;
  std::string to;
  Options options(
      "Copies a store to each node's own disk. Every byte is hashed on its way; "
      "a file has its name only when it is whole, and files that are there already are not copied again.",
      "store stage STORE --to FOLDER [OPTIONS]");
  options.positional("STORE", what, "the store, or a view: its parent is copied, too", 1).at_most(1);
  options.group("Stage").require("to", to,
                                 "folder on the node's own disk; the copy gets the store's name in it");
  options.epilogue(
      "Under a launcher every node makes its own copy, and its ranks share the shards; FOLDER must be another "
      "disk on every node. The folder to train from is printed last.\n"
      "Example:  mpirun -n 16 --map-by ppr:8:node facemae store stage /lustre/faces --to /scratch\n"
      "          mpirun -n 16 --map-by ppr:8:node facemae pretrain --store /scratch/faces ...");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = "cpu"});
  Control& control = world.control();
  const Topology& place = world.topology();
  OutputLocks locks("store stage");
  together(control, [&] {
    if (place.local_rank != 0) return;
    for (const Path& target : stage_targets(what[0], to)) locks.folder("--to", target);
  });
  StagePlan plan;
  StageCount count;
  together(control, [&] { plan = plan_stage(real_files(), what[0], to); });
  if (place.rank == 0 && plan.missing_bytes > 0)
    spdlog::info("staging {} to {} on {} node(s)", human_bytes(plan.missing_bytes), to, place.nodes);
  together(control, [&] {
    count = stage_shards(real_files(), plan, place.local_rank, place.local_size, place.rank == 0);
  });
  together(control, [&] {
    if (place.local_rank != 0) return;
    const StageCount rest = finish_stage(real_files(), plan);
    count.copied_bytes += rest.copied_bytes;
    count.copied_files += rest.copied_files;
    count.found_files += rest.found_files;
  });
  const auto opened = [](const Path& folder) {  // staging has checked what it copied
    return Store::open(folder, real_inputs(), {}, SealCheck::Unhashed);
  };
  together(control, [&] {  // a copy is of the same people
    if (control.is_root()) make_people_key(*opened(what[0]));
  });
  together(control, [&] {
    if (place.local_rank == 0) copy_people_key(*opened(what[0]), *opened(plan.result()));
  });
  const nlohmann::json mine = {count.copied_bytes, count.copied_files, count.found_files};
  std::uint64_t bytes = 0, copied = 0, found = 0;
  for (const auto& text : control.gather(mine.dump())) {
    const auto part = nlohmann::json::parse(text);
    bytes += part[0].get<std::uint64_t>();
    copied += part[1].get<std::uint64_t>();
    found += part[2].get<std::uint64_t>();
  }
  if (control.is_root()) {
    spdlog::info("{} files copied ({}), {} were there", copied, human_bytes(bytes), found);
    fmt::print("{}\n", plan.result().string());
  }
  app.result({{"store", plan.result().string()},
              {"nodes", place.nodes},
              {"copied_files", copied},
              {"copied_bytes", bytes},
              {"found_files", found}});
  return ExitCode::Done;
}

}  // namespace facemae
