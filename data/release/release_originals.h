#pragma once
// Identifies the images that a release is made from by their bytes: which of them are equal, and which
// were released before.
#include <cstdint>
#include <functional>
#include <vector>

#include "core/random/secret.h"
#include "data/release/private_folder.h"
#include "data/store/store.h"

namespace facemae {

/// Hashes the encoded images of rows [first, last). Throws what Store::read does. `advance` counts images.
std::vector<Hash256> originals_of(
    const Store& source, std::uint64_t first, std::uint64_t last,
    const std::function<void(std::size_t)>& advance = [](std::size_t) {});

/// The rows whose image an earlier row also has, byte for byte, ascending. `originals` is that of all rows.
std::vector<std::uint64_t> copies_among(const std::vector<Hash256>& originals);

/// Two stores that must not share people, as messages name them. Reads all images of both, since people cannot be compared
/// and photos can. Throws ConfigError with `why` when more than 1 % of the images of one are in the other, too, byte for
/// byte. Fewer are told: sets from the web have pictures under two names.
struct NamedStore {
  std::string name;  ///< "--distractors"
  const Store& store;
};
void expect_other_people(const NamedStore& one, const NamedStore& other, const std::string& why);

/// Writes PRIVATE/images-<uuid>.bin: the originals of a release, ascending.
void write_originals(PrivateFolder& folder, const std::string& uuid, std::vector<Hash256> originals);
/// Throws DataError when the list is missing or does not have `count` images.
std::vector<Hash256> read_originals(const PrivateFolder& folder, const std::string& uuid,
                                    std::uint64_t count);

}  // namespace facemae
