#include "trainer/doctor/compute.h"

#include <spdlog/fmt/fmt.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "cluster/host/agree.h"
#include "cluster/host/gather.h"
#include "core/clock.h"
#include "core/signals.h"
#include "data/loader/loader.h"
#include "trainer/doctor/percentile.h"
#include "trainer/doctor/share.h"
#include "trainer/input/open_store.h"

namespace facemae {
namespace {

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What one rank reached.
struct Reached {
  std::string host;
  double speed = 0;  ///< operations or images per second
  double cores = 0;  ///< the part of its threads' time that the processors gave it
};
void to_json(nlohmann::json& json, const Reached& r) { json = {r.host, r.speed, r.cores}; }
void from_json(const nlohmann::json& json, Reached& r) {
  json.at(0).get_to(r.host);
  json.at(1).get_to(r.speed);
  json.at(2).get_to(r.cores);
}

/// A fixed product again and again, for so long.
Reached multiply(const World& world, const torch::Device& device, double seconds) {
  const torch::NoGradGuard no_grad;
  const bool on_cpu = device.is_cpu();
  const std::int64_t n = on_cpu ? 384 : 4096;
  const auto options = torch::device(device).dtype(on_cpu ? torch::kFloat32 : torch::kBFloat16);
  const auto a = torch::full({n, n}, 0.5, options), b = torch::full({n, n}, 0.25, options);
  auto product = torch::empty({n, n}, options);
  const auto multiplied = [&] {
    torch::mm_out(product, a, b);
    if (!on_cpu) product[0][0].item<float>();  // waits for the device
  };
  multiplied();
  const double processors = processor_seconds();
  const Stopwatch watch;
  double done = 0;
  for (; watch.seconds() < seconds && notice_received() == 0; ++done) multiplied();
  const double passed = watch.seconds();
  return {.host = world.topology().host,
          .speed = 2 * done * std::pow(static_cast<double>(n), 3) / passed,
          .cores = (processor_seconds() - processors) / passed / torch::get_num_threads()};
}

/// The median rank; those below `part` of the others are named.
Measured of_ranks(const std::string& id, const std::vector<Reached>& all, double scale,
                  const std::string& unit, const std::string& of, double part, bool tell_cores) {
  std::vector<double> speeds;
  for (const auto& rank : all) speeds.push_back(rank.speed / scale);
  Measured figure{.id = id, .value = median(speeds), .unit = unit, .of = of};
  for (const int slow : slow_ones(speeds, part)) {
    const Reached& rank = all[static_cast<std::size_t>(slow)];
    figure.text += fmt::format("{}rank {} on {}: {:.3g}", figure.text.empty() ? "slow: " : ", ", slow,
                               rank.host, rank.speed / scale);
    if (tell_cores && rank.cores < 0.8)
      figure.text +=
          fmt::format(" (another process has {:.0f} % of its cores' time)", 100 * (1 - rank.cores));
  }
  return figure;
}

/// Images per second of one rank with so many threads.
Reached load(const World& world, const std::shared_ptr<const Store>& store, int threads, double seconds) {
  constexpr std::uint64_t batch = 64;
  const auto ranks = static_cast<std::uint64_t>(world.topology().size);
  Loader loader(store, Order(store->size(), static_cast<std::uint64_t>(epoch_seconds())),
                {.global_batch = batch * ranks, .world = world.topology().size}, world.topology().rank, 0,
                {.threads = threads,
                 .ahead = 2,
                 .give_up_after = std::chrono::duration<double>(std::max(30.0, 2 * seconds))});
  auto bytes = loader.next();
  const Stopwatch watch;
  double images = 0;
  do {
    bytes = loader.next(std::move(bytes));
    images += static_cast<double>(bytes->size());
  } while (watch.seconds() < seconds && notice_received() == 0);
  return {.host = world.topology().host, .speed = images / watch.seconds()};
}

}  // namespace

std::vector<Measured> measure_products(World& world, double seconds) {
  torch::set_num_threads(world.topology().cores);
  std::vector<Measured> figures;
  const auto measure = [&](const std::string& id, const torch::Device& device) {
    world.control().any_of(0);  // all begin together
    const auto all = gather(world.control(), multiply(world, device, std::min(1.0, seconds)));
    if (!all.empty()) figures.push_back(of_ranks(id, all, 1e9, "GFLOP/s", "a rank", 0.75, device.is_cpu()));
  };
  measure("cpu.gemm", torch::kCPU);
  if (!world.device().is_cpu()) measure("gpu.gemm", world.device());
  return figures;
}

std::vector<Measured> measure_loading(World& world, const std::string& folder, double wanted,
                                      double seconds) {
  const auto store = open_once_a_node(world.control(), world.topology(), folder);
  const int cores = world.topology().cores;
  std::vector<int> choices{1};
  if (cores > 1) choices.push_back(cores);
  std::vector<Measured> figures;
  for (const int threads : choices) {
    Reached reached;
    together(world.control(),
             [&] { reached = load(world, store, threads, seconds / static_cast<double>(choices.size())); });
    const auto all = gather(world.control(), reached);
    if (all.empty()) continue;
    figures.push_back(of_ranks("data.loader", all, 1, "images/s",
                               threads == 1 ? "a rank, 1 thread" : fmt::format("a rank, {} threads", threads),
                               0.5, false));
  }
  if (!figures.empty() && wanted > 0)
    figures[0].text += fmt::format("{}a rank of the run takes {:.4g} images/s: --workers {:.0f}",
                                   figures[0].text.empty() ? "" : "; ", wanted,
                                   std::ceil(wanted / std::max(1.0, figures[0].value)));
  return figures;
}

}  // namespace facemae
