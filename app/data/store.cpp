// facemae store VERB: what one does with finished stores; and its first verb, info.
#include <cstdio>

#include "app/data/store_verbs.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

void print_facts(const StoreFacts& facts) {
  const auto line = [](const char* key, const std::string& value) { fmt::print("{:<20} {}\n", key, value); };
  line("store", facts.folder.string());
  if (facts.view) line("a view of", facts.parent.string());
  line("images", human_count(facts.images));
  line("identities", human_count(static_cast<std::uint64_t>(facts.identities)));
  line("images of each", fmt::format("{} to {}, median {}", facts.fewest, facts.most, facts.median));
  line("image size", fmt::format("{} x {}", facts.image_size, facts.image_size));
  const char* whose = facts.view ? " (of the parent)" : "";
  line("shards", human_count(facts.shards) + whose);
  line("bytes of images", human_bytes(facts.bytes) + whose);
  line("mean image", human_bytes(static_cast<std::uint64_t>(facts.mean_image_bytes())) + whose);
  std::vector<std::string> kinds;
  for (const auto& [kind, count] : facts.subsampling) kinds.push_back(fmt::format("{} {}", count, kind));
  line("first shard", facts.codec + (kinds.empty() ? "" : ": " + join(kinds, ", ")));
  line("rejects", human_count(facts.rejects));
  line("duplicates", human_count(facts.duplicates));
  line("released", facts.released ? "yes" : "no");
  line("licence", facts.source_licence.empty() ? "not stated" : facts.source_licence);
  line("digest", facts.dataset_digest);
  line("uuid", facts.uuid);
  line("format version", std::to_string(facts.format_version));
}

ExitCode store_info(App& app, Words words) {
  std::vector<std::string> what;
  Options options("Prints figures of a store, without reading its images.", "store info STORE [OPTIONS]");
  options.positional("STORE", what, "the store", 1).at_most(1);
  options.epilogue("Example:  facemae store info faces --json faces.json");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("store info");
  const StoreFacts facts = facts_of_store(what[0]);
  print_facts(facts);
  app.result(json_of(facts));
  return ExitCode::Done;
}

constexpr Verb kVerbs[] = {
    {"info", "print figures: images, identities, sizes, licence, digest", store_info},
    {"list", "list identities or images, or find the row of a source's image", store_list},
    {"verify", "re-read everything on any number of ranks, name what is bad, restore it from a copy",
     store_verify},
    {"stage", "copy to a node's own disk: checked, atomic, resumable", store_stage},
    {"split", "make two identity-disjoint views", store_split},
    {"subset", "make a view of some identities, or of some images of each", store_subset},
    {"remove", "make a view without some identities or images", store_remove},
    {"compact", "copy a view's images into a store of its own, so that the rest can be deleted",
     store_compact},
    {"join", "copy the images of several stores side by side into one", store_join},
};

}  // namespace

nlohmann::ordered_json json_of(const StoreFacts& facts) {
  return {{"store", facts.folder.string()},
          {"kind", facts.view ? "view" : "store"},
          {"parent", facts.parent.string()},
          {"images", facts.images},
          {"identities", facts.identities},
          {"image_size", facts.image_size},
          {"images_per_identity", {{"min", facts.fewest}, {"median", facts.median}, {"max", facts.most}}},
          {"shards", facts.shards},
          {"bytes", facts.bytes},
          {"mean_image_bytes", facts.mean_image_bytes()},
          {"codec", facts.codec},
          {"first_shard_subsampling", facts.subsampling},
          {"rejects", facts.rejects},
          {"duplicates", facts.duplicates},
          {"dataset_digest", facts.dataset_digest},
          {"uuid", facts.uuid},
          {"released", facts.released},
          {"source_licence", facts.source_licence},
          {"format_version", facts.format_version}};
}

void report_made(App& app, const std::vector<std::string>& folders, nlohmann::ordered_json more) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const auto& folder : folders) {
    const StoreFacts facts = facts_of_store(folder);
    spdlog::info("{}: {} images of {} identities", folder, human_count(facts.images), facts.identities);
    parts.push_back(json_of(facts));
  }
  nlohmann::ordered_json result = {{"parts", parts}};
  if (more.is_object()) result.update(more);
  app.result(result);
}

ExitCode run_store(App& app, Words words) {
  return run_verb(
      app, words,
      {.command = "store",
       .summary = "works on finished stores",
       .subject = "STORE",
       .verbs = kVerbs,
       .epilogue =
           "A view refers to the images of another store and copies none; it opens like any store.\n\n"
           "Examples:  facemae store info faces\n"
           "           mpirun -n 8 facemae store verify faces\n"
           "           facemae store split faces --identities 0.5 --seed 1 --out train unseen\n"});
}

}  // namespace facemae
