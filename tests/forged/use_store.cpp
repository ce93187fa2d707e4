#include "tests/forged/use_store.h"

#include "core/error.h"
#include "data/loader/loader.h"
#include "data/store/store_facts.h"
#include "data/upkeep/stage.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"

namespace facemae::forged {
namespace {

constexpr std::int64_t kMostAsked = 100;

/// True unless it was refused, as it may be.
bool attempt(const std::function<void()>& use) {
  try {
    use();
    return true;
  } catch (const Error&) {
  } catch (const std::filesystem::filesystem_error&) {
  }
  return false;
}

void read_all(const Store& store) {
  std::vector<std::byte> image;
  for (std::uint64_t row = 0; row < std::min<std::uint64_t>(store.size(), kMostAsked); ++row) {
    attempt([&] { store.label(row); });
    attempt([&] { store.read(row, image); });
    attempt([&] { store.intact(row, image); });
  }
  for (const std::uint64_t row : {store.size(), store.size() + 1, ~std::uint64_t{0}})
    attempt([&] { store.read(row, image); });
  RowBlock block;
  ReadFigures figures;
  attempt([&] { store.read_block(0, std::min<std::uint64_t>(store.size(), 10), block, figures); });
  for (std::int64_t k = -1; k < std::min(store.identities() + 1, kMostAsked); ++k) {
    attempt([&] { store.identity_name(k); });
    attempt([&] {
      for (const std::uint64_t row : store.rows_of(k)) store.label(row);
    });
  }
}

void load_a_batch(const std::shared_ptr<const Store>& store) {
  Loader loader(store, Order(store->size(), 1), {.global_batch = 8, .micro_batches = 1, .world = 1}, 0, 0,
                {.threads = 1, .ahead = 1});
  loader.next();
}

}  // namespace

void use_store(const Path& folder, const Path& scratch, const Train& train, Reached& reached) {
  auto& files = real_files();
  reached.described += attempt([&] { facts_of_store(folder); });
  attempt([&] { reached.verified += verify_store(folder).good(); });
  attempt([&] {
    const auto plan = plan_stage(files, folder, scratch / "staged");
    stage_shards(files, plan, 0, 1, false);
    finish_stage(files, plan);
  });
  std::shared_ptr<const Store> store;
  if (!attempt([&] { store = Store::open(folder); })) return;
  ++reached.opened;
  read_all(*store);
  reached.split += attempt([&] { split_store(files, *store, 0.5, 1, scratch / "a", scratch / "b"); });
  attempt([&] { compact_store(files, scratch / "a", scratch / "compact"); });
  attempt([&] { compact_store(files, folder, scratch / "compacted"); });
  attempt([&] { make_pairs(*store, 2, 8, 1); });
  reached.batches += attempt([&] { load_a_batch(store); });
  if (train) reached.trained += attempt([&] { train(folder, scratch / "run"); });
}

}  // namespace facemae::forged
