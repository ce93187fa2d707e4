// Files of a store that somebody changed and sealed again (data/hdf5/hdf5_layout.h and what reads by it).
// An input is a letter and the file without its seal: 's' a shard, 'm' a manifest, 'i' the identities,
// 'v' the rows of a view.
#include <map>

#include "core/error.h"
#include "data/hdf5/seal.h"
#include "data/store/manifest_arrays.h"
#include "data/store/manifest_chain.h"
#include "data/store/shard_file.h"
#include "data/upkeep/store_tools.h"
#include "tests/fuzz/target.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae::fuzz {
namespace {

std::string unsealed(const Path& path) {
  std::string bytes = read_file(path);
  bytes.resize(bytes.size() - kSealBytes);
  return bytes;
}

/// A good store and a view of it; one file at a time is another one.
class Stores {
 public:
  Stores() {
    testing_stores::make_store(store_, {2, 1}, 16, [](std::uint64_t) { return std::vector<std::byte>(); });
    select_from_store(real_files(), *Store::open(store_), {.identities = {true, false}}, view_);
    for (const auto& path : {shard_, manifest_, identities_, rows_}) good_[path] = read_file(path);
  }
  void put(const Path& path, std::string_view bytes) {
    write_whole(real_files(), path, std::string(bytes));
    append_seal(real_files(), path, {});
  }
  void put_back(const Path& path) { write_whole(real_files(), path, good_.at(path)); }

  test::TemporaryFolder here_;
  Path store_ = here_ / "store", view_ = here_ / "view", shard_ = store_ / shard_name(0),
       manifest_ = store_ / kManifestName, identities_ = store_ / kIdentitiesName, rows_ = view_ / kViewName;

 private:
  std::map<Path, std::string> good_;
};

void read_everything(const Stores& stores, char kind) {
  if (kind == 's') {
    const ShardIndex index = read_shard(stores.shard_);
    require(index.offsets.size() == index.labels.size() + 1, "each image has a label");
    require(index.offsets.back() == index.info.bytes, "offsets divide the blob");
    return;
  }
  const auto chain = manifest_chain(stores.view_);
  require(!chain.empty() && chain.size() <= kMostViews + 1, "views end");
  StoreManifest view = chain.front().manifest, store = chain.back().manifest;
  require(store.image_size >= 1 && store.image_size <= kMostImageSide, "a size is possible");
  const Identities identities = Identities::read(stores.store_, store);
  for (std::int64_t k = 0; k < store.identities; ++k) {
    identities.name(k);
    for (const std::uint64_t row : identities.rows_of(k)) require(row < store.images, "rows are the store's");
  }
  read_view(stores.view_, view);
  require(view.rows.size() == view.images && view.labels.size() == view.images, "each row has a label");
}

}  // namespace

// Reading hashes in pieces of 8 MiB at most; a shard's alignment makes small files large.
std::size_t justified_allocation(std::size_t input_bytes) { return (9 << 20) + 256 * input_bytes; }

void parse(std::string_view input) {
  static Stores stores;
  const char kind = input.empty() ? 'm' : input.front();
  const Path& path = kind == 's'   ? stores.shard_
                     : kind == 'i' ? stores.identities_
                     : kind == 'v' ? stores.rows_
                                   : stores.manifest_;
  stores.put(path, input.substr(std::min<std::size_t>(1, input.size())));
  try {
    read_everything(stores, kind);
  } catch (...) {
    stores.put_back(path);
    throw;
  }
  stores.put_back(path);
}

std::vector<std::string> seeds() {
  const Stores stores;
  return {"s" + unsealed(stores.shard_), "m" + unsealed(stores.manifest_), "i" + unsealed(stores.identities_),
          "v" + unsealed(stores.rows_)};
}

}  // namespace facemae::fuzz
