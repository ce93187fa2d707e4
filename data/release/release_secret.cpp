#include "data/release/release_secret.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace facemae {
namespace {

using nlohmann::json;

std::string secret_name(const std::string& uuid) { return "secret-" + uuid + ".json"; }

}  // namespace

std::string to_text(const ReleaseSecret& secret) {
  json j{{"version", 2},
         {"key", secret.key.hex()},
         {"uuid", secret.uuid},
         {"source_digest", secret.source_digest},
         {"out", secret.out}};
  if (secret.masks) j["mask_key"] = secret.masks->hex();
  return j.dump(2) + "\n";
}

ReleaseSecret secret_from_text(const std::string& text, const std::string& origin) {
  try {
    const json j = json::parse(text);
    if (j.contains("mask_seed"))
      throw ConfigError(
          "the release whose secret is " + origin +
          " was begun by an older version of facemae with 64-bit seeds, which this version cannot continue: finish it with that version, or rebuild into another --out and say why with --second-release");
    ReleaseSecret secret{.key = SecretKey::from_hex(j.at("key")),
                         .uuid = j.at("uuid"),
                         .source_digest = j.at("source_digest"),
                         .out = j.at("out"),
                         .masks = {}};
    if (j.contains("mask_key")) secret.masks = SecretKey::from_hex(j.at("mask_key"));
    return secret;
  } catch (const json::exception& error) {
    throw DataError("reading the secret of a release in " + origin + ": " + error.what() +
                    "; restore it, or begin a second release into another folder");
  }
}

ReleaseSecret load_secret(const PrivateFolder& folder, const std::string& uuid) {
  return secret_from_text(folder.read(secret_name(uuid)), (folder.path() / secret_name(uuid)).string());
}

void store_secret(PrivateFolder& folder, const ReleaseSecret& secret) {
  folder.write(secret_name(secret.uuid), to_text(secret));
}

}  // namespace facemae
