#pragma once
// What sources have in common whose names are in a catalogue.
#include <utility>

#include "data/source/catalogue.h"
#include "data/source/source.h"

namespace facemae {

class CataloguedSource : public ImageSource {
 public:
  explicit CataloguedSource(Catalogue catalogue) : catalogue_(std::move(catalogue)) {}
  std::uint64_t identities() const override { return catalogue_.identities(); }
  std::string identity_name(std::uint64_t label) const override {
    return std::string(catalogue_.identity_name(label));
  }
  std::uint64_t size() const override { return catalogue_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return catalogue_.label(entry); }
  std::string name(std::uint64_t entry) const override { return catalogue_.name(entry); }
  Hash128 digest() const override { return catalogue_.digest(); }

 protected:
  const std::vector<ListedPart>& parts() const { return catalogue_.listed().parts; }
  /// The folder, archive or list that holds an image.
  const Path& part_of(std::uint64_t entry) const { return parts().at(catalogue_.part(entry)).path; }
  Catalogue catalogue_;
};

}  // namespace facemae
