#include "trainer/input/training_identities.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "checkpoint/tensors/weights.h"
#include "data/store/people_key.h"
#include "data/upkeep/store_tools.h"
#include "tests/unit/checkpoint/tensors/fixture.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using test::QuickFiles;
using test::TemporaryFolder;
using testing_stores::make_store;

std::int64_t number_of(const SecretKey& key) {
  std::int64_t value = 0;
  std::memcpy(&value, key.bytes.data(), sizeof value);
  return value;
}
std::int64_t as_older_versions_did(const std::string& name) {
  return static_cast<std::int64_t>(xxh64(bytes_of("facemae training identity\n" + name)));
}
torch::Tensor of_an_older_version(const Store& store) {
  std::vector<std::int64_t> hashes;
  for (std::int64_t label = 0; label < store.identities(); ++label)
    hashes.push_back(as_older_versions_did(store.identity_name(label)));
  std::sort(hashes.begin(), hashes.end());
  return torch::tensor(hashes, torch::kInt64);
}

/// What somebody finds who has a checkpoint, this program and a list with all names, but no key.
int found_by_dictionary(const torch::Tensor& hashes, const Store& store) {
  const std::set<std::int64_t> known(hashes.const_data_ptr<std::int64_t>(),
                                     hashes.const_data_ptr<std::int64_t>() + hashes.numel());
  int found = 0;
  for (std::int64_t label = 0; label < store.identities(); ++label) {
    const std::string name = store.identity_name(label);
    const std::int64_t hash = as_older_versions_did(name);
    const Bytes bytes = std::as_bytes(std::span(&hash, 1));
    for (const SecretKey& guess : {SecretKey{}, random_key()})
      found += static_cast<int>(known.contains(number_of(derive(guess, "identity", bytes))));
    found += static_cast<int>(known.contains(hash) ||
                              known.contains(static_cast<std::int64_t>(xxh64(bytes_of(name)))) ||
                              known.contains(number_of({blake2b(bytes_of(name)).bytes})));
  }
  return found;
}

TEST(TrainingIdentities, TellNothingToADictionaryOfAllNamesWithoutTheKey) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "s", std::vector<std::uint64_t>(40, 1));
  EXPECT_EQ(found_by_dictionary(of_an_older_version(*store), *store), 40) << "the attack can succeed";
  const auto hashes = training_identities(*store, "", make_people_key(*store));
  EXPECT_EQ(found_by_dictionary(hashes, *store), 0);
  EXPECT_EQ(trained_on(hashes, *store, people_key(*store)), 40) << "with the key it does";
  EXPECT_TRUE(facts_of(hashes).keyed);
  EXPECT_EQ(facts_of(hashes).names, 40);
}

TEST(TrainingIdentities, AreKnownAgainInOtherViewsOfTheStoreAndTellWhenTheyCannotBe) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "s", std::vector<std::uint64_t>(10, 1));
  const auto elsewhere = make_store(folder / "o", std::vector<std::uint64_t>(10, 1));
  split_store(real_files(), *store, 0.5, 1, folder / "train", folder / "unseen");
  const auto train = Store::open(folder / "train"), unseen = Store::open(folder / "unseen");
  const auto hashes = training_identities(*train, "", make_people_key(*train));
  EXPECT_EQ(trained_on(hashes, *unseen, people_key(*unseen)), 0);
  EXPECT_EQ(trained_on(hashes, *store, people_key(*store)), 5);
  EXPECT_FALSE(trained_on(hashes, *elsewhere, people_key(*elsewhere)));       // it has no key
  EXPECT_FALSE(trained_on(hashes, *elsewhere, make_people_key(*elsewhere)));  // it has another one
  EXPECT_FALSE(trained_on({}, *store, people_key(*store)));
  const auto without = training_identities(*store, "", std::nullopt);  // nowhere to keep a key
  EXPECT_EQ(facts_of(without).names, 0);
  EXPECT_FALSE(trained_on(without, *store, people_key(*store)));
  EXPECT_FALSE(facts_of(of_an_older_version(*store)).keyed);
  EXPECT_EQ(trained_on(of_an_older_version(*train), *store, people_key(*elsewhere)), 5)
      << "older ones need none";
}

class EarlierTraining : public testing::Test {
 protected:
  /// A run whose only checkpoint has these identities.
  Path run_with(const torch::Tensor& hashes) {
    Snapshot state = test::small_state(10);
    state.replicated.push_back({kTrainingIdentities, hashes, true});
    CheckpointStore checkpoints(folder_ / "run", control_, files_);
    EXPECT_TRUE(checkpoints.save(state, 1));
    return folder_ / "run";
  }
  TemporaryFolder folder_;
  AloneControl control_;
  QuickFiles files_;
  test::Quiet quiet_;
};

TEST_F(EarlierTraining, OfAnOlderVersionIsResumedAndItsHashesAreClosed) {
  const auto store = make_store(folder_ / "s", std::vector<std::uint64_t>(10, 1));
  split_store(real_files(), *store, 0.5, 1, folder_ / "a", folder_ / "b");
  const auto a = Store::open(folder_ / "a"), b = Store::open(folder_ / "b");
  const auto key = make_people_key(*store);
  const Path run = run_with(of_an_older_version(*a));

  Snapshot into = test::blank_like(test::small_state(10));
  into.replicated.push_back({kTrainingIdentities, training_identities(*b, "", key), true});
  CheckpointStore checkpoints(run, control_, files_);
  ASSERT_EQ(restore_with_identities(checkpoints, *checkpoints.newest(), into, key), std::nullopt);
  const torch::Tensor resumed = into.replicated.back().value;
  EXPECT_EQ(trained_on(resumed, *store, key), 10) << "those of the run and those of before";
  EXPECT_EQ(found_by_dictionary(resumed, *store), 0);

  const torch::Tensor initialised = training_identities(*b, run.string(), key);  // --init
  EXPECT_EQ(trained_on(initialised, *store, key), 10);
  EXPECT_EQ(found_by_dictionary(initialised, *store), 0);
}

TEST_F(EarlierTraining, WithAnotherKeyIsCarriedAlong) {
  const auto store = make_store(folder_ / "s", {1, 1, 1}), other = make_store(folder_ / "o", {1, 1, 1, 1});
  const Path run = run_with(training_identities(*store, "", make_people_key(*store)));
  const torch::Tensor both = training_identities(*other, run.string(), make_people_key(*other));
  EXPECT_EQ(trained_on(both, *store, people_key(*store)), 3);
  EXPECT_EQ(trained_on(both, *other, people_key(*other)), 4);
}

}  // namespace
}  // namespace facemae
