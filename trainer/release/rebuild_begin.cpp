#include "trainer/release/rebuild_begin.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "cluster/host/agree.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/release/release_ledger.h"
#include "data/release/release_originals.h"

namespace facemae {
namespace {

template <class T>
std::string raw_bytes(const std::vector<T>& values) {  // hundreds of millions of them
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
template <class T>
std::vector<T> values_of(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// The groups as numbers, for the other ranks: persons, photos and rows, as many times as there are.
std::vector<std::uint64_t> packed(const std::vector<BlendGroup>& groups) {
  std::vector<std::uint64_t> numbers;
  for (const BlendGroup& group : groups) {
    numbers.push_back(group.size());
    for (const auto& photos : group) {
      numbers.push_back(photos.size());
      numbers.insert(numbers.end(), photos.begin(), photos.end());
    }
  }
  return numbers;
}
std::vector<BlendGroup> unpacked(const std::vector<std::uint64_t>& numbers) {
  std::vector<BlendGroup> groups;
  for (auto at = numbers.begin(); at != numbers.end();) {
    BlendGroup& group = groups.emplace_back(*at++);
    for (auto& photos : group) {
      const auto first = at + 1, last = first + static_cast<std::ptrdiff_t>(*at);
      photos.assign(first, last);
      at = last;
    }
  }
  return groups;
}

/// Who is released in which class, and who is not.
void tell_groups(const BlendGroups& found, const Store& source, const ReleaseChoice& choice) {
  const Blend& blend = *choice.blend;
  const auto people = static_cast<std::uint64_t>(source.identities());
  const std::uint64_t able = rows_to_take(source, choice).size(), used = found.groups.size() * blend.people;
  spdlog::info(
      "{} of {} people are in {} classes of {}; {} have fewer than {} photos, {} are left over or with somebody who is not there",
      human_count(used), human_count(people), human_count(found.groups.size()), blend.people,
      human_count(people - able), blend.photos_each(), human_count(able - std::min(able, used)));
  if (found.torn > 0)
    spdlog::warn(
        "{} class(es) of the partition lack somebody, or photos of somebody, and are left out: were others put in that place, the two releases would tell who is who",
        human_count(found.torn));
}

}  // namespace

std::unique_ptr<PrivateFolder> open_places(const ReconstructConfig& config,
                                           const std::function<void()>& claim) {
  check_separate(config.private_folder, config.out);
  make_folders(real_files(), Path(config.out).parent_path());
  if (!std::filesystem::is_directory(config.out)) expect_place_for("out", config.out);
  claim();
  return std::make_unique<PrivateFolder>(config.private_folder);
}

std::vector<Hash256> gather_originals(Control& control, const Store& store) {
  const auto rank = static_cast<std::uint64_t>(control.rank()),
             ranks = static_cast<std::uint64_t>(control.size());
  const std::uint64_t first = store.size() * rank / ranks, last = store.size() * (rank + 1) / ranks;
  std::string mine;
  together(control, [&] {
    Progress progress(ranks == 1 ? "reading the originals" : "reading the originals, the first rank's share",
                      last - first, "images", rank == 0);
    mine = raw_bytes(originals_of(store, first, last, [&](std::size_t count) { progress.advance(count); }));
    progress.finish();
  });
  std::string all;
  for (const std::string& share : control.gather(mine)) all += share;
  return values_of<Hash256>(all);
}

void check_settings(PrivateFolder& folder, const ReconstructConfig& config, const RebuildSource& source,
                    const std::string& uuid) {
  nlohmann::ordered_json settings = {{"model_hash", source.weights.hash},
                                     {"mask_ratio", source.mask_ratio},
                                     {"codec", config.codec},
                                     {"quality", config.quality},
                                     {"images_per_identity", config.images_per_identity},
                                     {"shard_images", config.shard_images}};
  if (config.precision != "float32")
    settings["precision"] = config.precision;  // older releases have no such line
  if (config.baseline) settings["baseline"] = config.baseline->name;
  if (config.blend)
    settings["blend"] = {{"people", config.blend->people},
                         {"images", config.blend->images},
                         {"min_people", config.blend->min_people}};
  if (!config.policy.empty()) settings["policy"] = config.policy;
  if (source.nuisance) {
    settings["code_noise"] = config.code_noise;
    settings["nuisance_digest"] = source.nuisance->dataset_digest().hex();
  }
  const std::string name = "settings-" + uuid + ".json", now = settings.dump(2) + "\n";
  if (!folder.has(name)) return folder.write(name, now);
  if (const std::string before = folder.read(name); before != now)
    throw ConfigError(
        "the release in " + config.out + " was begun with other settings:\n" + before +
        "Go on with those (an exported model does not change while its run goes on), or choose another --out and say why with --second-release.");
}

ReleaseSecret begin_rebuilding(Control& control, PrivateFolder* folder, const ReconstructConfig& config,
                               const RebuildSource& source, ReleaseChoice& choice) {
  const auto originals = gather_originals(control, *source.store);
  std::string secret_text;
  together(control, [&] {
    if (!control.is_root()) return;
    choice.copies = copies_among(originals);
    if (!choice.copies.empty())
      spdlog::info("{} original(s) are the same as another, byte for byte: one of each group is released",
                   human_count(choice.copies.size()));
    check_release(*source.store, choice);
    const auto opened =
        open_release(*folder, config.out, *source.store, choice, originals, config.second_release);
    check_settings(*folder, config, source, opened.uuid);
    if (choice.blend) {
      auto found = groups_of_release(*folder, opened, *source.store, choice, originals);
      tell_groups(found, *source.store, choice);
      choice.groups = std::move(found.groups);
    }
    if (!config.policy.empty()) note_policy(*folder, opened.uuid, config.policy);
    secret_text = to_text(opened);
  });
  const ReleaseSecret secret = secret_from_text(control.broadcast(secret_text), config.private_folder);
  choice.copies = values_of<std::uint64_t>(control.broadcast(raw_bytes(choice.copies)));
  choice.groups = unpacked(values_of<std::uint64_t>(control.broadcast(raw_bytes(packed(choice.groups)))));
  return secret;
}

}  // namespace facemae
