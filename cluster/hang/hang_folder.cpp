#include "cluster/hang/hang_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

/// Durable enough: it is read within seconds, and the file system outlives the process.
void write_quickly(FileSystem& files, const Path& path, const std::string& text) {
  const Path temporary = path.string() + ".tmp";
  auto out = files.create(temporary);
  out->write(bytes_of(text));
  out->close();
  files.rename(temporary, path);
}

/// The epoch when there is none.
fs::file_time_type time_of(const Path& path) {
  std::error_code fault;
  const auto time = fs::last_write_time(path, fault);
  return fault ? fs::file_time_type{} : time;
}

template <class Call>
void quietly(const char* doing, Call&& call) noexcept {
  try {
    call();
  } catch (const std::exception& error) {
    spdlog::warn("{}: {}", doing, error.what());
  }
}

}  // namespace

HangFolder::HangFolder(FileSystem& files, Path folder, int rank)
    : files_(files), folder_(std::move(folder)), rank_(rank) {}

Path HangFolder::file_of(int rank) const { return folder_ / fmt::format("rank{}.json", rank); }

bool HangFolder::is_fresh(const Path& path, Seconds fresh) const {
  const auto time = time_of(path);
  return time != Time{} && (own_ == Time{} || own_ - time <= fresh);
}

void HangFolder::write(const HangReport& report) noexcept {
  quietly("reporting that there is no progress", [&] {
    make_folders(files_, folder_);
    write_quickly(files_, file_of(rank_), to_json(report));
    own_ = time_of(file_of(rank_));
  });
}

void HangFolder::call(Seconds fresh) noexcept {
  quietly("asking the other ranks for reports", [&] {
    if (const auto other = caller(fresh); other && *other < rank_) return;
    const Path temporary = folder_ / fmt::format("call.{}", rank_);
    auto out = files_.create(temporary);
    out->write(bytes_of(std::to_string(rank_) + "\n"));
    out->close();
    files_.rename(temporary, call_file());
    heard_ = time_of(call_file());
  });
}

bool HangFolder::called() noexcept {
  const auto time = time_of(call_file());
  return std::exchange(heard_, time) != time;
}

std::optional<int> HangFolder::caller(Seconds fresh) noexcept try {
  if (!is_fresh(call_file(), fresh)) return std::nullopt;
  return std::stoi(read_plain_file(call_file()));
} catch (const std::exception&) {
  return std::nullopt;
}

std::vector<HangReport> HangFolder::read(const HangReport& own, Seconds fresh) noexcept {
  std::vector<HangReport> reports;
  quietly("reading the reports of the other ranks", [&] {
    for (int rank = 0; rank < own.world; ++rank) {
      if (rank == rank_ || !is_fresh(file_of(rank), fresh)) continue;
      try {
        reports.push_back(parse_hang_report(read_plain_file(file_of(rank))));
      } catch (const Error& error) {
        spdlog::warn("{} is not a report: {}", file_of(rank).string(), error.what());
      }
    }
  });
  const auto after =
      std::find_if(reports.begin(), reports.end(), [&](const auto& report) { return report.rank > rank_; });
  reports.insert(after, own);
  return reports;
}

void HangFolder::conclude(const Verdict& verdict) noexcept {
  quietly("writing what the job died of", [&] {
    const nlohmann::ordered_json json = {{"fatal", verdict.fatal},
                                         {"ranks", verdict.ranks},
                                         {"missing", verdict.missing},
                                         {"reason", verdict.text},
                                         {"ask_again_seconds", verdict.ask_again.count()},
                                         {"told_by", rank_}};
    write_quickly(files_, folder_ / "report.json",
                  json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  });
}

std::optional<Verdict> HangFolder::conclusion() noexcept try {
  const Path path = folder_ / "report.json";
  if (!is_fresh(path, Seconds(0))) return std::nullopt;
  const auto json = nlohmann::json::parse(read_plain_file(path));
  return Verdict{.fatal = json.at("fatal"),
                 .ranks = json.at("ranks"),
                 .missing = json.at("missing"),
                 .text = json.at("reason"),
                 .ask_again = Seconds(json.at("ask_again_seconds").get<double>())};
} catch (const std::exception&) {
  return std::nullopt;
}

}  // namespace facemae
