#pragma once
// Finds out which columns of a list hold the path of an image and whose it is.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace facemae {

/// Which fields of a row (or column of a list) are used.
struct ListColumns {
  std::size_t path = 0, label = 1, count = 2;  ///< count: fields of a row
  std::string note = {};  ///< what to tell about the choice; "" when all columns are used
};

/// By the names of a header, in any case and with any of "_", "-" and blanks in them; nullopt when no field is
/// such a name: the row is no header that is understood. Throws DataError that begins with `place`, with what
/// was found and the names that are understood, when one of both columns is missing or could be several.
std::optional<ListColumns> columns_of_header(const std::vector<std::string>& names, const std::string& place);

/// By the first row of a list without header: "path label", MXNet's "index label path" and InsightFace's
/// "aligned path label [box [landmarks]]", these parted by tabs. Throws DataError that begins with `place` for
/// anything else, so that an unknown header is not taken for an image: the path must end as pictures do.
ListColumns columns_of_first_row(const std::vector<std::string>& fields, bool tabs, const std::string& place);

}  // namespace facemae
