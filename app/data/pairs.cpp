// facemae pairs: verification pairs from a store.
#include "app/command.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "data/store/store.h"
#include "data/upkeep/store_tools.h"

namespace facemae {

ExitCode run_pairs(App& app, Words words) {
  std::string store_folder, out;
  int folds = 10;
  std::uint64_t pairs = 6000, seed = 0;
  Options options(
      "Makes verification pairs: half of the same person, half of different ones, in identity-disjoint folds.",
      "pairs --store STORE --out pairs.txt [OPTIONS]");
  options.group("Pairs")
      .require("store", store_folder, "store with the images")
      .require("out", out, "text file to write: two rows of the store and 1 (same) or 0 per line")
      .add("folds", folds, "folds of the protocol")
      .at_least(2)
      .add("pairs", pairs, "number of pairs in all, rounded down to an even number in each fold")
      .add("seed", seed, "seed for the choice of pairs");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(pairs >= 2 * static_cast<std::uint64_t>(std::max(folds, 1)),
                "--pairs must be at least two a fold");
  if (!options.finish()) return ExitCode::Done;
  app.alone("pairs");
  OutputLocks locks("pairs");
  locks.file("--out", out);
  const auto store = Store::open(store_folder);
  const PairList list = make_pairs(*store, folds, pairs, seed);
  write_pairs(real_files(), out, list, *store);
  if (list.pairs.size() < pairs)
    spdlog::warn("{} pairs do not divide into {} folds of as many same as different ones: {} were made",
                 pairs, list.folds, list.pairs.size());
  spdlog::info("{}: {} pairs in {} folds", out, list.pairs.size(), list.folds);
  app.result({{"pairs", list.pairs.size()}, {"asked", pairs}, {"folds", list.folds}});
  return ExitCode::Done;
}

}  // namespace facemae
