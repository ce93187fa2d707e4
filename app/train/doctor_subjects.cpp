#include "app/train/doctor_subjects.h"

#include <algorithm>

#include "checkpoint/history/catalogue.h"
#include "core/error.h"
#include "data/hdf5/seal.h"
#include "data/store/manifest_chain.h"
#include "trainer/files/run_folder.h"

namespace facemae {

StorePlace look_at_store(const Path& store, bool quick) {
  constexpr std::size_t kFew = 16;
  StorePlace place;
  try {
    const auto chain = manifest_chain(store);
    const auto& [folder, manifest] = chain.back();  // the one with the shards
    place.digest = chain.front().manifest.dataset_digest.hex();
    place.shards = static_cast<std::int64_t>(manifest.shards.size());
    place.bytes = 0;
    const std::size_t step = quick ? std::max<std::size_t>(1, manifest.shards.size() / kFew) : 1;
    for (std::size_t i = 0; i < manifest.shards.size(); ++i) {
      const auto bytes = static_cast<std::int64_t>(manifest.shards[i].bytes);
      place.bytes += bytes;
      place.largest = std::max(place.largest, bytes);
      if (i % step == 0) read_seal(InputFile(folder / manifest.shards[i].file));
    }
  } catch (const Error& error) {
    place.fault = error.what();
  }
  return place;
}

RunPlace look_at_run(const Path& run) {
  RunPlace place;
  try {
    for (const auto& facts : catalogue(run))
      if (facts.manifest && facts.state == "valid") {
        place.checkpoint = static_cast<std::int64_t>(facts.bytes());
        break;
      }
    for (const Outcome& outcome : RunFolder(run).outcomes())
      if (outcome.save_seconds > 0) place.save = std::max(place.save, outcome.save_seconds);
  } catch (const Error&) {  // a run that is not there, or cannot be read: other checks tell
  }
  return place;
}

}  // namespace facemae
