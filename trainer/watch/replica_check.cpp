#include "trainer/watch/replica_check.h"

#include <ATen/Version.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "cluster/host/agree.h"
#include "core/checksum.h"
#include "core/host.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::size_t kHashBytes = sizeof(Hash128);

torch::Device device_of(const Snapshot& snapshot) {
  return snapshot.replicated.empty() ? torch::Device(torch::kCPU) : snapshot.replicated[0].value.device();
}

/// What rounding depends on.
std::string arithmetic(torch::Device device, const std::string& accelerator) {
  if (!device.is_cpu()) return fmt::format("{} {}", torch::DeviceTypeName(device.type()), accelerator);
  return fmt::format("{} {} x {}", cpu_model(), at::get_cpu_capability(), torch::get_num_threads());
}

/// One hash for each replicated tensor, one after the other. Digests of all tensors on a device are read at once.
std::string hashes_of(const Snapshot& snapshot, const std::optional<TensorDigest>& digest) {
  std::string hashes(snapshot.replicated.size() * kHashBytes, '\0');
  std::vector<torch::Tensor> digests;
  std::vector<char*> of_digests;
  for (std::size_t i = 0; i < snapshot.replicated.size(); ++i) {
    const auto& value = snapshot.replicated[i].value;
    char* const hash = hashes.data() + i * kHashBytes;
    if (digest && !value.device().is_cpu()) {
      digests.push_back(digest->of(value));
      of_digests.push_back(hash);
    } else {
      const auto host = value.detach().to(torch::kCPU).contiguous();
      const Hash128 sum = xxh128({static_cast<const std::byte*>(host.data_ptr()), host.nbytes()});
      std::memcpy(hash, &sum, kHashBytes);
    }
  }
  if (digests.empty()) return hashes;
  const auto read = torch::stack(digests).to(torch::kCPU);
  static_assert(kHashBytes == 2 * sizeof(std::int64_t));
  for (std::size_t i = 0; i < of_digests.size(); ++i)
    std::memcpy(of_digests[i], read.const_data_ptr<std::int64_t>() + 2 * i, kHashBytes);
  return hashes;
}

/// Names of the tensors in which any of `odd` differs from the first rank that is not odd.
std::vector<std::string> different_tensors(const Snapshot& snapshot, const std::vector<std::string>& of_ranks,
                                           const std::vector<int>& odd) {
  std::size_t sound = 0;
  while (sound + 1 < of_ranks.size() &&
         std::find(odd.begin(), odd.end(), static_cast<int>(sound)) != odd.end())
    ++sound;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < snapshot.replicated.size(); ++i)
    if (std::any_of(odd.begin(), odd.end(), [&](int rank) {
          return of_ranks[static_cast<std::size_t>(rank)].compare(i * kHashBytes, kHashBytes, of_ranks[sound],
                                                                  i * kHashBytes, kHashBytes) != 0;
        }))
      names.push_back(snapshot.replicated[i].name);
  return names;
}

std::string describe(const Snapshot& snapshot, const std::vector<std::string>& of_ranks,
                     const std::vector<std::string>& hosts, std::uint64_t done) {
  const auto odd = odd_ranks(of_ranks);
  std::vector<std::string> ranks;
  ranks.reserve(odd.size());
  for (const int rank : odd)
    ranks.push_back(fmt::format("{} (host {})", rank, hosts[static_cast<std::size_t>(rank)]));
  auto names = different_tensors(snapshot, of_ranks, odd);
  const std::size_t count = names.size();
  names.resize(std::min<std::size_t>(count, 3));
  const bool majority = odd.size() < of_ranks.size();
  return fmt::format(
      "step {}: the ranks no longer hold the same weights and moments. {} {}: {} tensor(s) differ, {}. "
      "A processor, memory or link fails silently: take {} out of service; "
      "the next start resumes from the last checkpoint",
      done, majority ? "Different from most: rank" : "Without a majority it is unknown which is right: ranks",
      join(ranks, ", "), count, join(names, ", "), majority ? "its node" : "the nodes");
}

}  // namespace

std::vector<int> odd_ranks(const std::vector<std::string>& of_ranks) {
  std::map<std::string, std::size_t> votes;
  for (const auto& text : of_ranks) ++votes[text];
  const auto most = std::max_element(votes.begin(), votes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<int> odd;
  for (std::size_t rank = 0; rank < of_ranks.size(); ++rank)
    if (2 * most->second <= of_ranks.size() || of_ranks[rank] != most->first)
      odd.push_back(static_cast<int>(rank));
  return odd;
}

ReplicaCheck::ReplicaCheck(const Snapshot& snapshot, Control& control, std::uint64_t every,
                           const std::string& accelerator)
    : snapshot_(snapshot), control_(control), every_(control.size() > 1 ? every : 0) {
  if (every_ == 0) return;
  const auto device = device_of(snapshot_);
  if (control_.same_everywhere(arithmetic(device, accelerator))) {
    if (!device.is_cpu()) digest_.emplace(device);
    return;
  }
  every_ = 0;
  if (control_.is_root())
    spdlog::warn(
        "ranks run on different processors or with different numbers of threads, which round differently: their weights are not compared (--check-replicas)");
}

void ReplicaCheck::compare(std::uint64_t done) const {
  const std::string hashes = hashes_of(snapshot_, digest_);
  if (control_.same_everywhere(xxh128(bytes_of(hashes)).hex())) return;
  const auto of_ranks = control_.gather(hashes), hosts = control_.gather(host_name());
  const std::string text = control_.is_root() ? describe(snapshot_, of_ranks, hosts, done) : "";
  Blame blame{.hosts = {}, .evidence = "replica"};
  const auto odd = odd_ranks(of_ranks);
  if (odd.size() < of_ranks.size())  // else nobody knows which is right
    for (const int rank : odd) blame.hosts.push_back(hosts[static_cast<std::size_t>(rank)]);
  throw AgreedError(control_.broadcast(text), ExitCode::PeerLost, "ReplicasDiffer").blaming(blame);
}

}  // namespace facemae
