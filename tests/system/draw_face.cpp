// Writes one procedural face as JPEG: input for the tests of the whole program.
#include "core/files/files.h"
#include "data/image/image.h"
#include "data/synth/synth.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto jpeg = facemae::encode_jpeg(facemae::render_face(1, 2, 3));
  facemae::write_durably(facemae::real_files(), argv[1], facemae::Bytes(jpeg));
  return 0;
}
