// Lists of verification pairs (evaluation/formats/pair_list.h).
#include "evaluation/formats/pair_list.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {

void parse(std::string_view input) {
  const ListedPairs list = parse_pair_list(input, "pairs");
  require(list.folds > 0 && !list.pairs.empty(), "there are pairs and folds");
  for (const auto& pair : list.pairs)
    require(pair.first < list.images.size() && pair.second < list.images.size(), "each name is listed");
}

std::vector<std::string> seeds() {
  return {"# facemae pairs: folds 2, store 00112233445566778899aabbccddeeff\n0 1 1\n0 5 0\n2 3 1\n3 7 0\n",
          "a/1.jpg a/2.jpg 1\r\na/1.jpg b/1.jpg 0\r\n",
          "# a comment\n\n18446744073709551615 0 0\n",
          "2\t1\nAnn\t1\t2\nAnn\t1\tBo\t3\nBo\t3\t1\nBo\t1\tCy\t12\n",
          "Ann 1 2\nBo 3 1\nAnn 1 Bo 3\nBo 1 Cy 12\n",
          "a.jpg 1\nb.jpg 1\nc.jpg 2\nd.jpg 2\na.jpg 0\nc.jpg 0\nb.jpg 0\nd.jpg 0\n",
          ",path1,path2,same\n0,\"a, \"\"1\"\".jpg\",b.jpg,1\n1,a.jpg,c.jpg,-1\n",
          "name,imagenum1,imagenum2,\nAnn,1,4,\nAnn,1,Bo,2\n"};
}

}  // namespace facemae::fuzz
