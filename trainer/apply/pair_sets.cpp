// Opens several sets of pairs at once, so that all that is wrong is told in one message.
#include <torch/torch.h>

#include <algorithm>

#include "core/log.h"
#include "core/text.h"
#include "data/store/people_key.h"
#include "trainer/apply/pair_set.h"
#include "trainer/input/training_identities.h"

namespace facemae {
namespace {

PairSet open_pairs(const PairSource& source) {
  return !source.store.empty()    ? pairs_of_store(source.pairs, source.store)
         : !source.images.empty() ? pairs_of_folder(source.pairs, source.images, source.landmarks)
                                  : pairs_of_pack(source.pairs);
}

/// Rather than of the network or the machine.
bool is_of_the_set(const AgreedError& error) {
  return error.kind() == "DataError" || error.kind() == "FileError" || error.kind() == "ConfigError";
}

}  // namespace

std::vector<PairSet> open_pair_sets(World& world, const std::vector<PairSource>& sources, int folds,
                                    bool with_images) {
  Control& control = world.control();
  std::vector<PairSet> sets;
  for (const auto& source : sources) {
    if (std::any_of(sets.begin(), sets.end(), [&](const auto& set) { return set.name == source.pairs; })) {
      if (control.is_root()) spdlog::warn("the set {} is given twice: it is measured once", source.pairs);
      continue;
    }
    PairSet set{.name = source.pairs, .images = {}, .first = {}, .second = {}, .same = {}};
    try {
      together(control, [&] {
        set = open_pairs(source);
        check_pairs(set, folds);
      });
      together(control, [&] {
        if (with_images) check_images(set, world.topology().rank, world.topology().size);
        keep_own(set.images, world.topology().rank, world.topology().size);
      });
    } catch (const AgreedError& error) {
      if (!is_of_the_set(error)) throw;
      set.fault = error;
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

void refuse_faults(const std::vector<PairSet>& sets) {
  std::vector<std::string> faults;
  const AgreedError* worst = nullptr;  // the first that another start would not mend
  for (const auto& set : sets) {
    if (!set.fault) continue;
    faults.emplace_back(set.fault->what());
    if (worst == nullptr || (worst->code() == ExitCode::Crash && set.fault->code() != ExitCode::Crash))
      worst = &*set.fault;
  }
  if (worst == nullptr) return;
  const std::string all = faults.size() == 1 ? faults[0]
                                             : fmt::format("{} sets of pairs cannot be used:\n  {}",
                                                           faults.size(), join(faults, "\n  "));
  throw AgreedError(all, worst->code(), worst->kind(), worst->place());
}

Evaluated verify_or_say_why(const PairSet& set, RecognitionNetwork& network, World& world,
                            const EmbedConfig& config) {
  try {
    if (set.fault) throw AgreedError(*set.fault);
    return verify_pairs(set, network, world, config);
  } catch (const AgreedError& error) {
    if (!is_of_the_set(error)) throw;
    return {.set = set.name, .pairs = set.same.size(), .figures = {}, .failure = error.what()};
  }
}

void warn_of_seen_people(const PairSet& set, const torch::Tensor& hashes) {
  if (!set.store) return;
  const auto seen = trained_on(hashes, *set.store, people_key(*set.store));
  if (seen && *seen > 0)
    spdlog::warn(
        "{} of the {} identities of {} were trained on: the figures of {} are not those of unseen people "
        "(`facemae store split` keeps people apart)",
        *seen, set.store->identities(), set.store->folder().string(), set.name);
}

}  // namespace facemae
