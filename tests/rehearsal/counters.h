#pragma once
// What the stand-in accelerator has counted: the figures by which a step on a GPU is judged without one.
#include <cstdint>
#include <map>
#include <string>

namespace facemae::rehearsal {

struct Copies {
  std::int64_t count = 0, bytes = 0;
  std::int64_t blocking = 0;  ///< the host waited: it was not asked for otherwise, or the memory is pageable
  std::int64_t pageable = 0;  ///< host memory that is not page-locked
};

/// Of the whole process, all threads together.
struct Counters {
  Copies to_device, from_device;
  std::int64_t launches = 0;     ///< operators that computed; views and metadata are none
  std::int64_t value_reads = 0;  ///< the host waited for a value: item(), nonzero(), a mask as an index ...
  std::int64_t waits = 0;        ///< for a stream, an event or the device
  std::map<std::string, std::int64_t> launches_of, reads_of;  ///< by operator
};

void reset_counters();
Counters counters();
/// A few lines: copies, reads by operator, launches and the most frequent ones.
std::string describe(const Counters& counted);

/// For the device's own files; thread-safe.
void count(const std::string& op, std::int64_t Counters::*total,
           std::map<std::string, std::int64_t> Counters::*of);
void count_copy(Copies Counters::*direction, std::int64_t bytes, bool blocking, bool pageable);
void count_wait();

}  // namespace facemae::rehearsal
