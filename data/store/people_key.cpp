#include "data/store/people_key.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/files/owner_files.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store/manifest.h"

namespace facemae {
namespace {

std::optional<SecretKey> key_in(const Path& folder) {
  const Path file = folder / kPeopleKeyName;
  if (!std::filesystem::exists(file)) return {};
  try {
    return SecretKey::from_hex(trim(read_plain_file(file)));
  } catch (const FileError& error) {
    spdlog::warn("the people key cannot be used: {}", error.what());
    return {};
  } catch (const DataError&) {
    throw DataError(file.string() +
                    " is damaged: restore it from another copy of the store, or remove it; "
                    "a model can then no longer tell that it was trained on people of this store");
  }
}

/// The first key to arrive stays: a key is never replaced.
void put(const Path& folder, const SecretKey& key) {
  FileSystem& files = owner_files();
  const Path temporary = own_temporary(folder / kPeopleKeyName);
  auto out = files.create(temporary);
  out->write(bytes_of(key.hex() + "\n"));
  out->sync();
  out->close();
  struct stat readers {};
  if (::stat((folder / kManifestName).c_str(), &readers) == 0)
    ::chmod(temporary.c_str(), 0600 | (readers.st_mode & 0444));
  const int code = ::link(temporary.c_str(), (folder / kPeopleKeyName).c_str()) == 0 ? 0 : errno;
  files.remove(temporary);
  if (code != 0 && code != EEXIST)
    throw FileError("making " + (folder / kPeopleKeyName).string() + ": " + std::strerror(code), code);
  files.sync_folder(folder);
}

}  // namespace

std::optional<SecretKey> people_key(const Store& store) {
  return store.released() ? std::nullopt : key_in(store.shard_folder());
}

std::optional<SecretKey> make_people_key(const Store& store) {
  if (store.released()) return {};
  try {
    if (!key_in(store.shard_folder())) put(store.shard_folder(), random_key());
    return key_in(store.shard_folder());
  } catch (const FileError& error) {
    spdlog::debug("no people key: {}", error.what());
    return {};
  }
}

void copy_people_key(const Store& from, const Store& to) {
  if (const auto key = people_key(from)) put(to.shard_folder(), *key);
}

}  // namespace facemae
