#include "trainer/doctor/disk.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "cluster/host/agree.h"
#include "cluster/host/gather.h"
#include "core/files/page_cache.h"
#include "core/files/scratch_file.h"
#include "core/files/temporary_file.h"
#include "core/random/keys.h"
#include "core/signals.h"
#include "core/text.h"
#include "trainer/doctor/percentile.h"
#include "trainer/doctor/share.h"

namespace facemae {
namespace {

constexpr std::size_t kPiece = 4 << 20, kMost = 256 << 20, kTurns = 5;

/// What one node reached; nothing on ranks that did not work.
struct NodeDisk {
  std::string host;
  double bytes = 0, write = 0, read = 0;  ///< bytes, and of them per second
  double names = 0;                       ///< seconds of a file that is created, renamed and removed
};
void to_json(nlohmann::json& json, const NodeDisk& d) { json = {d.host, d.bytes, d.write, d.read, d.names}; }
void from_json(const nlohmann::json& json, NodeDisk& d) {
  json.at(0).get_to(d.host);
  json.at(1).get_to(d.bytes);
  json.at(2).get_to(d.write);
  json.at(3).get_to(d.read);
  json.at(4).get_to(d.names);
}

/// Bytes that no file system makes smaller.
std::vector<std::byte> noise(std::size_t bytes) {
  std::vector<std::byte> all(bytes);
  Draws draws(1);
  for (auto& byte : all) byte = static_cast<std::byte>(draws.next());
  return all;
}

/// Seconds of writing `pieces` pieces and syncing them; fewer after notice, which `pieces` tells.
double write_pieces(const Path& path, Bytes piece, std::size_t& pieces) {
  const auto file = real_files().create(path);  // frees what was there, which takes time
  const Stopwatch watch;
  std::size_t written = 0;
  for (; written < pieces && notice_received() == 0; ++written) file->write(piece);
  file->sync();
  file->close();
  pieces = written;
  return watch.seconds();
}

/// Seconds of reading them back.
double read_pieces(const Path& path, std::vector<std::byte>& piece, std::size_t pieces) {
  const auto file = real_inputs().open(path);
  file->forget(0, pieces * piece.size());
  const Stopwatch watch;
  for (std::size_t i = 0; i < pieces && notice_received() == 0; ++i) file->read_at(i * piece.size(), piece);
  return watch.seconds();
}

/// Pure. As many pieces as are written, and read as fast, in the time, if one took `seconds_of_one`.
std::size_t pieces_for(double seconds, double seconds_of_one) {
  const double pieces = seconds / (2 * std::max(1e-6, seconds_of_one));
  return static_cast<std::size_t>(std::clamp(pieces, 1.0, static_cast<double>(kMost / kPiece)));
}

void transfer(const Path& folder, double seconds, NodeDisk& disk) {
  const ScratchFile file(folder);
  auto piece = noise(kPiece);
  std::size_t pieces = 2;
  const Stopwatch watch;
  const double first = write_pieces(file.path(), piece, pieces) / 2;
  pieces = pieces_for(seconds, first);
  disk.bytes = static_cast<double>(pieces * kPiece);
  // A disk that still has other work makes one turn slow, and caches another fast: the median of some.
  std::vector<double> writes, reads;
  for (double turn = 0; writes.size() < kTurns && (writes.empty() || watch.seconds() + turn < seconds);) {
    const Stopwatch of_turn;
    std::size_t written = pieces;
    const double wrote = write_pieces(file.path(), piece, written);
    if (written < pieces) break;  // after notice
    writes.push_back(disk.bytes / wrote);
    reads.push_back(disk.bytes / read_pieces(file.path(), piece, pieces));
    turn = of_turn.seconds();
  }
  if (writes.empty()) return;
  disk.write = median(writes);
  disk.read = median(reads);
}

/// Seconds of one file, which is empty and not synced.
double name_files(const Path& folder, double seconds) {
  constexpr int files = 100;
  const TemporaryTree tree(folder);
  const Stopwatch watch;
  int done = 0;
  for (; done < files && (done == 0 || watch.seconds() < seconds) && notice_received() == 0; ++done) {
    const Path first = tree.path() / fmt::format("{}.a", done),
               second = tree.path() / fmt::format("{}.b", done);
    real_files().create(first)->close();
    real_files().rename(first, second);
    real_files().remove(second);
  }
  return watch.seconds() / std::max(1, done);
}

/// The median node; slow ones are named. `speed` of a node, greater is faster; `value` is shown.
template <class Speed, class Value>
Measured of_nodes(const std::string& id, const std::vector<NodeDisk>& nodes, const std::string& unit,
                  const std::string& of, Speed speed, Value value) {
  std::vector<double> speeds, values;
  for (const auto& node : nodes) {
    speeds.push_back(speed(node));
    values.push_back(value(node));
  }
  Measured figure{.id = id, .value = median(values), .unit = unit, .of = of};
  for (const int slow : slow_ones(speeds)) {
    const auto i = static_cast<std::size_t>(slow);
    figure.text +=
        fmt::format("{}{}: {:.3g}", figure.text.empty() ? "slow: " : ", ", nodes[i].host, values[i]);
  }
  return figure;
}

}  // namespace

TemporaryTree::TemporaryTree(const Path& parent) : path_(own_temporary(parent / "measure")) {
  real_files().make_folder(path_);
}
TemporaryTree::~TemporaryTree() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<Measured> measure_disk(World& world, const Path& folder, double seconds) {
  const bool works = world.topology().local_rank == 0;
  NodeDisk mine{.host = world.topology().host};
  if (world.control().is_root()) say_if_cache_stays(folder);
  together(world.control(), [&] {
    if (works) transfer(folder, seconds, mine);
  });
  together(world.control(), [&] {
    if (works) mine.names = name_files(folder, seconds);
  });
  std::vector<NodeDisk> nodes;
  for (auto& node : gather(world.control(), mine))
    if (node.names > 0 && node.write > 0) nodes.push_back(std::move(node));
  if (nodes.empty()) return {};
  const std::string of = fmt::format("a node, {}", human_bytes(static_cast<std::uint64_t>(nodes[0].bytes)));
  return {of_nodes(
              "fs.write", nodes, "MB/s", of + " and fsync", [](const auto& n) { return n.write; },
              [](const auto& n) { return n.write / 1e6; }),
          of_nodes(
              "fs.read", nodes, "MB/s", of, [](const auto& n) { return n.read; },
              [](const auto& n) { return n.read / 1e6; }),
          of_nodes(
              "fs.meta", nodes, "ms", "a file created, renamed, removed",
              [](const auto& n) { return 1 / n.names; }, [](const auto& n) { return 1e3 * n.names; })};
}

}  // namespace facemae
