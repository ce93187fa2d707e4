#pragma once
// The key with which training runs hash the names of the people they saw. It lies with the faces and never in
// a run, so whoever gets a checkpoint cannot try names on it (trainer/input/training_identities.h).
#include <optional>

#include "core/random/secret.h"
#include "data/store/store.h"

namespace facemae {

/// In the folder that has the shards: all views of a store have one key.
inline constexpr const char* kPeopleKeyName = "people.key";

/// Nothing when there is none, as in a released store, which has no names, or when it may not be read.
/// Throws DataError when it is damaged.
std::optional<SecretKey> people_key(const Store& store);
/// The same; a store without one gets one, readable by whoever may read its manifest. Nothing for a released
/// store, and where nothing can be written.
std::optional<SecretKey> make_people_key(const Store& store);
/// Into the folder of another copy of the same store, when there is one.
void copy_people_key(const Store& from, const Store& to);

}  // namespace facemae
