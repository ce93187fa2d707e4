#include "trainer/insiders/further_attacks.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "data/release/release.h"
#include "trainer/apply/models.h"
#include "trainer/insiders/attributes.h"
#include "trainer/insiders/kept_patches.h"
#include "trainer/insiders/several_releases.h"
#include "trainer/insiders/training_membership.h"
#include "trainer/insiders/white_box.h"

namespace facemae {

void declare(Options& options, FurtherAttacks& attacks) {
  options.group("Attackers who know more")
      .add("also-released", attacks.also_released,
           "other releases of the same people, for A8: what they show together")
      .add("also-link", attacks.also_links,
           "private folders of these, in the same order; without it all are in that of --link")
      .add("also-real", attacks.also_real,
           "stores that these were made of, where they were not made of --real: as after a removal")
      .add(
          "from", attacks.from,
          "FaceMAE that made the release (RUN, a checkpoint or safetensors file), for A11 and A12: attackers who have it")
      .add("mask-ratio", attacks.mask_ratio,
           "fraction of patches that was hidden, where --from does not say it")
      .above(0)
      .below(1)
      .add("training-store", attacks.training_store,
           "store that FaceMAE was trained on, for A11: are its people told from those of --distractors?")
      .add(
          "references", attacks.references,
          "for A11: FaceMAEs trained like --from, each two on the two halves of its people, in REPORT/attackers; 0: none, "
          "a weaker attack")
      .between(0, 8)
      .add("reference-steps", attacks.reference_steps,
           "for A11: steps of each; as many as --from had unless given")
      .at_least(1)
      .add(
          "white-box-probes", attacks.probes,
          "for A12: pictures whose patches are searched for by gradient descent, about a second each on one core")
      .at_least(0)
      .add(
          "attributes", attacks.attributes,
          "for A13: table of people's attributes (CSV: a heading, then the person and numbers or yes and no), or "
          "synthetic for faces of `facemae synth`");
}

void validate(Options& options, const FurtherAttacks& attacks) {
  options.check(attacks.also_links.empty() || attacks.also_links.size() == attacks.also_released.size(),
                "--also-link needs one private folder for each of --also-released");
  options.check(attacks.also_real.empty() || !attacks.also_released.empty(),
                "--also-real is of --also-released, which is missing");
  options.check(attacks.training_store.empty() || !attacks.from.empty(),
                "--training-store needs --from, the FaceMAE that was trained on it");
  options.check(attacks.training_store.empty() || !attacks.distractors.empty(),
                "--training-store needs --distractors: people whom FaceMAE was not trained on");
  options.check(attacks.references % 2 == 0,
                "--references is an even number: each two divide the people between them");
}

std::unique_ptr<Attacker> white_box_of(const FurtherAttacks& attacks, torch::Device device,
                                       std::uint64_t seed) {
  if (attacks.from.empty()) return nullptr;
  const Weights weights = read_weights(attacks.from);
  FaceMae model = face_mae_from(weights);
  model->to(device);
  return white_box(
      std::move(model),
      {.mask_ratio = mask_ratio_for(weights, attacks.mask_ratio), .probes = attacks.probes, .seed = seed});
}

std::optional<Target> plain_release(const FurtherAttacks& attacks, const Target& target, torch::Device device,
                                    std::uint64_t seed) {
  constexpr std::int64_t most = 120, fewest = 4;            // people: they are halved
  constexpr std::int64_t most_photos = 16, least_half = 8;  // of a person; of a half, for A1
  constexpr double ratio = 0.5;
  if (attacks.from.empty() || target.members < fewest) return std::nullopt;
  FaceMae model = face_mae_from(read_weights(attacks.from));
  if (model->config.code > 0) return std::nullopt;  // its decoder has learnt codes, not tokens of patches
  model->to(device);
  Target plain = target;
  plain.members = std::min(most, target.members);
  plain.released = {.pictures = {}, .classes = {}, .class_count = plain.members};
  plain.links = {};
  std::vector<std::int64_t> rows, photos_of(static_cast<std::size_t>(plain.members));
  for (std::size_t photo = 0; photo < target.real.people.size(); ++photo) {
    const std::int64_t person = target.real.people[photo];
    if (person >= plain.members || photos_of[static_cast<std::size_t>(person)] == most_photos) continue;
    ++photos_of[static_cast<std::size_t>(person)];
    rows.push_back(static_cast<std::int64_t>(photo));
    plain.released.classes.push_back(person);
    plain.links.photos_of_picture.push_back({rows.back()});
  }
  std::sort(photos_of.begin(), photos_of.end());
  if (std::accumulate(photos_of.begin(), photos_of.begin() + plain.members / 2, std::int64_t{0}) < least_half)
    return std::nullopt;
  for (std::int64_t person = 0; person < plain.members; ++person)
    plain.links.people_of_class.push_back({person});
  plain.released.pictures =
      rebuilt(model, target.real.photos.index_select(0, torch::tensor(at::ArrayRef<std::int64_t>(rows))),
              drawn_masks(model, ratio, key_of(seed, Purpose::Audit, 5), 0));
  return plain;
}

void check_other_releases(const FurtherAttacks& attacks, const std::string& real, const std::string& link) {
  std::map<std::string, std::string> sources;  // digest, folder
  for (const auto& folder : attacks.also_real)
    sources.emplace(Store::open(folder)->dataset_digest().hex(), folder);
  const std::string own = Store::open(real)->dataset_digest().hex();
  std::set<std::string> used;
  for (std::size_t i = 0; i < attacks.also_released.size(); ++i) {
    const std::string &released = attacks.also_released[i],
                      &folder = attacks.also_links.empty() ? link : attacks.also_links[i];
    const ReleaseLink links = link_of_release(released, folder);
    if (links.source_digest != own && !sources.contains(links.source_digest))
      throw made_of_another(released, real, links);
    used.insert(links.source_digest);
  }
  for (const auto& [digest, folder] : sources)
    if (!used.contains(digest))
      throw ConfigError("--also-real " + folder + ": no release of --also-released was made of it");
}

Findings further_attacks(World& world, const FurtherAttacks& attacks, const AuditedRelease& audited) {
  Findings findings;
  if (!attacks.also_released.empty() || !attacks.attributes.empty()) {
    const auto real = Store::open(audited.real);
    const RealFaces photos = photos_of_people(*real);
    std::vector<LinkedRelease> releases{load_release(*real, photos, audited.released, audited.link)};
    if (!attacks.attributes.empty())
      findings.add(
          {{},
           attribute_figures(releases[0].faces, releases[0].links, attributes_of(*real, attacks.attributes),
                             audited.embedded, audited.seed)});
    for (std::size_t i = 0; i < attacks.also_released.size(); ++i)
      releases.push_back(load_release(*real, photos, attacks.also_released[i],
                                      attacks.also_links.empty() ? audited.link : attacks.also_links[i],
                                      attacks.also_real));
    if (releases.size() > 1) findings.add({several_releases(photos, releases, audited.attackers), {}});
  }
  if (!attacks.training_store.empty())
    findings.add(training_membership(world, {.from = attacks.from,
                                             .members = attacks.training_store,
                                             .outsiders = attacks.distractors,
                                             .folder = Path(audited.report) / "attackers",
                                             .references = attacks.references,
                                             .reference_steps = attacks.reference_steps,
                                             .mask_ratio = attacks.mask_ratio,
                                             .seed = audited.seed}));
  return findings;
}

}  // namespace facemae
