#include "data/pack_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/keys.h"
#include "core/log.h"
#include "core/permutation.h"
#include "core/text.h"
#include "data/jpeg_markers.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kSampled = 64;
constexpr int kReencodeQuality = 95;
constexpr std::size_t kLongestLicence =
    16384;  // twice in the manifest, where an attribute holds 64 KiB at most

/// The middle square of an image: stretching would change the shape of faces.
Image centre_square(const Image& image) {
  const int side = std::min(image.width, image.height);
  if (image.width == image.height) return image;
  const auto left = static_cast<std::size_t>((image.width - side) / 2),
             top = static_cast<std::size_t>((image.height - side) / 2);
  const auto wide = static_cast<std::size_t>(side) * 3;
  Image square{side, side, {}};
  for (std::size_t y = 0; y < static_cast<std::size_t>(side); ++y) {
    const auto from =
        image.pixels.begin() +
        static_cast<std::ptrdiff_t>(((top + y) * static_cast<std::size_t>(image.width) + left) * 3);
    square.pixels.insert(square.pixels.end(), from, from + static_cast<std::ptrdiff_t>(wide));
  }
  return square;
}

int size_of_first_image(const ImageSource& source) {
  Decoder decoder;
  std::string reason;
  for (std::uint64_t i = 0; i < source.size(); ++i) {
    try {
      const auto header = decoder.header(source.read(i));
      if (header.width == header.height) return header.width;
      reason = fmt::format("{} is {} x {}, not square", source.name(i), header.width, header.height);
    } catch (const DataError& error) {
      reason = source.name(i) + ": " + error.what();
    } catch (const FileError& error) {
      reason = source.name(i) + ": " + error.what();
    }
  }
  throw DataError(
      fmt::format("packing: none of {} images can tell the image size; the last: {}. Pass --image-size and "
                  "--resize when sizes differ",
                  source.size(), reason));
}

Hash128 digest_of_catalogue(const ImageSource& source) {
  Hasher hasher;
  const auto add = [&](const std::string& text) {
    hasher.add_value(static_cast<std::uint64_t>(text.size()));
    hasher.add(bytes_of(text));
  };
  hasher.add_value(static_cast<std::uint64_t>(source.identity_names().size()));
  for (const auto& name : source.identity_names()) add(name);
  for (std::uint64_t entry = 0; entry < source.size(); ++entry) {
    hasher.add_value(source.label(entry));
    add(source.name(entry));
  }
  return hasher.digest();
}

}  // namespace

std::vector<std::size_t> PackPlan::entries_of(std::uint64_t shard) const {
  const Permutation order(entries, order_key);
  const std::uint64_t begin = shard * images_per_shard, end = std::min(begin + images_per_shard, entries);
  std::vector<std::size_t> result;
  result.reserve(end - begin);
  for (std::uint64_t position = begin; position < end; ++position) result.push_back(order(position));
  return result;
}

PreparedImage ImageChecker::check(std::size_t entry) {
  PreparedImage image;
  try {
    image.bytes = source_.read(entry);
    const auto header = decoder_.header(image.bytes);
    if (header.width == image_size_ && header.height == image_size_) {
      pixels_.resize(static_cast<std::size_t>(image_size_) * static_cast<std::size_t>(image_size_) * 3);
      decoder_.decode_into(image.bytes, image_size_, image_size_, pixels_);
      image.flags = encoding_flags(image.bytes);
    } else {
      fit(image, header.width, header.height, header.codec);
    }
  } catch (const DataError& error) {
    image = {{}, 0, error.what()};
  } catch (const FileError& error) {
    image = {{}, 0, error.what()};
  }
  return image;
}

void ImageChecker::fit(PreparedImage& image, int width, int height, Codec codec) {
  if (!resize_)
    throw DataError(fmt::format("{} x {} pixels, expected {} x {}; --resize re-encodes other sizes", width,
                                height, image_size_, image_size_));
  const Image fitted = resize(centre_square(decoder_.decode(image.bytes)), image_size_, image_size_);
  image.bytes = codec == Codec::Png ? encode_png(fitted) : encode_jpeg(fitted, kReencodeQuality);
  image.flags = static_cast<std::uint8_t>(encoding_flags(image.bytes) | kFlagReencoded);
}

PackPlan plan_pack(const ImageSource& source, const PackConfig& config) {
  if (source.size() == 0) throw ConfigError("packing: the source has no images");
  if (config.threads < 1 || config.shard_bytes < 1 || config.image_size < 0 ||
      !(config.max_reject_fraction >= 0) || config.max_reject_fraction > 1)
    throw ConfigError(
        "packing: threads and shard size must be at least 1, the image size not negative and the reject "
        "fraction between 0 and 1");
  if (config.source_licence.size() > kLongestLicence)
    throw ConfigError(
        fmt::format("packing: the source licence has {} bytes, at most {} fit; name it and say where it is",
                    config.source_licence.size(), kLongestLicence));
  PackPlan plan;
  plan.entries = source.size();
  plan.order_key = key_of(config.seed, Purpose::Ingest);
  plan.image_size = config.image_size > 0 ? config.image_size : size_of_first_image(source);

  // A few images tell the mean size, and, hashed, whether a source of the same names has other images.
  const Permutation order(plan.entries, plan.order_key);
  ImageChecker checker(source, plan.image_size, config.resize);
  Hasher content;
  std::uint64_t bytes = 0, good = 0;
  for (std::uint64_t i = 0; i < std::min(kSampled, plan.entries); ++i) {
    const PreparedImage image = checker.check(order(i));
    content.add(image.bytes);
    content.add_value(static_cast<std::uint64_t>(image.bytes.size()));
    if (!image.reject.empty()) continue;
    bytes += image.bytes.size();
    ++good;
  }
  plan.mean_bytes = good == 0 ? 1 : std::max<std::uint64_t>(1, bytes / good);
  plan.images_per_shard = std::clamp<std::uint64_t>(config.shard_bytes / plan.mean_bytes, 1, plan.entries);

  const Hash128 catalogue = digest_of_catalogue(source);
  Hasher identity;
  identity.add_value(catalogue.high);
  identity.add_value(catalogue.low);
  identity.add_value(config.seed);
  identity.add_value(content.digest().low);
  plan.uuid = identity.digest().hex();
  Json settings;
  settings["catalogue"] = catalogue.hex();
  settings["content_sample"] = content.digest().hex();
  settings["catalogue_images"] = plan.entries;
  settings["identities"] = source.identity_names().size();
  settings["seed"] = config.seed;
  settings["shard_bytes"] = config.shard_bytes;
  settings["images_per_shard"] = plan.images_per_shard;
  settings["image_size"] = plan.image_size;
  settings["resize"] = config.resize;
  settings["source_licence"] = config.source_licence;
  plan.settings = settings.dump(-1, ' ', false, Json::error_handler_t::replace);
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
      fmt::format("packing into {}: it was begun or finished with other settings: {}. Use another --out, "
                  "or remove this folder first",
                  out.string(), join(differences, "; ")));
}

void require_space(std::uint64_t available, std::uint64_t needed, const Path& out) {
  if (needed <= available) return;
  throw ConfigError(
      fmt::format("packing into {}: about {} are needed and {} are free; choose another disk or free some "
                  "space",
                  out.string(), human_bytes(needed), human_bytes(available)));
}

}  // namespace facemae
