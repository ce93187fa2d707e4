#include "data/pack/pack_plan.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/text.h"
#include "data/pack/pack_check.h"
#include "data/store/manifest.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSampled = 64, kSampledArchives = 8;
constexpr std::size_t kLongestLicence =
    16384;  // twice in the manifest, where an attribute holds 64 KiB at most

struct Sampled {
  std::uint64_t entry = 0;
  std::vector<std::byte> bytes;
  std::string reject;
};

struct EnoughSampled {};

/// The first images of a few archives: an archive can only be read from its beginning.
std::vector<Sampled> sample_archives(const ImageSource& source) {
  const std::size_t looked_into = std::min(kSampledArchives, source.archives());
  std::vector<Sampled> samples;
  for (std::size_t i = 0; i < looked_into; ++i) {
    const std::size_t enough = samples.size() + kSampled / looked_into;
    try {
      source.stream(i * source.archives() / looked_into, [&](ImageSource::Streamed image) {
        samples.push_back({image.entry, std::move(image.bytes), std::move(image.reject)});
        if (samples.size() == enough) throw EnoughSampled();
      });
    } catch (const EnoughSampled&) {
    }
  }
  return samples;
}

std::vector<Sampled> sample_entries(const ImageSource& source, const Permutation& order,
                                    const ReadPolicy& patience) {
  std::vector<Sampled> samples;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(kSampled, source.size()); ++i) {
    Sampled sample{order(i), {}, ""};
    try {
      sample.bytes = read_entry(source, sample.entry, patience);
    } catch (const DataError& error) {
      sample.reject = error.what();
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

/// The most common side of the square images in a sample; if several are equally common, the first one seen.
int common_size(const ImageSource& source, const std::vector<Sampled>& samples) {
  Decoder decoder;
  std::vector<std::pair<int, int>> sides;  // side, and how often it occurs
  std::string reason = "there was no image";
  for (const auto& sample : samples) {
    try {
      if (!sample.reject.empty()) throw DataError(sample.reject);
      const auto header = decoder.header(sample.bytes);
      if (header.width != header.height)
        throw DataError(fmt::format("{} x {} pixels, not square", header.width, header.height));
      const auto at =
          std::find_if(sides.begin(), sides.end(), [&](auto& side) { return side.first == header.width; });
      if (at == sides.end())
        sides.emplace_back(header.width, 1);
      else
        ++at->second;
    } catch (const DataError& error) {
      reason = source.name(sample.entry) + ": " + error.what();
    }
  }
  if (sides.empty())
    throw DataError(
        fmt::format("packing: none of {} sampled images shows the image size; the last: {}. "
                    "Pass --image-size and --resize if sizes differ",
                    samples.size(), reason));
  return std::max_element(sides.begin(), sides.end(), [](auto& a, auto& b) { return a.second < b.second; })
      ->first;
}

/// Refuses a set of another size before hours are spent on it.
void refuse_other_sizes(const ImageSource& source, const PackConfig& config, int image_size,
                        const std::vector<Sampled>& samples, const std::vector<std::string>& rejects) {
  std::vector<std::string> examples;
  std::size_t others = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (kind_of_reject(rejects[i]) != "another size") continue;
    if (++others <= 3) examples.push_back(source.name(samples[i].entry) + " (" + rejects[i] + ")");
  }
  const auto sampled = static_cast<double>(samples.size());
  if (static_cast<double>(others) <= sampled * std::max(0.5, config.max_reject_fraction)) return;
  throw DataError(fmt::format(
      "packing: {} of {} sampled images are not {} x {}: {}. "
      "Align and crop them first, state their size with --image-size, or re-encode them with --resize",
      others, samples.size(), image_size, image_size, join(examples, "; ")));
}

std::string uuid_of(const Hash128& catalogue, std::uint64_t seed, const Hash128& content) {
  Hasher identity;
  identity.add_value(catalogue.high);
  identity.add_value(catalogue.low);
  identity.add_value(seed);
  identity.add_value(content.low);
  return identity.digest().hex();
}

}  // namespace

std::vector<std::uint64_t> PackPlan::entries_of(std::uint64_t shard) const {
  const Permutation permutation = order();
  const std::uint64_t begin = shard * images_per_shard, end = std::min(begin + images_per_shard, entries);
  std::vector<std::uint64_t> result;
  result.reserve(end - begin);
  for (std::uint64_t position = begin; position < end; ++position) result.push_back(permutation(position));
  return result;
}

// An image's share: 29 bytes in the index, 16 in the journal, 16 in the manifest; images differ in size.
std::uint64_t PackPlan::room_for(std::uint64_t shards) const {
  const std::uint64_t images = std::min(shards * images_per_shard, entries);
  return images * (mean_bytes + mean_bytes / 20 + 64) + shards * (1 << 20);
}

std::uint64_t PackPlan::room_for_spill() const { return entries * (mean_bytes + mean_bytes / 20 + 32); }

PackPlan plan_pack(const ImageSource& source, const PackConfig& config) {
  if (source.size() == 0) throw ConfigError("packing: the source has no images");
  if (config.threads < 1 || config.shard_bytes < 1 || config.image_size < 0 ||
      !(config.max_reject_fraction >= 0) || config.max_reject_fraction > 1)
    throw ConfigError(
        "packing: threads and shard size must be at least 1, the image size not negative and the reject fraction between 0 and 1");
  if (config.source_licence.size() > kLongestLicence)
    throw ConfigError(fmt::format(
        "packing: the source licence has {} bytes, but at most {} fit; name it and say where it is",
        config.source_licence.size(), kLongestLicence));
  PackPlan plan;
  plan.entries = source.size();
  plan.order_key = key_of(config.seed, Purpose::Ingest);
  plan.allowed_rejects = static_cast<std::uint64_t>(
      std::floor(config.max_reject_fraction * static_cast<double>(plan.entries) + 1e-9));

  // A few images show the mean size and, by their hashes, whether a source with the same names
  // has other images.
  auto samples =
      source.archives() > 0 ? sample_archives(source) : sample_entries(source, plan.order(), config.patience);
  plan.image_size = config.image_size > 0 ? config.image_size : common_size(source, samples);
  if (plan.image_size > kMostImageSide)
    throw ConfigError(
        fmt::format("packing images of {0} x {0} pixels: a store has at most {1} x {1}; "
                    "pass --resize and a smaller --image-size",
                    plan.image_size, kMostImageSide));
  ImageChecker checker(plan.image_size, config.resize);
  Hasher content;
  std::uint64_t bytes = 0, good = 0;
  std::vector<std::string> rejects;
  Json looked_at = Json::object();
  for (auto& sample : samples) {
    const std::string digest = xxh128(sample.bytes).hex();
    content.add_value(sample.entry);
    content.add(sample.bytes);
    content.add_value(static_cast<std::uint64_t>(sample.bytes.size()));
    if (sample.reject.empty()) {
      const auto image = checker.check(std::move(sample.bytes));
      sample.reject = image.reject;
      bytes += image.bytes.size();
      good += image.reject.empty() ? 1 : 0;
    }
    rejects.push_back(sample.reject);
    looked_at[std::to_string(sample.entry)] = sample.reject.empty() ? Json(digest) : Json();
  }
  plan.samples = looked_at.dump();
  refuse_other_sizes(source, config, plan.image_size, samples, rejects);
  plan.mean_bytes = good == 0 ? 1 : std::max<std::uint64_t>(1, bytes / good);
  plan.images_per_shard = std::clamp<std::uint64_t>(config.shard_bytes / plan.mean_bytes, 1, plan.entries);

  const Hash128 catalogue = source.digest();
  plan.uuid = uuid_of(catalogue, config.seed, content.digest());
  Json settings;
  settings["catalogue"] = catalogue.hex();
  settings["content_sample"] = content.digest().hex();
  settings["catalogue_images"] = plan.entries;
  settings["archives"] = source.archives();
  settings["identities"] = source.identities();
  settings["seed"] = config.seed;
  settings["shard_bytes"] = config.shard_bytes;
  settings["images_per_shard"] = plan.images_per_shard;
  settings["image_size"] = plan.image_size;
  settings["resize"] = config.resize;
  settings["source_licence"] = config.source_licence;
  plan.settings = plan.asked = settings.dump(-1, ' ', false, Json::error_handler_t::replace);
  return plan;
}

PackPlan going_on(PackPlan plan, const std::string& settings, const std::string& samples) {
  const Json before = Json::parse(settings, nullptr, false), now = Json::parse(plan.settings);
  const Json looked_at = Json::parse(samples, nullptr, false), found = Json::parse(plan.samples);
  if (before == now || !before.is_object() || !looked_at.is_object()) return plan;
  for (const auto& [key, value] : now.items())
    if (key != "content_sample" && key != "images_per_shard" && before.value(key, Json()) != value)
      return plan;
  for (const auto& [entry, digest] : looked_at.items()) {
    const Json image = found.value(entry, Json());
    if (!digest.is_null() && !image.is_null() && image != digest) return plan;
  }
  try {
    const std::uint64_t images = before.at("images_per_shard");
    if (images < 1 || images > plan.entries) return plan;
    plan.uuid = uuid_of(Hash128::from_hex(before.at("catalogue").get<std::string>()),
                        before.at("seed").get<std::uint64_t>(),
                        Hash128::from_hex(before.at("content_sample").get<std::string>()));
    plan.images_per_shard = images;
    plan.settings = settings;
  } catch (const std::exception&) {  // a note of something else, which therefore differs
  }
  return plan;
}

void require_same_settings(const std::string& stored, const std::string& asked, const Path& out) {
  if (stored == asked) return;
  const Json before = Json::parse(stored, nullptr, false), now = Json::parse(asked);
  std::vector<std::string> differences;
  for (const auto& [key, value] : now.items()) {
    const Json old = before.is_object() ? before.value(key, Json()) : Json();
    if (old != value) differences.push_back(fmt::format("{} was {}, now {}", key, old.dump(), value.dump()));
  }
  throw ConfigError(
      fmt::format("packing into {}: it was begun or finished with other settings: {}. "
                  "Use another --out, or remove this folder first",
                  out.string(), join(differences, "; ")));
}

void require_space(std::uint64_t available, std::uint64_t needed, const Path& out) {
  if (needed <= available) return;
  throw ConfigError(
      fmt::format("packing into {}: about {} are needed and {} are free; "
                  "choose another disk or free some space",
                  out.string(), human_bytes(needed), human_bytes(available)));
}

}  // namespace facemae
