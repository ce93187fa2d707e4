#include "data/store/view_store.h"

#include <algorithm>

#include "core/error.h"

namespace facemae {

ViewStore::ViewStore(ChainLink link, std::shared_ptr<const Store> parent, SealCheck check)
    : ManifestStore(std::move(link.folder), std::move(link.manifest)), parent_(std::move(parent)) {
  read_view(folder_, manifest_, check);
  if (parent_->dataset_digest() != manifest_.parent_digest)
    throw DataError(
        fmt::format("opening the view {}: its parent store {} has digest {}, expected {}; "
                    "it has been packed again since: run `facemae store split` again",
                    folder_.string(), parent_->folder().string(), parent_->dataset_digest().hex(),
                    manifest_.parent_digest.hex()));
  const bool outside =
      check == SealCheck::Hashed && std::any_of(manifest_.rows.begin(), manifest_.rows.end(),
                                                [&](std::uint64_t row) { return row >= parent_->size(); });
  if (outside || manifest_.image_size != parent_->image_size())
    throw DataError("opening the view " + folder_.string() +
                    ": its images are not those of its parent store");
  manifest_.rows.drop_pages();
}

std::int64_t ViewStore::label(std::uint64_t row) const {
  check_row(row);
  const std::int64_t label = manifest_.labels[row];
  if (label < -1 || label >= manifest_.identities)
    throw DataError(fmt::format(
        "row {} of the view {} has the label {}, but there are {} identities: make the view again", row,
        folder_.string(), label, manifest_.identities));
  return label;
}

bool ViewStore::read_rows(std::vector<std::uint64_t> rows, RowBlock& block, ReadFigures& figures) const {
  for (auto& row : rows) row = parent_row(row);
  return parent_->read_rows(std::move(rows), block, figures);
}

}  // namespace facemae
