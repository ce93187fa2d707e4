#pragma once
// One number for all names and labels of a set of images: part of the identity of the store that is packed from it.
#include <string_view>

#include "core/checksum.h"

namespace facemae {

/// Takes the number of identities, their names in order, then label and name of each image in order.
class NamesDigest {
 public:
  explicit NamesDigest(std::uint64_t identities) { hasher_.add_value(identities); }
  void identity(std::string_view name) { add(name); }
  void image(std::int64_t label, std::string_view name) {
    hasher_.add_value(label);
    add(name);
  }
  Hash128 digest() const { return hasher_.digest(); }

 private:
  void add(std::string_view text) {
    hasher_.add_value(static_cast<std::uint64_t>(text.size()));
    hasher_.add(std::as_bytes(std::span(text)));
  }
  Hasher hasher_;
};

}  // namespace facemae
