// facemae store join: several stores side by side.
#include "data/upkeep/store_join.h"

#include "app/data/store_verbs.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

ExitCode store_join(App& app, Words words) {
  std::vector<std::string> what;
  std::string out;
  JoinConfig config{.show_progress = true};
  Options options(
      "Copies the images of several stores side by side into one, to train on them together: releases at several mask ratios or of several K, rebuilt and synthetic faces.",
      "store join STORE STORE... --out NEW [OPTIONS]");
  options.positional("STORE", what, "stores or views, at least two", 2);
  options.group("Join")
      .require("out", out, "the new store's folder")
      .add(
          "prefix", config.prefixes,
          "one word for each store: identities are named PREFIX/NAME, or PREFIX/LABEL where a store has no names")
      .flag("same-people", config.same_people,
            "identities of equal names are one person; without it equal names are refused");
  options.epilogue(
      "Identities are numbered anew: those of the first store, then those of the second, and so on. "
      "Released stores have secret labels and no names, so theirs always stay apart; a person who is in two releases is two classes.\n"
      "Images are copied byte for byte; the licences of all stores are named. After a kill, the same command continues where it was.\n"
      "Examples:  facemae store join rebuilt-k4 rebuilt-k8 --out mixed\n"
      "           facemae store join rebuilt synthetic --prefix rebuilt synth --out mixed");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!(config.same_people && !config.prefixes.empty()),
                "--prefix keeps stores apart, --same-people joins them: give one of the two");
  if (!options.finish()) return ExitCode::Done;
  app.alone("store join");
  OutputLocks locks("store join");
  locks.folder("--out", out);
  const JoinPlan plan = join_stores(real_files(), std::vector<Path>(what.begin(), what.end()), out, config);
  if (config.same_people)
    spdlog::info("{} identities are in more than one of the stores",
                 human_count(static_cast<std::uint64_t>(plan.shared)));
  report_made(app, {out}, {{"shared_identities", plan.shared}});
  return ExitCode::Done;
}

}  // namespace facemae
