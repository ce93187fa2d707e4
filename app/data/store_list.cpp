// facemae store list: who and what is in a store, one line each.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/data/store_verbs.h"
#include "core/fields.h"
#include "data/image/jpeg_markers.h"
#include "data/upkeep/image_records.h"
#include "data/upkeep/store_tools.h"

namespace facemae {
namespace {

/// Prints lines to stdout and notices when that fails.
class Lines {
 public:
  void add(const std::string& line) {
    text_ += line + "\n";
    if (text_.size() >= kPiece) flush();
  }
  void flush() {
    if (std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size() || std::fflush(stdout) != 0)
      throw FileError(std::string("writing the list to stdout: ") + std::strerror(errno), errno);
    text_.clear();
  }

 private:
  static constexpr std::size_t kPiece = 1 << 20;
  std::string text_;
};

struct ListConfig {
  std::string identities;
  std::vector<std::string> image;
  std::uint64_t least = 0;
  bool images = false;
};

/// By label: those that are listed.
std::vector<bool> listed(const Store& store, const ListConfig& config) {
  std::vector<bool> labels(static_cast<std::size_t>(store.identities()), config.identities.empty());
  if (!config.identities.empty())
    for (const std::int64_t label : read_identities(store, config.identities))
      labels[static_cast<std::size_t>(label)] = true;
  for (std::size_t k = 0; k < labels.size(); ++k)
    if (store.rows_of(static_cast<std::int64_t>(k)).size() < config.least) labels[k] = false;
  if (config.least > 0 && std::find(labels.begin(), labels.end(), true) == labels.end())
    throw ConfigError(fmt::format("no identity that is asked for has {} images in {}", config.least,
                                  store.folder().string()));
  return labels;
}

nlohmann::ordered_json list_identities(const Store& store, const ListConfig& config, bool json) {
  const auto labels = listed(store, config);
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  Lines lines;
  for (std::size_t k = 0; k < labels.size(); ++k) {
    if (!labels[k]) continue;
    const auto label = static_cast<std::int64_t>(k);
    const std::string name = store.identity_name(label);
    const std::size_t images = store.rows_of(label).size();
    lines.add(fmt::format("{}\t{}\t{}", label, tsv_field(name), images));
    if (json) result.push_back({{"label", label}, {"identity", name}, {"images", images}});
  }
  lines.flush();
  return {{"identities", result}};
}

std::vector<std::uint64_t> listed_rows(const Store& store, const ImageRecords& records,
                                       const ListConfig& config) {
  if (!config.image.empty()) return rows_named(store, records, config.image, "--image");
  const auto labels = listed(store, config);
  const bool all = config.identities.empty() && config.least == 0;
  std::vector<std::uint64_t> rows;
  for (std::uint64_t row = 0; row < store.size(); ++row) {
    const std::int64_t label = store.label(row);
    if (all || (label >= 0 && labels[static_cast<std::size_t>(label)])) rows.push_back(row);
  }
  return rows;
}

std::string text_of_flags(std::optional<std::uint8_t> flags) {
  if (!flags) return "";
  return name_of_flags(*flags) + ((*flags & kFlagReencoded) != 0 ? " re-encoded" : "");
}

nlohmann::ordered_json list_images(const Store& store, const ListConfig& config, bool json) {
  const ImageRecords records(store.folder());
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  Lines lines;
  for (const std::uint64_t row : listed_rows(store, records, config)) {
    const std::int64_t label = store.label(row);
    const std::string name = store.identity_name(label), flags = text_of_flags(records.flags(row));
    const std::uint64_t bytes = records.bytes(row);
    lines.add(fmt::format("{}\t{}\t{}\t{}\t{}", row, label, tsv_field(name), bytes, flags));
    if (json)
      result.push_back(
          {{"row", row}, {"label", label}, {"identity", name}, {"bytes", bytes}, {"flags", flags}});
  }
  lines.flush();
  return {{"images", result}};
}

}  // namespace

ExitCode store_list(App& app, Words words) {
  std::vector<std::string> what;
  ListConfig config;
  Options options(
      "Lists the identities of a store, or its images: one line each on stdout, fields parted by tabs.",
      "store list STORE [OPTIONS]");
  options.positional("STORE", what, "the store", 1).at_most(1);
  options.group("List")
      .flag("images", config.images, "list images instead of identities")
      .add("image", config.image,
           "list these images: each by its row or by its source's name, IDENTITY/FILE, as in rejects.csv")
      .add("identities", config.identities, std::string(kIdentitiesHelp) + ": list these only")
      .add("min-images-per-identity", config.least, "list identities with at least so many images only");
  options.epilogue(
      "Fields of an identity: label, name, number of images. Fields of an image: row, label, identity, bytes, "
      "how it is encoded. There is no header line; tabs, newlines and backslashes in names are written as \\t, \\n "
      "and \\\\. A released store has neither names nor encodings: these fields are empty.\n"
      "A name that no image came from is refused, with what may be meant. --json holds the same, in memory.\n"
      "Examples:  facemae store list faces | sort -t$'\\t' -k3nr | head\n"
      "           facemae store list faces --image ann/1.jpg");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(config.image.empty() || (config.identities.empty() && config.least == 0),
                "--image names single images: --identities and --min-images-per-identity do not go with it");
  if (!options.finish()) return ExitCode::Done;
  app.alone("store list");
  const bool json = !app.common.json.empty(), images = config.images || !config.image.empty();
  // The list of identities has a seal of its own: the index of the images need not be hashed for it.
  const auto store =
      Store::open(what[0], real_inputs(), {}, images ? SealCheck::Hashed : SealCheck::Unhashed);
  app.result(images ? list_images(*store, config, json) : list_identities(*store, config, json));
  return ExitCode::Done;
}

}  // namespace facemae
