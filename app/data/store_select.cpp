// facemae store split|subset|remove|compact: stores of some of another store's images.
#include <algorithm>
#include <cmath>

#include "app/data/store_verbs.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store/manifest.h"
#include "data/upkeep/image_records.h"
#include "data/upkeep/store_tools.h"

namespace facemae {
namespace {

/// By label: `value` for those that the file names, the other for the rest.
std::vector<bool> chosen(const Store& store, const std::string& file, bool value) {
  std::vector<bool> identities(static_cast<std::size_t>(store.identities()), !value || file.empty());
  if (file.empty()) return identities;
  for (const std::int64_t label : read_identities(store, file))
    identities[static_cast<std::size_t>(label)] = value;
  return identities;
}

std::vector<std::uint64_t> rows_of_list(const Store& store, const std::string& file) {
  if (file.empty()) return {};
  const auto lines = lines_of_list(file);
  if (lines.empty())
    throw ConfigError("reading the images in " + file + ": it names none; one per line is expected");
  return rows_named(store, ImageRecords(store.folder()), lines, "reading the images in " + file);
}

/// The first few of them.
std::string names_of(const Store& store, const std::vector<std::int64_t>& labels) {
  constexpr std::size_t kNamed = 5;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < labels.size() && i < kNamed; ++i) {
    const std::string name = store.identity_name(labels[i]);
    names.push_back(name.empty() ? fmt::format("label {}", labels[i]) : name);
  }
  return join(names, ", ") + (labels.size() > kNamed ? ", ..." : "");
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
      .add("identities", identities,
           "fraction of the identities that goes to the first part, or, above 1, their number")
      .above(0)
      .at_most(1e9)
      .add("seed", seed, "seed for the choice of identities")
      .require("out", out, "two folders: the first and the second part")
      .between(2, 2);
  options.epilogue(
      "Examples:  facemae store split faces --identities 0.5 --seed 1 --out train unseen\n"
      "           facemae store split faces --identities 1000 --out thousand rest\n"
      "Without identity an image is in neither part.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(identities < 1 || (identities > 1 && identities == std::floor(identities)),
                "--identities is a fraction below 1 or a whole number above 1");
  if (!options.finish()) return ExitCode::Done;
  app.alone("store split");
  OutputLocks locks("store split");
  for (const auto& folder : out) locks.folder("--out", folder);
  const auto store = Store::open(what[0]);
  if (identities > 1 && identities >= static_cast<double>(store->identities()))
    throw ConfigError(fmt::format("--identities {}: {} has {}, of which one must be left for the other part",
                                  identities, what[0], store->identities()));
  split_store(real_files(), *store,
              identities > 1 ? identities / static_cast<double>(store->identities()) : identities, seed,
              out[0], out[1]);
  report_made(app, out);
  return ExitCode::Done;
}

ExitCode store_subset(App& app, Words words) {
  std::vector<std::string> what;
  std::string file, out;
  std::uint64_t most = 0, least = 0;
  Options options(
      "Makes a view of some identities, or of some images of each: it refers to the images of the store.",
      "store subset STORE --identities FILE --out NEW [OPTIONS]");
  options.positional("STORE", what, "the store", 1).at_most(1);
  options.group("Subset")
      .add("identities", file, std::string(kIdentitiesHelp) + "; without it: all")
      .add("max-images-per-identity", most,
           "largest number of images per identity, the first in the store's random order; 0: all")
      .add("min-images-per-identity", least, "leave out identities with fewer images in the store")
      .require("out", out, "the view's folder");
  options.epilogue(
      "Labels are numbered anew, in the store's order. Images without identity are left out.\n"
      "Example:  facemae store subset faces --identities chosen.txt --max-images-per-identity 50 --out few");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!file.empty() || most > 0 || least > 0,
                "subset needs --identities FILE, --max-images-per-identity N or --min-images-per-identity N");
  if (!options.finish()) return ExitCode::Done;
  app.alone("store subset");
  OutputLocks locks("store subset");
  locks.folder("--out", out);
  const auto store = Store::open(what[0]);
  const AlsoLeftOut left_out = select_from_store(
      real_files(), *store,
      {.identities = chosen(*store, file, true), .images_per_identity = most, .least_images = least}, out);
  if (least > 0)
    spdlog::info("left out: {} identities with fewer than {} images", human_count(left_out.small), least);
  report_made(app, {out});
  return ExitCode::Done;
}

ExitCode store_remove(App& app, Words words) {
  std::vector<std::string> what;
  std::string file, images_file, out;
  Options options(
      "Makes a view without some identities or images: to train on from the moment when a person asks to be deleted.",
      "store remove STORE (--identities FILE | --images FILE) --out NEW [OPTIONS]");
  options.positional("STORE", what, "the store", 1).at_most(1);
  options.group("Remove")
      .add("identities", file, std::string(kIdentitiesHelp) + ": those to remove")
      .add(
          "images", images_file,
          "file of images to remove, one per line: its row in STORE, or its source's name, IDENTITY/FILE, as in "
          "rejects.csv")
      .require("out", out, "the view's folder");
  options.epilogue(
      "Prints how many identities and images were removed, also as \"removed\" in --json. FILE may be a pipe (/dev/stdin); one that "
      "names nobody, or anything that STORE does not have, is refused. An identity of which no image is left is left out, too, "
      "and labels are numbered anew.\n"
      "The images themselves are still in STORE. To delete them for good: `facemae store compact NEW --out "
      "FINAL`, then delete STORE, NEW, other views of STORE, staged copies and replicas, and the source.\n"
      "Runs that saw the person are not changed by this: train anew.\n"
      "Example:  facemae store remove faces --identities requests.txt --out faces-kept");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!file.empty() || !images_file.empty(), "remove needs --identities FILE or --images FILE");
  if (!options.finish()) return ExitCode::Done;
  app.alone("store remove");
  OutputLocks locks("store remove");
  locks.folder("--out", out);
  const auto store = Store::open(what[0]);
  const auto kept = chosen(*store, file, false);
  const AlsoLeftOut left_out = select_from_store(
      real_files(), *store,
      {.identities = kept, .unlabelled = true, .without = rows_of_list(*store, images_file)}, out);
  if (!left_out.emptied.empty())
    spdlog::info("of {} identities no image is left, so they are left out: {}", left_out.emptied.size(),
                 names_of(*store, left_out.emptied));
  const auto people =
      static_cast<std::uint64_t>(std::count(kept.begin(), kept.end(), false)) + left_out.emptied.size();
  const std::uint64_t images = store->size() - read_manifest(out).images;
  spdlog::info("removed: {} images{}", human_count(images),
               people > 0 ? fmt::format(" of {} identities", human_count(people)) : "");
  report_made(app, {out}, {{"removed", {{"identities", people}, {"images", images}}}});
  return ExitCode::Done;
}

ExitCode store_compact(App& app, Words words) {
  std::vector<std::string> what;
  std::string out;
  CompactConfig config{.show_progress = true};
  Options options(
      "Writes the images of a view into a store of its own, with nothing of what the view leaves out.",
      "store compact VIEW --out NEW [OPTIONS]");
  options.positional("VIEW", what, "a view", 1).at_most(1);
  options.group("Compact")
      .require("out", out, "the new store's folder")
      .flag(
          "skip-bad", config.skip_bad,
          "leave out images that cannot be read and list them in NEW/rejects.csv, instead of ending at the first");
  options.epilogue(
      "After a kill, the same command continues where it was.\n"
      "Example:  facemae store compact faces-kept --out faces-final");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("store compact");
  OutputLocks locks("store compact");
  locks.folder("--out", out);
  const std::uint64_t rejects = compact_store(real_files(), what[0], out, config);
  if (rejects > 0)
    spdlog::warn("{} image(s) cannot be read and were left out: {} lists them", human_count(rejects),
                 (Path(out) / "rejects.csv").string());
  report_made(app, {out}, {{"rejects", rejects}});
  return ExitCode::Done;
}

}  // namespace facemae
