#pragma once
// Keeps the key with which training runs hash the names of the people they saw. It lies with the faces and
// never in a run, so whoever gets a checkpoint cannot try names on it (trainer/input/training_identities.h).
#include <optional>

#include "core/random/secret.h"
#include "data/store/store.h"

namespace facemae {

/// Lies in the folder that has the shards: all views of a store share one key.
inline constexpr const char* kPeopleKeyName = "people.key";

/// Nothing when there is no key, as in a released store, which has no names, or when it may not be read.
/// Throws DataError when the key is damaged.
std::optional<SecretKey> people_key(const Store& store);
/// The same, but makes a key if the store has none, readable by whoever may read its manifest. Nothing for
/// a released store, and where nothing can be written.
std::optional<SecretKey> make_people_key(const Store& store);
/// Copies the key, if there is one, into the folder of another copy of the same store.
void copy_people_key(const Store& from, const Store& to);

}  // namespace facemae
