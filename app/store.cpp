// facemae store info|verify|split: what one does with finished stores.
#include "data/store.h"

#include <algorithm>
#include <cstdio>

#include "app/command.h"
#include "cluster/agree.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store_tools.h"

namespace facemae {
namespace {

nlohmann::ordered_json describe_store(const Store& store) {
  std::uint64_t bytes = 0;
  for (const auto& shard : store.shards()) bytes += shard.bytes;
  return {{"store", store.folder().string()},
          {"images", store.size()},
          {"identities", store.identities()},
          {"image_size", store.image_size()},
          {"shards", store.shards().size()},
          {"bytes", bytes},
          {"dataset_digest", store.dataset_digest().hex()},
          {"released", store.released()},
          {"source_licence", store.source_licence()}};
}

ExitCode info(App& app, const Store& store) {
  const auto facts = describe_store(store);
  for (const auto& [key, value] : facts.items())
    fmt::print("{:<16} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  app.result(facts);
  return ExitCode::Done;
}

/// Shards are divided over the ranks; the findings are gathered.
ExitCode verify(App& app, const Store& store) {
  Control& control = app.world().control();
  std::vector<BadImage> bad;
  together(control, [&] { bad = verify_store(store, control.rank(), control.size(), control.is_root()); });
  nlohmann::json mine = nlohmann::json::array();
  for (const auto& image : bad)
    mine.push_back(
        {{"shard", image.shard}, {"row", image.row}, {"index", image.index}, {"reason", image.reason}});
  const auto parts = control.gather(mine.dump());
  std::uint64_t count = 0;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const auto& part : parts)
    for (const auto& image : nlohmann::ordered_json::parse(part)) {
      fmt::print("{} index {}: {}\n", image["shard"].get<std::string>(), image["index"].get<std::uint64_t>(),
                 image["reason"].get<std::string>());
      all.push_back(image);
      ++count;
    }
  count = std::stoull(control.broadcast(std::to_string(count)));
  if (control.is_root()) fmt::print("{} image(s) of {} are bad\n", count, human_count(store.size()));
  app.result({{"images", store.size()}, {"bad", all}});
  return count == 0 ? ExitCode::Done : ExitCode::BadData;
}

}  // namespace

ExitCode run_store(App& app, Words words) {
  std::vector<std::string> what, out;
  double identities = 0.5;
  std::uint64_t seed = 0;
  Options options(
      "Looks at finished stores. info: figures. verify: re-reads every image and names each bad one (exit "
      "65). split: two "
      "identity-disjoint stores that refer to the images of this one, without copies.",
      "store info|verify|split STORE [OPTIONS]");
  options.positional("info|verify|split STORE", what, "what to do, and the store", 2);
  options.group("Split")
      .add("identities", identities, "fraction of the identities that goes to the first part")
      .add("seed", seed, "which identities")
      .add("out", out, "two folders: the first and the second part");
  options.epilogue(
      "Examples:  facemae store verify faces\n"
      "           facemae store split faces --identities 0.5 --seed 1 --out train unseen");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  const std::vector<std::string> verbs = {"info", "verify", "split"};
  if (what.size() >= 2) {
    const bool known = std::find(verbs.begin(), verbs.end(), what[0]) != verbs.end();
    options.check(known, "store cannot \"" + what[0] + "\"" + suggestion(what[0], verbs));
    options.check(what.size() == 2, "one store is expected");
    options.check(what[0] != "split" || out.size() == 2, "split needs --out A B");
    options.check(identities > 0 && identities < 1, "--identities is a fraction between 0 and 1");
  }
  if (!options.finish()) return ExitCode::Done;
  if (what[0] == "verify") {
    app.world({.device = "cpu"});
  } else {
    app.alone("store " + what[0]);
  }
  std::shared_ptr<const Store> store;
  together(app.world().control(), [&] { store = Store::open(what[1]); });
  if (what[0] == "info") return info(app, *store);
  if (what[0] == "verify") return verify(app, *store);
  split_store(real_files(), *store, identities, seed, out[0], out[1]);
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const auto& folder : out) {
    const auto part = Store::open(folder);
    spdlog::info("{}: {} images of {} identities", folder, human_count(part->size()), part->identities());
    parts.push_back(describe_store(*part));
  }
  app.result({{"parts", parts}});
  return ExitCode::Done;
}

}  // namespace facemae
