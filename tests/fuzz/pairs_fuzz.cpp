// Lists of verification pairs (data/upkeep/store_tools.h): with rows of a store, and with names of files.
#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {

void parse(std::string_view input) {
  static InputPath file;
  const Path& path = file.holding(input);
  std::vector<std::string> names;
  const PairList named = read_pairs(path, &names);
  require(named.folds > 0 && named.pairs.size() % static_cast<std::size_t>(named.folds) == 0,
          "folds divide the pairs");
  for (const Pair& pair : named.pairs)
    require(pair.a < names.size() && pair.b < names.size(), "each name is listed");
  try {
    const PairList rows = read_pairs(path);
    require(rows.pairs.size() == named.pairs.size(), "both readings see the same lines");
  } catch (const DataError&) {  // names need not be numbers
  }
}

std::vector<std::string> seeds() {
  return {"# facemae pairs: folds 2, store 00112233445566778899aabbccddeeff\n0 1 1\n0 5 0\n2 3 1\n3 7 0\n",
          "a/1.jpg a/2.jpg 1\r\na/1.jpg b/1.jpg 0\r\n", "# a comment\n\n18446744073709551615 0 0\n"};
}

}  // namespace facemae::fuzz
