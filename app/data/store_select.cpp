// facemae store split|subset|remove|compact: stores of some of another store's images.
#include <algorithm>

#include "app/data/store_verbs.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "core/text.h"
#include "data/upkeep/store_tools.h"

namespace facemae {
namespace {

constexpr const char* kFileHelp =
    "file of identities, one name per line (a label number in a released store, which has no names)";

std::vector<bool> chosen(const Store& store, const std::string& file, bool value) {
  std::vector<bool> identities(static_cast<std::size_t>(store.identities()), !value);
  for (const std::int64_t label : read_identities(store, file))
    identities[static_cast<std::size_t>(label)] = value;
  return identities;
}

}  // namespace

ExitCode store_split(App& app, Words words) {
  std::vector<std::string> what, out;
  double identities = 0.5;
  std::uint64_t seed = 0;
  Options options(
      "Makes two identity-disjoint stores that refer to the images of this one, without copies: to train on one and rebuild or test on the other.",
      "store split STORE --out A B [OPTIONS]");
  options.positional("STORE", what, "the store", 1).at_most(1);
  options.group("Split")
      .add("identities", identities, "fraction of the identities that goes to the first part")
      .above(0)
      .below(1)
      .add("seed", seed, "seed for the choice of identities")
      .require("out", out, "two folders: the first and the second part")
      .between(2, 2);
  options.epilogue(
      "Example:  facemae store split faces --identities 0.5 --seed 1 --out train unseen\n"
      "Without identity an image is in neither part.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("store split");
  OutputLocks locks("store split");
  for (const auto& folder : out) locks.folder("--out", folder);
  split_store(real_files(), *Store::open(what[0]), identities, seed, out[0], out[1]);
  report_made(app, out);
  return ExitCode::Done;
}

ExitCode store_subset(App& app, Words words) {
  std::vector<std::string> what;
  std::string file, out;
  std::uint64_t most = 0;
  Options options(
      "Makes a view of some identities, or of some images of each: it refers to the images of the store.",
      "store subset STORE --identities FILE --out NEW [OPTIONS]");
  options.positional("STORE", what, "the store", 1).at_most(1);
  options.group("Subset")
      .add("identities", file, std::string(kFileHelp) + "; without it: all")
      .add("max-images-per-identity", most,
           "largest number of images per identity, the first in the store's random order; 0: all")
      .require("out", out, "the view's folder");
  options.epilogue(
      "Labels are numbered anew, in the store's order. Images without identity are left out.\n"
      "Example:  facemae store subset faces --identities chosen.txt --max-images-per-identity 50 --out few");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!file.empty() || most > 0, "subset needs --identities FILE or --max-images-per-identity N");
  if (!options.finish()) return ExitCode::Done;
  app.alone("store subset");
  OutputLocks locks("store subset");
  locks.folder("--out", out);
  const auto store = Store::open(what[0]);
  Selection selection{.images_per_identity = most};
  selection.identities = file.empty() ? std::vector<bool>(static_cast<std::size_t>(store->identities()), true)
                                      : chosen(*store, file, true);
  select_from_store(real_files(), *store, selection, out);
  report_made(app, {out});
  return ExitCode::Done;
}

ExitCode store_remove(App& app, Words words) {
  std::vector<std::string> what;
  std::string file, out;
  Options options(
      "Makes a view without some identities: to train on from the moment when a person asks to be deleted.",
      "store remove STORE --identities FILE --out NEW [OPTIONS]");
  options.positional("STORE", what, "the store", 1).at_most(1);
  options.group("Remove")
      .require("identities", file, std::string(kFileHelp) + ": those to remove")
      .require("out", out, "the view's folder");
  options.epilogue(
      "Prints how many identities and images were removed, also as \"removed\" in --json. FILE may be a pipe (/dev/stdin); one that "
      "names nobody is refused.\n"
      "The images themselves are still in STORE. To delete them for good: `facemae store compact NEW --out "
      "FINAL`, then delete STORE, NEW, other views of STORE, staged copies and replicas, and the source.\n"
      "Runs that saw the person are not changed by this: train anew.\n"
      "Example:  facemae store remove faces --identities requests.txt --out faces-kept");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("store remove");
  OutputLocks locks("store remove");
  locks.folder("--out", out);
  const auto store = Store::open(what[0]);
  const auto kept = chosen(*store, file, false);
  select_from_store(real_files(), *store, {.identities = kept, .unlabelled = true}, out);
  const auto people = static_cast<std::uint64_t>(std::count(kept.begin(), kept.end(), false));
  const std::uint64_t images = store->size() - Store::open(out)->size();
  spdlog::info("removed: {} images of {} identities", human_count(images), human_count(people));
  report_made(app, {out}, {{"removed", {{"identities", people}, {"images", images}}}});
  return ExitCode::Done;
}

ExitCode store_compact(App& app, Words words) {
  std::vector<std::string> what;
  std::string out;
  Options options(
      "Writes the images of a view into a store of its own, with nothing of what the view leaves out.",
      "store compact VIEW --out NEW [OPTIONS]");
  options.positional("VIEW", what, "a view", 1).at_most(1);
  options.group("Compact").require("out", out, "the new store's folder");
  options.epilogue(
      "After a kill, the same command continues where it was.\n"
      "Example:  facemae store compact faces-kept --out faces-final");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("store compact");
  OutputLocks locks("store compact");
  locks.folder("--out", out);
  compact_store(real_files(), what[0], out, true);
  report_made(app, {out});
  return ExitCode::Done;
}

}  // namespace facemae
