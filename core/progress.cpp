#include "core/progress.h"

#include <unistd.h>

#include <cstdio>

#include "core/text.h"

namespace facemae {

Progress::Progress(std::string what, std::uint64_t total, std::string unit, bool show)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      show_(show),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      printed_(start_) {}

Progress::~Progress() {
  if (show_ && terminal_ && !finished_) std::fputc('\n', stderr);
}

void Progress::advance(std::uint64_t count, const std::string& note) {
  done_ += count;
  if (!note.empty()) note_ = note;
  const auto now = Clock::now();
  if (now - printed_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10))) return;
  printed_ = now;
  print(false);
}

void Progress::finish() {
  if (finished_) return;
  print(true);
  finished_ = true;
}

void Progress::print(bool last) {
  if (!show_) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_ - started_at_) / seconds : 0;
  std::string line = what_ + "  " + human_count(done_) + " of " + human_count(total_) + " " + unit_;
  char text[64];
  std::snprintf(text, sizeof text, rate < 10 ? "  %.2f %s/s" : "  %.0f %s/s", rate, unit_.c_str());
  line += text;
  if (last) {
    line += "  in " + human_seconds(seconds);
  } else if (rate > 0 && total_ > done_) {
    line += "  " + human_seconds(static_cast<double>(total_ - done_) / rate) + " left";
  }
  if (!note_.empty()) line += "  " + note_;
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s%s", line.c_str(), last ? "\n" : "");
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

}  // namespace facemae
