// The `facemae` program: its GPUs are CUDA's, and tensors go between the ranks over NCCL or MPI.
#include "app/program.h"
#include "cluster/mpi/mpi_back_end.h"
#include "cluster/nccl/nccl_back_end.h"

int main(int argc, char** argv) {
  using namespace facemae;
  return run_program({nccl_back_end(), mpi_back_end()},  // the best first
                     cuda_accelerator(), {argv + 1, argv + argc});
}
