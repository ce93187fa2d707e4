// The whole program on the stand-in accelerator: the tests of tests/system run with it as they are.
#include "app/program.h"
#include "tests/rehearsal/stage.h"

int main(int argc, char** argv) {
  facemae::rehearsal::Stage stage;
  return facemae::run_program(stage.back_ends(), stage.gpus(), {argv + 1, argv + argc});
}
