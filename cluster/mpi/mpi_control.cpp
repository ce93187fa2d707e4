#include "cluster/mpi/mpi_control.h"

#include <algorithm>
#include <numeric>
#include <thread>

#include "cluster/mpi/mpi_check.h"
#include "core/text.h"

namespace facemae {

struct MpiControl::Comm {
  MPI_Comm handle = MPI_COMM_NULL;
};

struct MpiControl::Call {
  std::vector<MPI_Request> requests;
  std::uint64_t number = 0, result = 0;
  std::vector<std::uint64_t> lengths;
  std::vector<std::string> texts;
  MPI_Request* add() { return &requests.emplace_back(MPI_REQUEST_NULL); }
};

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 30;  // bytes in one MPI call, whose counts are int
constexpr int kTag = 1;
constexpr int kFirstRollCall = 2,
              kRollCalls = 1000;  // a tag for each, so that who is late does not answer the next one

/// Calls `piece(data, count, index)` for pieces that MPI can count.
template <class Piece>
void in_pieces(std::string& text, Piece piece) {
  for (std::size_t first = 0; first < text.size(); first += kPiece)
    piece(text.data() + first, static_cast<int>(std::min(kPiece, text.size() - first)));
}

/// Waits a little longer each time: votes are fast, and a rank that waits long leaves its core to others.
class Patience {
 public:
  void pause() {
    if (++pauses_ < 2000) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(std::min(1000, pauses_ / 40)));
    }
  }

 private:
  int pauses_ = 0;
};

}  // namespace

MpiControl::MpiControl(std::chrono::milliseconds limit) : comm_(std::make_unique<Comm>()), limit_(limit) {
  comm_->handle = duplicate_world();
  mpi_check(MPI_Comm_rank(comm_->handle, &rank_), "asking for the rank");
  mpi_check(MPI_Comm_size(comm_->handle, &size_), "asking for the number of ranks");
}

MpiControl::~MpiControl() = default;  // MPI_Finalize frees the communicator: MPI_Comm_free is collective

void MpiControl::complete(const std::string& what, const std::shared_ptr<Call>& call,
                          std::chrono::milliseconds limit, const std::function<void(Call&)>& start) {
  if (!lost_.empty()) throw PeerLost("control " + what + " was called after a failure: " + lost_);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  try {
    start(*call);
    Patience patience;
    while (true) {
      int done = 0;
      mpi_check(MPI_Testall(static_cast<int>(call->requests.size()), call->requests.data(), &done,
                            MPI_STATUSES_IGNORE),
                "control " + what);
      if (done) return;
      if (std::chrono::steady_clock::now() >= deadline)
        throw PeerLost("control call #" + std::to_string(operations_->pushed()) + " (" + what + ", rank " +
                       std::to_string(rank_) + " of " + std::to_string(size_) + ") did not finish within " +
                       human_seconds(std::chrono::duration<double>(limit).count()) +
                       "; a rank is lost or did not enter it; see the logs of the other ranks");
      patience.pause();
    }
  } catch (const PeerLost& error) {
    lost_ = error.what();
    // MPI may still write into the buffers of requests that never complete: they must stay
    // for the process's life.
    new std::shared_ptr<Call>(call);  // NOLINT(bugprone-unused-raii)
    throw;
  }
}

std::string MpiControl::broadcast(std::string from_root, int root) {
  const std::string what = "broadcast from rank " + std::to_string(root);
  const OngoingOperation ongoing(*operations_, what);
  auto length = std::make_shared<Call>();
  length->number = from_root.size();
  complete(what, length, limit_, [&](Call& call) {
    mpi_check(MPI_Ibcast(&call.number, 1, MPI_UINT64_T, root, comm_->handle, call.add()), "MPI_Ibcast");
  });
  auto body = std::make_shared<Call>();
  body->texts.push_back(std::move(from_root));
  body->texts[0].resize(length->number);
  body->requests.reserve(body->texts[0].size() / kPiece + 1);
  complete(what, body, limit_, [&](Call& call) {
    in_pieces(call.texts[0], [&](char* data, int count) {
      mpi_check(MPI_Ibcast(data, count, MPI_BYTE, root, comm_->handle, call.add()), "MPI_Ibcast");
    });
  });
  return std::move(body->texts[0]);
}

std::vector<std::string> MpiControl::gather(const std::string& mine, int root) {
  const std::string what = "gather to rank " + std::to_string(root);
  const OngoingOperation ongoing(*operations_, what);
  auto length = std::make_shared<Call>();
  length->number = mine.size();
  length->lengths.resize(static_cast<std::size_t>(size_));
  complete(what, length, limit_, [&](Call& call) {
    // NOLINTNEXTLINE(mpi-type-mismatch): it does not see that std::uint64_t is unsigned long
    mpi_check(MPI_Igather(&call.number, 1, MPI_UINT64_T, call.lengths.data(), 1, MPI_UINT64_T, root,
                          comm_->handle, call.add()),
              "MPI_Igather");
  });
  auto body = std::make_shared<Call>();
  if (rank_ == root) {
    body->texts.resize(static_cast<std::size_t>(size_));
    for (std::size_t r = 0; r < body->texts.size(); ++r) body->texts[r].resize(length->lengths[r]);
    body->texts[static_cast<std::size_t>(root)] = mine;
  } else {
    body->texts.push_back(mine);
  }
  complete(what, body, limit_, [&](Call& call) {
    for (int r = 0; r < static_cast<int>(call.texts.size()); ++r) {
      if (rank_ == root && r == root) continue;
      in_pieces(call.texts[static_cast<std::size_t>(r)], [&](char* data, int count) {
        if (rank_ == root) {
          mpi_check(MPI_Irecv(data, count, MPI_BYTE, r, kTag, comm_->handle, call.add()), "MPI_Irecv");
        } else {
          mpi_check(MPI_Isend(data, count, MPI_BYTE, root, kTag, comm_->handle, call.add()), "MPI_Isend");
        }
      });
    }
  });
  if (rank_ != root) return {};
  return std::move(body->texts);
}

std::vector<std::optional<std::string>> MpiControl::roll_call(const std::string& mine,
                                                              std::chrono::milliseconds limit) {
  const OngoingOperation ongoing(*operations_, "roll call");
  const int tag = kFirstRollCall + roll_calls_++ % kRollCalls;
  if (rank_ != 0) {
    auto answer = std::make_shared<Call>();
    answer->texts.push_back(mine);
    complete("roll call", answer, limit, [&](Call& call) {
      mpi_check(MPI_Isend(call.texts[0].data(), static_cast<int>(call.texts[0].size()), MPI_BYTE, 0, tag,
                          comm_->handle, call.add()),
                "MPI_Isend");
    });
    return {};
  }
  std::vector<std::optional<std::string>> answers(static_cast<std::size_t>(size_));
  answers[0] = mine;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  Patience patience;
  for (int missing = size_ - 1; missing > 0;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    int there = 0, bytes = 0;
    MPI_Status status;
    mpi_check(MPI_Iprobe(MPI_ANY_SOURCE, tag, comm_->handle, &there, &status), "MPI_Iprobe");
    if (!there) {
      patience.pause();
      continue;
    }
    mpi_check(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
    auto arriving = std::make_shared<Call>();
    arriving->texts.emplace_back(static_cast<std::size_t>(bytes), '\0');
    complete("roll call", arriving, left, [&](Call& call) {
      mpi_check(
          MPI_Irecv(call.texts[0].data(), bytes, MPI_BYTE, status.MPI_SOURCE, tag, comm_->handle, call.add()),
          "MPI_Irecv");
    });
    answers[static_cast<std::size_t>(status.MPI_SOURCE)] = std::move(arriving->texts[0]);
    --missing;
  }
  return answers;
}

std::uint64_t MpiControl::any_of(std::uint64_t mask) {
  const OngoingOperation ongoing(*operations_, "vote");
  auto vote = std::make_shared<Call>();
  vote->number = mask;
  complete("vote", vote, limit_, [&](Call& call) {
    mpi_check(MPI_Iallreduce(&call.number, &call.result, 1, MPI_UINT64_T, MPI_BOR, comm_->handle, call.add()),
              "MPI_Iallreduce");
  });
  return vote->result;
}

void MpiControl::barrier(std::chrono::milliseconds limit) {
  const OngoingOperation ongoing(*operations_, "barrier");
  complete("barrier", std::make_shared<Call>(), limit,
           [&](Call& call) { mpi_check(MPI_Ibarrier(comm_->handle, call.add()), "MPI_Ibarrier"); });
}

}  // namespace facemae
