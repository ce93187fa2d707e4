#include "cluster/mpi/mpi_communicator.h"

#include <torch/torch.h>

#include <cstring>

#include "cluster/mpi/mpi_check.h"
#include "cluster/tensors/shapes.h"

namespace facemae {

struct MpiCommunicator::Comm {
  MPI_Comm handle =
      MPI_COMM_NULL;  // freed by MPI_Finalize: MPI_Comm_free is collective, and destructors never are
  std::int64_t largest_count = 0;
};

namespace {

MPI_Datatype mpi_type(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat32:
      return MPI_FLOAT;
    case torch::kFloat64:
      return MPI_DOUBLE;
    case torch::kInt32:
      return MPI_INT32_T;
    case torch::kInt64:
      return MPI_INT64_T;
    case torch::kUInt8:
      return MPI_UINT8_T;
    case torch::kBFloat16:
      return MPI_UINT16_T;  // for our own operation
    default:
      throw Error(std::string("MPI cannot reduce tensors of type ") + torch::toString(type) +
                  "; use float32, float64, bfloat16, float16, int32, int64 or uint8");
  }
}

void add_bfloat16(void* in, void* into, int* count, MPI_Datatype* /*type*/) {
  const auto* from = static_cast<const c10::BFloat16*>(in);
  auto* to = static_cast<c10::BFloat16*>(into);
  for (int i = 0; i < *count; ++i) to[i] = static_cast<float>(to[i]) + static_cast<float>(from[i]);
}

/// Half the bytes of float32 travel; every addition rounds, as NCCL's does.
MPI_Op bfloat16_sum() {
  static const MPI_Op op = [] {
    MPI_Op made = MPI_OP_NULL;
    mpi_check(MPI_Op_create(add_bfloat16, /*commute=*/1, &made), "making an MPI operation");
    return made;
  }();
  return op;
}

MPI_Op mpi_op(Reduce op, torch::ScalarType type) {
  if (type == torch::kBFloat16) return bfloat16_sum();
  return op == Reduce::Sum ? MPI_SUM : op == Reduce::Min ? MPI_MIN : MPI_MAX;
}

/// MPI has no such numbers, and our own operation is a sum.
bool goes_through_float32(const torch::Tensor& tensor, Reduce op) {
  return tensor.scalar_type() == torch::kHalf ||
         (tensor.scalar_type() == torch::kBFloat16 && op != Reduce::Sum);
}
/// The tensor itself when MPI can reduce it where it is, else a host copy in a type that MPI has.
torch::Tensor reducible(const torch::Tensor& tensor, Reduce op) {
  auto plain = tensor.detach();
  return goes_through_float32(plain, op) ? plain.to(torch::kCPU, torch::kFloat32) : plain.to(torch::kCPU);
}
torch::Tensor empty_reducible(const torch::Tensor& like, Reduce op) {
  const auto options = like.options().device(torch::kCPU);
  return torch::empty(like.sizes(),
                      goes_through_float32(like, op) ? options.dtype(torch::kFloat32) : options);
}

/// Calls `piece(first, count)` for pieces of at most `largest`, so that no count exceeds MPI's int.
template <class Piece>
void in_pieces(std::int64_t total, std::int64_t largest, Piece piece) {
  for (std::int64_t first = 0; first < total; first += largest)
    piece(first, static_cast<int>(std::min(largest, total - first)));
}

}  // namespace

MpiCommunicator::MpiCommunicator(const std::string& name, std::chrono::milliseconds deadline,
                                 std::int64_t largest_count, torch::Device device, std::optional<int> part)
    : comm_(std::make_shared<Comm>()), device_(device), queue_(name, deadline) {
  comm_->handle = part ? part_of_world(*part) : duplicate_world();
  comm_->largest_count = largest_count;
  mpi_check(MPI_Comm_rank(comm_->handle, &rank_), "asking for the rank");
  mpi_check(MPI_Comm_size(comm_->handle, &size_), "asking for the number of ranks");
}

Work MpiCommunicator::issue(std::string what, std::function<void()> job, torch::Tensor result,
                            torch::Tensor target) {
  auto handle = queue_.push(std::move(what), std::move(job));
  return Work(
      [this, handle = std::move(handle), result = std::move(result), target = std::move(target)]() mutable {
        queue_.wait(handle);
        const torch::NoGradGuard no_grad;
        if (!result.is_same(target) && result.data_ptr() != target.data_ptr()) target.copy_(result);
      });
}

Work MpiCommunicator::all_reduce(torch::Tensor tensor, Reduce op) {
  check_tensor(tensor, device_, "all_reduce");
  auto values = reducible(tensor, op);
  const auto type = mpi_type(values.scalar_type());
  auto job = [comm = comm_, values, type, op] {
    auto* data = static_cast<char*>(values.data_ptr());
    in_pieces(values.numel(), comm->largest_count, [&](std::int64_t first, int count) {
      mpi_check(MPI_Allreduce(MPI_IN_PLACE, data + first * values.element_size(), count, type,
                              mpi_op(op, values.scalar_type()), comm->handle),
                "MPI_Allreduce");
    });
  };
  return issue(describe("all_reduce", tensor), std::move(job), values, tensor);
}

Work MpiCommunicator::all_gather(torch::Tensor out, torch::Tensor in) {
  check_parts(out, in, size_, device_, "all_gather");
  auto mine = in.detach().to(torch::kCPU);
  auto all = out.device().is_cpu() ? out : torch::empty(out.sizes(), out.options().device(torch::kCPU));
  auto job = [comm = comm_, mine, all, rank = rank_, ranks = size_] {
    const auto bytes = static_cast<std::int64_t>(mine.nbytes());
    const auto* from = static_cast<const char*>(mine.data_ptr());
    auto* to = static_cast<char*>(all.data_ptr());
    if (bytes == 0) return;
    if (bytes <= comm->largest_count) {
      const int count = static_cast<int>(bytes);
      mpi_check(MPI_Allgather(from, count, MPI_BYTE, to, count, MPI_BYTE, comm->handle), "MPI_Allgather");
      return;
    }
    // No MPI type that would make one call of it: Intel MPI 2021.19 crashes when sender's and receiver's types differ.
    std::memmove(to + rank * bytes, from, static_cast<std::size_t>(bytes));
    for (int owner = 0; owner < ranks; ++owner)
      in_pieces(bytes, comm->largest_count, [&](std::int64_t first, int count) {
        mpi_check(MPI_Bcast(to + owner * bytes + first, count, MPI_BYTE, owner, comm->handle), "MPI_Bcast");
      });
  };
  return issue(describe("all_gather", in), std::move(job), all, out);
}

Work MpiCommunicator::reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) {
  check_parts(in, out, size_, device_, "reduce_scatter");
  auto all = reducible(in, op);
  auto mine = goes_through_float32(out, op) || !out.device().is_cpu() ? empty_reducible(out, op) : out;
  const auto type = mpi_type(all.scalar_type());
  const auto operation = mpi_op(op, all.scalar_type());
  auto job = [comm = comm_, all, mine, type, operation, ranks = size_] {
    const auto elements = mine.numel(), width = static_cast<std::int64_t>(all.element_size());
    const auto* from = static_cast<const char*>(all.data_ptr());
    auto* to = static_cast<char*>(mine.data_ptr());
    if (elements == 0) return;
    if (elements <= comm->largest_count) {
      mpi_check(MPI_Reduce_scatter_block(from, to, static_cast<int>(elements), type, operation, comm->handle),
                "MPI_Reduce_scatter_block");
      return;
    }
    for (int owner = 0; owner < ranks; ++owner)
      in_pieces(elements, comm->largest_count, [&](std::int64_t first, int count) {
        mpi_check(MPI_Reduce(from + (owner * elements + first) * width, to + first * width, count, type,
                             operation, owner, comm->handle),
                  "MPI_Reduce");
      });
  };
  return issue(describe("reduce_scatter", out), std::move(job), mine, out);
}

Work MpiCommunicator::broadcast(torch::Tensor tensor, int root) {
  check_tensor(tensor, device_, "broadcast");
  check_root(root, size_);
  auto values = tensor.detach().to(torch::kCPU);
  auto job = [comm = comm_, values, root] {
    auto* data = static_cast<char*>(values.data_ptr());
    in_pieces(static_cast<std::int64_t>(values.nbytes()), comm->largest_count,
              [&](std::int64_t first, int count) {
                mpi_check(MPI_Bcast(data + first, count, MPI_BYTE, root, comm->handle), "MPI_Bcast");
              });
  };
  return issue(describe("broadcast", tensor), std::move(job), values, tensor);
}

}  // namespace facemae
