#include "data/pack/pack_forecast.h"

#include <nlohmann/json.hpp>

#include "data/pack/pack_plan.h"

namespace facemae {
namespace {

/// The disk on which a folder would be made.
Path place_of(const Path& folder) {
  Path place = std::filesystem::absolute(folder).lexically_normal();
  while (!std::filesystem::exists(place) && place.has_relative_path()) place = place.parent_path();
  return place;
}

}  // namespace

PackForecast forecast_pack(const ImageSource& source, const PackConfig& config) {
  const PackPlan plan = plan_pack(source, config);
  PackForecast forecast;
  forecast.images = plan.entries;
  forecast.identities = source.identities();
  forecast.shards = plan.shards();
  forecast.image_size = plan.image_size;
  forecast.mean_bytes = plan.mean_bytes;
  const auto samples = nlohmann::json::parse(plan.samples);
  for (const auto& digest : samples) {
    ++forecast.looked_at;
    forecast.rejects += digest.is_null() ? 1 : 0;
  }
  forecast.needed_bytes = plan.room_for(plan.shards()) + (source.archives() > 0 ? plan.room_for_spill() : 0);
  forecast.free_bytes = std::filesystem::space(place_of(config.out)).available;
  return forecast;
}

}  // namespace facemae
