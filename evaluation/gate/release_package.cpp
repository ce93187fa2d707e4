#include "evaluation/gate/release_package.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/program_version.h"
#include "data/release/release.h"
#include "data/release/release_ledger.h"
#include "data/release/release_originals.h"
#include "data/store/manifest.h"
#include "evaluation/gate/datasheet.h"
#include "evaluation/gate/sha256.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

LedgerEntry entry_of(const PrivateFolder& folder, const std::string& uuid) {
  for (const LedgerEntry& entry : read_ledger(folder))
    if (entry.uuid == uuid) {
      if (entry.finished) return entry;
      throw ConfigError("the ledger in " + folder.path().string() +
                        " says that this release was not finished: run `facemae reconstruct` to its end");
    }
  throw ConfigError("the ledger in " + folder.path().string() +
                    " does not know this release: --private is not the folder that it was made with");
}

/// What the release was begun with.
nlohmann::json settings_of(const PrivateFolder& folder, const std::string& uuid) {
  const std::string name = "settings-" + uuid + ".json";
  if (!folder.has(name)) return nlohmann::json::object();  // of an older version, which made no such file
  try {
    return nlohmann::json::parse(folder.read(name));
  } catch (const nlohmann::json::exception& error) {
    throw DataError((folder.path() / name).string() + " is damaged: " + error.what() + "; restore it");
  }
}

/// Which other releases in the ledger show photos of this one: any before it, any at all. One of an older version, which
/// listed none, may do; one that was never finished has left nobody's hands.
struct OtherReleases {
  bool earlier = false, any = false;
};
OtherReleases others_of_its_photos(const PrivateFolder& folder, const LedgerEntry& release) {
  OtherReleases found;
  bool before = true;
  std::optional<std::vector<Hash256>> own;
  if (release.images) own = read_originals(folder, release.uuid, *release.images);
  for (const LedgerEntry& other : read_ledger(folder)) {
    if (other.uuid == release.uuid) {
      before = false;
      continue;
    }
    if (!other.finished) continue;
    bool shared = !own || !other.images;
    if (!shared) {
      const auto theirs = read_originals(folder, other.uuid, *other.images);
      shared = std::any_of(own->begin(), own->end(), [&](const Hash256& photo) {
        return std::binary_search(theirs.begin(), theirs.end(), photo);
      });
    }
    found.any = found.any || shared;
    found.earlier = found.earlier || (shared && before);
  }
  return found;
}

/// mu of a release of noisy codes ("mu:1"), 0 of all others.
double noise_in(const nlohmann::json& settings) {
  const std::string noise = settings.value("code_noise", "");
  return noise.rfind("mu:", 0) == 0 ? std::stod(noise.substr(3)) : 0;
}

void check_report(const PackageConfig& config, const Candidate& candidate) {
  const Path report = Path(config.audit) / "report.json", store = Path(config.released) / kManifestName;
  if (candidate.findings.release_digest != candidate.dataset_digest)
    throw ConfigError(fmt::format("{} is of the release {}, but --released is {}: audit this very release",
                                  report.string(), candidate.findings.release_digest,
                                  candidate.dataset_digest));
  if (fs::last_write_time(report) < fs::last_write_time(store))
    throw ConfigError(report.string() + " is older than the release: audit what will be released");
  for (const std::string& caption : candidate.findings.pictures) {
    if (candidate.policy.pictures == "none")
      throw ConfigError(
          "the report shows pictures, and the policy wants none in it: run the audit with --pictures none");
    if (caption != "rebuilt")
      throw ConfigError("the report shows real faces (\"" + caption +
                        "\"): run the audit with --pictures released");
  }
}

/// A file of a finished store never changes: a second name costs nothing. Other file systems get a copy.
void link_or_copy(const Path& from, const Path& to) {
  std::error_code refused;
  fs::create_hard_link(from, to, refused);
  if (refused) fs::copy_file(from, to);
}

/// Only what the manifest names: nothing that lies in the folder by chance.
void pack_store(FileSystem& files, const Path& from, const Path& to) {
  const StoreManifest manifest = read_manifest(from);
  make_folders(files, to);
  link_or_copy(from / kManifestName, to / kManifestName);
  for (const ShardInfo& shard : manifest.shards) link_or_copy(from / shard.file, to / shard.file);
  for (const Companion& companion : manifest.companions)
    link_or_copy(from / companion.file, to / companion.file);
  if (!fs::exists(to / kReadableName) && fs::exists(from / kReadableName))
    link_or_copy(from / kReadableName, to / kReadableName);
}

/// The page with the verdict above all else.
std::string with_banner(std::string page, const std::string& verdict) {
  const auto body = page.find("<body>");
  if (body == std::string::npos) throw DataError("report.html has no body: run the audit again");
  std::string safe;
  for (const char letter : verdict)
    safe += letter == '<'   ? "&lt;"
            : letter == '>' ? "&gt;"
            : letter == '&' ? "&amp;"
                            : std::string(1, letter);
  return page.insert(body + 6, "\n<div class=\"warning\" role=\"alert\">Verdict: " + safe + "</div>\n");
}

/// What each person's trials found stays with whoever made the audit: of somebody with a rare number of photos the lists
/// tell whether they were found, and of a blend with whom they are in one class.
std::string without_people(const std::string& report) {
  auto json = nlohmann::json::parse(report);
  if (json.contains("measurements"))
    for (auto& measurement : json.at("measurements"))
      for (const char* list : {"hits", "trials", "together"}) measurement.erase(list);
  return json.dump(2) + "\n";
}

nlohmann::ordered_json release_json(const Candidate& candidate, const PackageConfig& config) {
  nlohmann::ordered_json despite = nullptr;
  if (candidate.verdict.ruling != Ruling::Pass)
    despite = {{"reason", config.despite}, {"responsible", config.responsible}};
  const nlohmann::ordered_json verdict = to_json(candidate.verdict);
  return {
      {"facemae_release", 1},
      {"verdict", stated_verdict(candidate, config)},
      {"released_despite", despite},
      {"recipient", candidate.policy.recipient},
      {"valid_until", candidate.policy.valid_until},
      {"policy", {{"name", candidate.policy.name}, {"digest", candidate.policy.digest}}},
      {"report_digest", candidate.findings.digest},
      {"store",
       {{"uuid", candidate.uuid},
        {"dataset_digest", candidate.dataset_digest},
        {"images", candidate.images},
        {"identities", candidate.identities},
        {"image_size", candidate.image_size}}},
      {"licence", {{"source", candidate.source_licence}, {"statement", candidate.policy.licence_statement}}},
      {"headline", nlohmann::ordered_json(candidate.findings.headline)},
      {"figures", verdict.at("rows")},
      {"made", {{"date", candidate.today}, {"software", "facemae " + program_version()}}}};
}

}  // namespace

Candidate judge_release(const PackageConfig& config, const PrivateFolder& folder, const std::string& today) {
  Candidate candidate{.policy = read_policy(config.policy)};
  const StoreManifest manifest = read_manifest(config.released);
  if (manifest.kind != StoreManifest::Kind::Store || !manifest.released)
    throw ConfigError("--released " + config.released +
                      " is not a release: give the store that `facemae reconstruct` made, not a view of it");
  candidate.uuid = manifest.uuid;
  candidate.dataset_digest = manifest.dataset_digest.hex();
  candidate.source_licence = manifest.source_licence;
  candidate.images = manifest.images;
  candidate.identities = manifest.identities;
  candidate.image_size = manifest.image_size;
  candidate.today = today;
  const Path report = Path(config.audit) / "report.json";
  candidate.findings = findings_from(read_plain_file(report), report.string());
  check_report(config, candidate);
  const LedgerEntry entry = entry_of(folder, manifest.uuid);
  const nlohmann::json settings = settings_of(folder, manifest.uuid);
  if (settings.contains("baseline"))
    throw ConfigError(fmt::format(
        "--released {} was made by `reconstruct --baseline {}`, to be compared with rebuilt faces: it is never packed",
        config.released, settings.at("baseline").get<std::string>()));
  const OtherReleases others = others_of_its_photos(folder, entry);
  candidate.verdict = judge(candidate.policy, candidate.findings,
                            {.today = today,
                             .source_licence = candidate.source_licence,
                             .noted_policy = entry.policy,
                             .partition = entry.partition,
                             .second_release = others.earlier,
                             .only_release = !others.any,
                             .code_noise = noise_in(settings)});
  return candidate;
}

std::string stated_verdict(const Candidate& candidate, const PackageConfig& config) {
  std::string verdict = name_of(candidate.verdict.ruling);
  if (candidate.verdict.ruling == Ruling::Pass) return verdict;
  return fmt::format("{}, released on the responsibility of {}: {}", verdict, config.responsible,
                     config.despite);
}

void write_package(FileSystem& files, const PackageConfig& config, const Candidate& candidate) {
  const Path out = config.out, making = out.string() + ".partial";
  if (fs::exists(out))
    throw ConfigError("--out " + out.string() + " is there already: a package is made anew, never changed");
  fs::remove_all(making);  // of a start that was killed
  make_folders(files, making / "report");
  pack_store(files, config.released, making / "store");
  const Path audit = config.audit;
  const std::string verdict = stated_verdict(candidate, config);
  write_durably(files, making / "report/report.json", without_people(read_plain_file(audit / "report.json")));
  write_durably(files, making / "report/report.html",
                with_banner(read_plain_file(audit / "report.html"), verdict));
  write_durably(files, making / "policy.json", read_file(config.policy));
  write_durably(files, making / "RELEASE.json", release_json(candidate, config).dump(2) + "\n");
  write_durably(files, making / "DATASHEET.md", datasheet(candidate, verdict));
  write_durably(files, making / "SHA256SUMS", sha256_sums(making));
  files.rename(making, out);
  files.sync_folder(fs::absolute(out).parent_path());
}

}  // namespace facemae
