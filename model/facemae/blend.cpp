#include "model/facemae/blend.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "model/common/precision.h"

namespace facemae {
namespace {

/// The people of all sets in one row of numbers; somebody who is in two sets counts as two.
struct PeopleOfSets {
  std::vector<std::int64_t> of_photo;  ///< [B]
  std::vector<std::int64_t> set_of;    ///< [people]
  std::vector<std::int64_t> photos;    ///< [people]
  std::vector<std::int64_t> people;    ///< [S], of each set
  std::int64_t count() const { return static_cast<std::int64_t>(set_of.size()); }
  std::int64_t sets() const { return static_cast<std::int64_t>(people.size()); }
};

PeopleOfSets count_people(std::int64_t photos, std::span<const std::int64_t> set_of_photo,
                          std::span<const std::int64_t> person_of_photo) {
  if (std::cmp_not_equal(set_of_photo.size(), photos) || std::cmp_not_equal(person_of_photo.size(), photos))
    throw Error(fmt::format("blending {} photos: {} sets and {} people are named; name one of each per photo",
                            photos, set_of_photo.size(), person_of_photo.size()));
  PeopleOfSets found;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> numbers;
  const std::int64_t sets = photos == 0 ? 0 : 1 + *std::max_element(set_of_photo.begin(), set_of_photo.end());
  found.people.assign(static_cast<std::size_t>(std::min(sets, photos)), 0);
  for (std::size_t i = 0; i < set_of_photo.size(); ++i) {
    const auto set = set_of_photo[i];
    if (set < 0 || sets > photos)
      throw Error(
          fmt::format("blending {} photos: photo {} is in set {}, but sets are numbered from 0 without gaps",
                      photos, i, set));
    const auto [entry, fresh] = numbers.try_emplace({set, person_of_photo[i]}, found.count());
    found.of_photo.push_back(entry->second);
    if (fresh) {
      found.set_of.push_back(set);
      found.photos.push_back(0);
      ++found.people[static_cast<std::size_t>(set)];
    }
    ++found.photos[static_cast<std::size_t>(entry->second)];
  }
  if (std::find(found.people.begin(), found.people.end(), 0) != found.people.end())
    throw Error(fmt::format("blending {} photos: one of {} sets has no photo", photos, sets));
  return found;
}

torch::Tensor index_of(std::span<const std::int64_t> numbers, torch::Device device) {
  return torch::tensor(c10::ArrayRef(numbers.data(), numbers.size()), torch::kInt64).to(device);
}

torch::Tensor mean_of(const torch::Tensor& rows, const PeopleOfSets& people,
                      std::span<const std::int64_t> set_of_photo) {
  auto shares = torch::zeros({people.sets(), rows.size(0)}, torch::kFloat64);
  auto share = shares.accessor<double, 2>();
  for (std::size_t i = 0; i < set_of_photo.size(); ++i) {
    const auto set = set_of_photo[i], person = people.of_photo[i];
    share[set][static_cast<std::int64_t>(i)] =
        1.0 / static_cast<double>(people.people[static_cast<std::size_t>(set)] *
                                  people.photos[static_cast<std::size_t>(person)]);
  }
  const auto flat = at_least_float(rows).flatten(1);
  auto sizes = rows.sizes().vec();
  sizes[0] = people.sets();
  return shares.to(flat.options()).matmul(flat).reshape(sizes);
}

}  // namespace

torch::Tensor mean_over_people(const torch::Tensor& rows, std::span<const std::int64_t> set_of_photo,
                               std::span<const std::int64_t> person_of_photo) {
  const FullPrecision scope(rows.device().type());
  return mean_of(rows, count_people(rows.size(0), set_of_photo, person_of_photo), set_of_photo);
}

torch::Tensor blend_tokens(const torch::Tensor& tokens, const torch::Tensor& kept,
                           std::span<const std::int64_t> set_of_photo,
                           std::span<const std::int64_t> person_of_photo, std::int64_t patches,
                           std::int64_t min_people, const torch::Tensor& mask_token) {
  const FullPrecision scope(tokens.device().type());
  const auto photos = tokens.size(0), width = tokens.size(2);
  const PeopleOfSets people = count_people(photos, set_of_photo, person_of_photo);
  const auto all = at_least_float(tokens);
  const auto counts = all.options().requires_grad(false);
  const auto places = [&](std::span<const std::int64_t> owner, const torch::Tensor& patch) {
    return (index_of(owner, all.device()).unsqueeze(1) * patches + patch).flatten();  // owner by patch
  };
  const auto place = places(set_of_photo, kept), of_person = places(people.of_photo, kept);
  const auto shown_by = torch::zeros({people.count() * patches}, counts)
                            .index_add(0, of_person, torch::ones({of_person.size(0)}, counts));
  const auto every_patch = torch::arange(patches, kept.options()).unsqueeze(0);
  const auto people_showing =
      torch::zeros({people.sets() * patches}, counts)
          .index_add(0, places(people.set_of, every_patch), shown_by.gt(0).to(counts));

  const auto share =
      (shown_by.index_select(0, of_person) * people_showing.index_select(0, place)).reciprocal();
  const auto blended =
      torch::zeros({people.sets() * patches, width}, counts)
          .index_add(0, place, all.narrow(1, 1, kept.size(1)).reshape({-1, width}) * share.unsqueeze(1));
  const auto enough = people_showing.ge(static_cast<double>(std::max<std::int64_t>(1, min_people)));
  const auto shown = torch::where(enough.unsqueeze(1), blended, mask_token.to(counts).reshape({1, width}));
  const auto cls = mean_of(all.select(1, 0), people, set_of_photo);
  return torch::cat({cls.unsqueeze(1), shown.view({people.sets(), patches, width})}, 1);
}

}  // namespace facemae
