#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/log.h"
#include "data/release.h"
#include "data/release_ledger.h"

namespace facemae {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

Path whole_path(const Path& path) {
  const Path whole = fs::weakly_canonical(fs::absolute(path));
  return whole.has_filename() ? whole : whole.parent_path();  // without a trailing slash
}

bool inside(const Path& inner, const Path& outer) {
  const auto [in, out] = std::mismatch(inner.begin(), inner.end(), outer.begin(), outer.end());
  (void)in;
  return out == outer.end();
}

void fill_random(void* bytes, std::size_t count) {
  auto* at = static_cast<unsigned char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::getrandom(at, count, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw Error(std::string("asking the system for random bytes: ") + std::strerror(errno));
    at += n;
    count -= static_cast<std::size_t>(n);
  }
}

std::string random_uuid() {
  std::array<std::uint8_t, 16> b{};
  fill_random(b.data(), b.size());
  b[6] = static_cast<std::uint8_t>((b[6] & 0x0F) | 0x40);  // RFC 4122, version 4
  b[8] = static_cast<std::uint8_t>((b[8] & 0x3F) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", b[i]);
  }
  return text;
}

Path secret_path(const Path& folder, const std::string& uuid) {
  return folder / ("secret-" + uuid + ".json");
}

ReleaseSecret load_secret(const Path& folder, const std::string& uuid) {
  const Path path = secret_path(folder, uuid);
  try {
    const json j = json::parse(read_file(path));
    return {.mask_seed = j.at("mask_seed"),
            .label_seed = j.at("label_seed"),
            .order_seed = j.at("order_seed"),
            .uuid = j.at("uuid"),
            .source_digest = j.at("source_digest"),
            .out = j.at("out")};
  } catch (const json::exception& error) {
    throw DataError("reading the secret of an interrupted release in " + path.string() + ": " + error.what() +
                    "; restore it, or begin a second release into another folder");
  }
}

void store_secret(FileSystem& files, const Path& folder, const ReleaseSecret& s) {
  const json j{{"mask_seed", s.mask_seed}, {"label_seed", s.label_seed},       {"order_seed", s.order_seed},
               {"uuid", s.uuid},           {"source_digest", s.source_digest}, {"out", s.out}};
  write_durably(files, secret_path(folder, s.uuid), j.dump(2) + "\n");
}

void make_private(FileSystem& files, const Path& folder) {
  make_folders(files, folder.parent_path());
  files.make_folder(folder);
  std::error_code failed;
  fs::permissions(folder, fs::perms::owner_all, fs::perm_options::replace, failed);
  if (failed || (fs::status(folder).permissions() & fs::perms::mask) != fs::perms::owner_all) {
    throw ConfigError("making " + folder.string() + " private (mode 0700) failed: " + failed.message() +
                      "; give a folder of your own on a file system with permissions");
  }
  files.sync_folder(folder.parent_path());
}

}  // namespace

std::vector<LedgerEntry> read_ledger(const Path& folder) {
  const Path path = folder / "ledger.jsonl";
  std::vector<LedgerEntry> entries;
  if (!fs::exists(path)) return entries;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    try {
      const json j = json::parse(line);
      entries.push_back({.dataset = j.at("dataset"),
                         .out = j.at("out"),
                         .uuid = j.at("uuid"),
                         .reason = j.at("reason"),
                         .finished = j.at("finished")});
    } catch (const json::exception& error) {
      throw DataError("the ledger of releases " + path.string() + " is damaged (" + error.what() +
                      "): restore it; without it nobody knows what was released");
    }
  }
  return entries;
}

void write_ledger(FileSystem& files, const Path& folder, const std::vector<LedgerEntry>& entries) {
  std::string text;
  for (const LedgerEntry& e : entries) {
    text += json{{"dataset", e.dataset},
                 {"out", e.out},
                 {"uuid", e.uuid},
                 {"reason", e.reason},
                 {"finished", e.finished}}
                .dump() +
            "\n";
  }
  write_durably(files, folder / "ledger.jsonl", text);
}

ReleaseSecret open_private(FileSystem& files, const Path& folder, const Path& out, const Store& source,
                           const std::string& second_release_reason) {
  const Path secret_folder = whole_path(folder), released = whole_path(out);
  if (inside(secret_folder, released) || inside(released, secret_folder)) {
    throw ConfigError(
        "the private folder " + folder.string() + " and the release " + out.string() +
        " lie inside each other: whoever gets the release would get its secret; choose separate folders");
  }
  make_private(files, secret_folder);
  auto entries = read_ledger(secret_folder);
  const std::string digest = source.dataset_digest().hex();
  bool earlier = false;
  for (const LedgerEntry& entry : entries) {
    if (entry.dataset != digest) continue;
    if (entry.out == released.string()) return load_secret(secret_folder, entry.uuid);
    earlier = true;
  }
  if (earlier && second_release_reason.empty()) {
    throw ReleaseRefused(
        "releasing " + source.folder().string() + " again: the ledger " +
        (secret_folder / "ledger.jsonl").string() +
        " has a release of the same images. Two releases of one face together reveal more than one. "
        "Give --second-release REASON when that is meant");
  }
  // Only what is written from now on may be in the release.
  if (fs::exists(released) && !(fs::is_directory(released) && fs::is_empty(released))) {
    throw ConfigError("beginning a release in " + out.string() +
                      ": it is there already and not empty; choose a new folder");
  }
  ReleaseSecret secret;
  fill_random(&secret.mask_seed, sizeof secret.mask_seed);
  fill_random(&secret.label_seed, sizeof secret.label_seed);
  fill_random(&secret.order_seed, sizeof secret.order_seed);
  secret.uuid = random_uuid();
  secret.source_digest = digest;
  secret.out = released.string();
  // The secret first: an entry in the ledger always has one.
  store_secret(files, secret_folder, secret);
  entries.push_back({.dataset = digest,
                     .out = released.string(),
                     .uuid = secret.uuid,
                     .reason = earlier ? second_release_reason : "",
                     .finished = false});
  write_ledger(files, secret_folder, entries);
  return secret;
}

}  // namespace facemae
