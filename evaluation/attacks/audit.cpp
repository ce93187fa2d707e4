#include "evaluation/attacks/audit.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "evaluation/attacks/fixed_attackers.h"
#include "evaluation/linkage/features.h"
#include "evaluation/linkage/retrieval.h"

namespace facemae {
namespace {

/// All that learn nothing: pixels, then embedders.
std::vector<FixedAttacker> attackers(const AuditOptions& options, std::int64_t height, std::int64_t width) {
  std::vector<FixedAttacker> all = pixel_attackers(height, width);
  for (const NamedEmbedder& embedder : options.embedders)
    all.push_back(embedder_attacker(embedder, options.batch));
  return all;
}

void check(const AuditInput& input) {
  const auto is_pictures = [](const torch::Tensor& t) {
    return t.defined() && t.dim() == 4 && t.size(1) == 3;
  };
  if (!is_pictures(input.released) || !is_pictures(input.real) || input.released.size(0) == 0 ||
      input.released.sizes().slice(1) != input.real.sizes().slice(1)) {
    throw ConfigError("an audit needs released and real pictures as [count, 3, height, width] of one size");
  }
  if (static_cast<std::int64_t>(input.mate.size()) != input.released.size(0) ||
      static_cast<std::int64_t>(input.real_identity.size()) != input.real.size(0)) {
    throw ConfigError(fmt::format(
        "an audit of {} released and {} real pictures got {} links and {} identities: is the link file of this release?",
        input.released.size(0), input.real.size(0), input.mate.size(), input.real_identity.size()));
  }
  for (const std::int64_t mate : input.mate) {
    if (mate < 0 || mate >= input.real.size(0)) {
      throw DataError(fmt::format(
          "the link names real picture {}, but there are {}: is it the link file of this release?", mate,
          input.real.size(0)));
    }
  }
}

/// Which released pictures are attacked: all, or max_probes of them, drawn from the seed, in rising order.
std::vector<std::int64_t> draw_probes(std::int64_t count, std::int64_t most, std::uint64_t seed) {
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(count));
  std::iota(chosen.begin(), chosen.end(), 0);
  if (count <= most) return chosen;
  Draws draws(key_of(seed, Purpose::Audit));
  for (std::size_t i = 0; i < static_cast<std::size_t>(most); ++i) {
    std::swap(chosen[i], chosen[i + draws.below(chosen.size() - i)]);
  }
  chosen.resize(static_cast<std::size_t>(most));
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

torch::Tensor index_of(const std::vector<std::int64_t>& rows) { return torch::tensor(rows, torch::kInt64); }

}  // namespace

std::vector<AttackReport> audit(const AuditInput& input, const AuditOptions& options) {
  check(input);
  if (options.max_probes < 1 || options.batch < 1)
    throw ConfigError("an audit needs at least one probe and batches of one");
  const torch::NoGradGuard no_gradients;
  const auto chosen = draw_probes(input.released.size(0), options.max_probes, options.seed);
  LinkageInput linkage;
  linkage.gallery_identity = input.real_identity;
  linkage.gallery_picture = equal_pictures(input.real);
  for (const std::int64_t probe : chosen) {
    linkage.mate.push_back(input.mate[static_cast<std::size_t>(probe)]);
    linkage.probe_identity.push_back(input.real_identity[static_cast<std::size_t>(linkage.mate.back())]);
  }
  const torch::Tensor released = input.released.index_select(0, index_of(chosen));
  const torch::Tensor originals = input.real.index_select(0, index_of(linkage.mate));
  const torch::Tensor perturbed = mildly_perturbed(originals, options.seed);
  const torch::Tensor blocks = mosaic(originals, 8);

  std::vector<AttackReport> attacks, controls;
  for (const FixedAttacker& attacker : attackers(options, input.real.size(2), input.real.size(3))) {
    linkage.gallery = attacker.features(input.real);
    const auto measure = [&](torch::Tensor probes) {
      linkage.probes = std::move(probes);
      LinkageResult result = measure_linkage(linkage);
      result.attacker = attacker.facts().name;
      result.knowledge = attacker.facts().knows;
      return result;
    };
    AttackReport attack;
    attack.released = measure(attacker.features(released));
    attack.ceiling = measure(linkage.gallery.index_select(0, index_of(linkage.mate)));
    const LinkageResult photographed_again = measure(attacker.features(perturbed));
    attack.ceiling.same_image = photographed_again.same_image;
    attack.ceiling.own_histogram = photographed_again.own_histogram;
    AttackReport control{measure(attacker.features(blocks)), attack.ceiling, "mosaic 8"};
    attacks.push_back(std::move(attack));
    controls.push_back(std::move(control));
  }
  std::move(controls.begin(), controls.end(), std::back_inserter(attacks));
  return attacks;
}

bool passes_controls(const AttackReport& attack, const std::vector<AttackReport>& all) {
  const auto above_chance = [](const Retrieval& found) { return found.rank1.low > found.chance_rank1; };
  if (!above_chance(attack.ceiling.same_image)) return false;
  return std::all_of(all.begin(), all.end(), [&](const AttackReport& other) {
    return other.control.empty() || other.released.attacker != attack.released.attacker ||
           above_chance(other.released.same_image);
  });
}

}  // namespace facemae
