#include "trainer/study/prepare.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "core/log.h"
#include "core/progress.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "core/random/sha256.h"
#include "core/text.h"
#include "data/release/release_originals.h"
#include "data/store/store.h"
#include "data/upkeep/store_tools.h"
#include "trainer/apply/pair_set.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

std::string absolute_path(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

void make_absolute(StudyConfig& config) {
  for (std::string* path : {&config.train, &config.unseen, &config.held_out, &config.pairs})
    *path = absolute_path(*path);
  for (auto& bin : config.bins) bin = absolute_path(bin);
  for (auto& word : config.outside) {
    const auto [name, store] = outside_arm(word);
    word = name + "=" + absolute_path(store);
  }
}

/// The images that may be taken of a store: of equal ones a release takes the first, so all arms do.
struct UsableImages {
  std::shared_ptr<const Store> store;
  std::vector<std::vector<std::uint64_t>> rows;  ///< by label
  std::vector<std::uint64_t> counts() const {
    std::vector<std::uint64_t> counts;
    for (const auto& own : rows) counts.push_back(own.size());
    return counts;
  }
};

UsableImages usable_images(const std::string& folder) {
  UsableImages usable{.store = Store::open(folder), .rows = {}};
  const Store& store = *usable.store;
  Progress progress("looking for equal images in " + folder, store.size(), "images");
  const auto copies = copies_among(
      originals_of(store, 0, store.size(), [&](std::size_t images) { progress.advance(images); }));
  progress.finish();
  for (std::int64_t label = 0; label < store.identities(); ++label) {
    const auto all = store.rows_of(label);
    auto& own = usable.rows.emplace_back();
    std::set_difference(all.begin(), all.end(), copies.begin(), copies.end(), std::back_inserter(own));
  }
  return usable;
}

/// What a view has when exactly `share` is taken: people by a keyed draw, the first images of each.
Selection selection_of(const UsableImages& usable, const EqualShare& share, std::uint64_t seed) {
  std::vector<std::size_t> able;
  for (std::size_t label = 0; label < usable.rows.size(); ++label)
    if (usable.rows[label].size() >= share.images) able.push_back(label);
  const Permutation draw(able.size(), key_of(seed, Purpose::Study));
  Selection selection{.identities = std::vector<bool>(usable.rows.size(), false)};
  for (std::uint64_t i = 0; i < share.people; ++i)
    selection.identities[able[static_cast<std::size_t>(draw(i))]] = true;
  for (std::size_t label = 0; label < usable.rows.size(); ++label) {
    if (!selection.identities[label]) continue;
    const auto all = usable.store->rows_of(static_cast<std::int64_t>(label));
    const std::vector<std::uint64_t> kept(
        usable.rows[label].begin(), usable.rows[label].begin() + static_cast<std::ptrdiff_t>(share.images));
    std::set_difference(all.begin(), all.end(), kept.begin(), kept.end(),
                        std::back_inserter(selection.without));
  }
  std::sort(selection.without.begin(), selection.without.end());
  return selection;
}

/// Makes the view, unless it is there, and returns its digest. Throws ConfigError when another store is there.
std::string view_of(FileSystem& files, const UsableImages& usable, const EqualShare& share,
                    std::uint64_t seed, const Path& view) {
  make_folders(files, view.parent_path());
  select_from_store(files, *usable.store, selection_of(usable, share, seed), view);
  return Store::open(view)->dataset_digest().hex();
}

Json json_of(const Store& store) {
  return {{"store", store.folder().string()},
          {"digest", store.dataset_digest().hex()},
          {"images", store.size()},
          {"identities", store.identities()}};
}

/// Before hours of training: can the sets measure?
void check_tests(const StudyConfig& config) {
  if (config.bins.empty()) check_pairs(pairs_of_store(config.pairs, config.held_out));
  for (const auto& bin : config.bins) check_pairs(pairs_of_pack(bin));
}

/// Nobody may be in two of the stores. People cannot be compared, but their photos can.
void check_people(const StudyConfig& config) {
  std::vector<std::pair<const char*, std::shared_ptr<const Store>>> stores = {
      {"--train", Store::open(config.train)}, {"--unseen", Store::open(config.unseen)}};
  if (!config.held_out.empty()) stores.emplace_back("--held-out", Store::open(config.held_out));
  for (std::size_t i = 0; i < stores.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      expect_other_people({stores[i].first, *stores[i].second}, {stores[j].first, *stores[j].second},
                          "the study needs three sets of different people (`facemae store split`)");
}

Json configuration_of(const StudyConfig& config) {
  Json inputs = {{"train", json_of(*Store::open(config.train))},
                 {"unseen", json_of(*Store::open(config.unseen))}};
  if (config.bins.empty()) {
    inputs["held_out"] = json_of(*Store::open(config.held_out));
    inputs["pairs"] = {{"file", config.pairs}, {"sha256", sha256_hex(read_file(config.pairs))}};
  }
  for (const auto& bin : config.bins)
    inputs["bins"].push_back({{"file", bin}, {"sha256", sha256_hex(read_file(bin))}});
  for (const auto& word : config.outside) {
    const auto [name, folder] = outside_arm(word);
    inputs["arms"][name] = json_of(*Store::open(folder));
  }
  return {{"inputs", inputs},
          {"arms", config.arms},
          {"budget", config.budget},
          {"seed", config.seed},
          {"seeds", config.seeds},
          {"pretrain", config.pretrain},
          {"recognize", config.recognize},
          {"audit", config.audit},
          {"attacks", config.attacks},
          {"images_per_identity", config.images_per_identity},
          {"blend_images", config.blend_images}};
}

EqualShare share_for(const StudyConfig& config, const UsableImages& unseen) {
  const std::uint64_t multiple = common_multiple(config.arms);
  const auto share = largest_share(unseen.counts(), multiple, config.images_per_identity);
  if (share.people > 0) return share;
  throw ConfigError(fmt::format(
      "planning a study of {}: there are {} people{}, and the arms need a multiple of {}, so that groups of every size "
      "come out even; use a larger store, fewer images per identity, or fewer blends",
      config.unseen, unseen.rows.size(),
      config.images_per_identity == 0 ? ""
                                      : fmt::format(", not all with {} images", config.images_per_identity),
      multiple));
}

/// Units that differ in the values of options alone are of one form.
void try_each_form(const StudyPlan& plan, const std::function<void(const StudyUnit&)>& try_command) {
  std::set<std::string> tried;
  for (const StudyUnit& unit : plan.units) {
    std::string form = unit.words.front();
    for (const auto& word : unit.words)
      if (word.rfind("--", 0) == 0) form += " " + word;
    if (tried.insert(form).second) try_command(unit);
  }
}

void tell_who_is_left_out(const UsableImages& unseen, const EqualShare& share) {
  const std::uint64_t left = unseen.rows.size() - share.people;
  if (left > 0)
    spdlog::info("{} of {} people are left out, so that every arm has the same number of pictures",
                 human_count(left), human_count(unseen.rows.size()));
}

}  // namespace

StudyProtocol prepare_study(FileSystem& files, const Path& out, StudyConfig config,
                            const std::function<void(const StudyUnit&)>& try_command) {
  make_absolute(config);
  check_study(config);
  const Json configuration = configuration_of(config);
  if (std::filesystem::exists(out / "protocol.json")) {
    expect_same_study(out, configuration);
    return read_protocol(out);
  }
  check_tests(config);
  check_people(config);
  const UsableImages unseen = usable_images(config.unseen);
  StudyProtocol protocol{.configuration = configuration,
                         .taken = Json::object(),
                         .synthetic = unseen.store->synthetic(),
                         .share = share_for(config, unseen),
                         .plan = {},
                         .rule = {},
                         .written = ""};
  const EqualShare& share = protocol.share;
  protocol.plan = plan_study(config, share);
  try_each_form(protocol.plan, try_command);
  tell_who_is_left_out(unseen, share);
  protocol.taken["unseen"] = view_of(files, unseen, share, config.seed, out / study_places::kUnseen);
  for (const auto& word : config.outside) {
    const auto [name, folder] = outside_arm(word);
    const UsableImages other = usable_images(folder);
    const auto own = share_of(other.counts(), share.pictures(), share.images);
    if (!own)
      throw ConfigError(fmt::format(
          "--arm {}: every arm has {} pictures, as equally many images of each person, and this store has no such share; "
          "use a larger one, or another --images-per-identity",
          word, human_count(share.pictures())));
    protocol.taken[name] = view_of(files, other, *own, config.seed, out / study_places::outside(name));
    protocol.synthetic = protocol.synthetic && other.store->synthetic();
  }
  write_protocol(files, out, protocol);
  return protocol;
}

}  // namespace facemae
