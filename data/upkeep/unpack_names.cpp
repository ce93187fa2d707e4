#include "data/upkeep/unpack_names.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr const char* kUnlabelled = "unlabelled";

std::size_t digits_for(std::uint64_t count) { return std::to_string(count == 0 ? 0 : count - 1).size(); }

}  // namespace

UnpackNames::UnpackNames(const Store& store)
    : store_(store),
      identity_width_(digits_for(static_cast<std::uint64_t>(store.identities()))),
      row_width_(digits_for(store.size())) {
  for (std::uint64_t row = 0; row < store.size(); ++row)
    if (store.label(row) < 0) unlabelled_.push_back(row);
  std::uint64_t most = unlabelled_.size();
  std::unordered_set<std::string> seen;
  if (!unlabelled_.empty()) seen.insert(kUnlabelled);
  for (std::int64_t label = 0; label < store.identities(); ++label) {
    most = std::max<std::uint64_t>(most, store.rows_of(label).size());
    const std::string name = identity(label);
    if (name == "." || name == ".." || name.size() > 255 || name.find('/') != name.npos ||
        name.find('\0') != name.npos)
      throw DataError(
          fmt::format("unpacking {}: identity {} is called \"{}\", which cannot be the name of a folder",
                      store.folder().string(), label, name));
    if (!seen.insert(name).second)
      throw DataError(
          fmt::format("unpacking {}: two identities are called \"{}\"", store.folder().string(), name));
  }
  number_width_ = digits_for(most);
}

std::string UnpackNames::identity(std::int64_t label) const {
  if (label < 0) return kUnlabelled;
  const std::string name = store_.identity_name(label);
  return name.empty() ? fmt::format("{:0{}}", label, identity_width_) : name;
}
std::string UnpackNames::number(std::uint64_t within_identity) const {
  return fmt::format("{:0{}}", within_identity, number_width_);
}
std::string UnpackNames::row(std::uint64_t row) const { return fmt::format("{:0{}}", row, row_width_); }

std::span<const std::uint64_t> UnpackNames::rows_of(std::int64_t label) const {
  return label < 0 ? std::span<const std::uint64_t>(unlabelled_) : store_.rows_of(label);
}

std::string image_ending(Bytes image) {
  return image.size() >= 2 && image[0] == std::byte{0x89} && image[1] == std::byte{'P'} ? ".png" : ".jpg";
}

}  // namespace facemae
