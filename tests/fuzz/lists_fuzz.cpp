// Texts that come with a set of images: lists of paths and labels (data/source/source.h), and of landmarks
// (data/image/landmarks.h). Each input is read as both.
#include "core/error.h"
#include "data/image/landmarks.h"
#include "data/source/source.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

void read_landmarks(std::string_view input) {
  const Landmarks landmarks = Landmarks::parse(input, "input");
  require(landmarks.size() > 0, "a list without landmarks is refused");
  for (std::size_t row = 0; row < landmarks.size(); ++row) landmarks.points(row, 112, 112);
  landmarks.find("a.jpg");
}
void read_list(std::string_view input) {
  static InputPath file;
  const auto source = list_source({file.holding(input)});
  for (std::uint64_t entry = 0; entry < source->size(); ++entry) {
    const auto label = source->label(entry);
    require(label >= 0 && static_cast<std::uint64_t>(label) < source->identities(),
            "a label has an identity");
    source->name(entry);
  }
}

}  // namespace

void parse(std::string_view input) {
  try {
    read_landmarks(input);
  } catch (const Error&) {
    read_list(input);
  }
}

std::vector<std::string> seeds() {
  return {"path,label\nann/1.jpg,3\nbob/1.jpg,12\n",
          "# a comment\nann/1.jpg Ann\r\nbob/2.png Bob\n",
          "2\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x "
          "rightmouth_y\n"
          "000001.jpg 69 109 106 113 77 142 73 152 108 154\n",
          "idx,ldmk_0,ldmk_1,ldmk_2,ldmk_3,ldmk_4,ldmk_5,ldmk_6,ldmk_7,ldmk_8,ldmk_9\n0,.3,.4,.6,.4,.5,.6,."
          "35,.8,.6,.8\n",
          "a.jpg 1 2 .9 3 4 .9 5 6 .9 7 8 .9 9 1e1 .9\n",
          "\xEF\xBB\xBFid;Image Path;label\r\n1;\"a; b.jpg\";\"Ann \"\"A\"\" Lee\"\r\n",
          "0\t10.000000\tann/1.jpg\n1\t2.000000\tbob/1.jpg\n",
          "1\tann/1.jpg\t10\r1\tbob/1.jpg\t2\r",
          "NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y\n\"n1/1_01\",1,2,3,4,5,6,7,8,9,10\n"};
}

}  // namespace facemae::fuzz
