// Preloaded into the program: counts the blocking collectives of MPI, which are those of tensors, and their bytes, as
// bench/model_costs.py does (of the larger buffer). Rank 0 says so on stderr when MPI ends.
#include <mpi.h>

#include <atomic>
#include <cstdio>
#include <initializer_list>

namespace {

struct Count {
  const char* verb;
  std::atomic<long> calls = 0, bytes = 0;
  void add(long count, MPI_Datatype type) {
    int size = 0;
    PMPI_Type_size(type, &size);
    ++calls;
    bytes += count * size;
  }
};
Count all_reduce{"all_reduce"}, all_gather{"all_gather"}, reduce_scatter{"reduce_scatter"};

int size_of(MPI_Comm ranks) {
  int size = 0;
  PMPI_Comm_size(ranks, &size);
  return size;
}

}  // namespace

extern "C" {

int MPI_Allreduce(const void* from, void* to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm ranks) {
  all_reduce.add(count, type);
  return PMPI_Allreduce(from, to, count, type, op, ranks);
}

int MPI_Allgather(const void* from, int sent, MPI_Datatype sent_type, void* to, int count, MPI_Datatype type,
                  MPI_Comm ranks) {
  all_gather.add(long{count} * size_of(ranks), type);
  return PMPI_Allgather(from, sent, sent_type, to, count, type, ranks);
}

int MPI_Reduce_scatter_block(const void* from, void* to, int count, MPI_Datatype type, MPI_Op op,
                             MPI_Comm ranks) {
  reduce_scatter.add(long{count} * size_of(ranks), type);
  return PMPI_Reduce_scatter_block(from, to, count, type, op, ranks);
}

int MPI_Finalize() {
  int rank = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (const auto* count : {&all_reduce, &all_gather, &reduce_scatter})
    if (rank == 0)
      std::fprintf(stderr, "counted %s %ld %ld\n", count->verb, count->calls.load(), count->bytes.load());
  return PMPI_Finalize();
}
}
