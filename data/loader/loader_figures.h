#pragma once
// Counts what a loader spent its time on and what it met. The times of its threads are added up.
#include <cstdint>

#include "data/store/shard_reader.h"

namespace facemae {

struct LoaderFigures {
  double wait_seconds = 0;  ///< next() waited for a batch: the queue was empty
  double full_seconds = 0;  ///< threads waited for room in the ring: the queue was full
  double decode_seconds = 0, augment_seconds = 0;
  ReadFigures reads;  ///< read_seconds, crc_seconds, and what had to be retried
  std::uint64_t images = 0;
  std::uint64_t substituted = 0;  ///< images that replace one that could not be used
  void add(const LoaderFigures& other) {
    wait_seconds += other.wait_seconds;
    full_seconds += other.full_seconds;
    decode_seconds += other.decode_seconds;
    augment_seconds += other.augment_seconds;
    reads.add(other.reads);
    images += other.images;
    substituted += other.substituted;
  }
};

}  // namespace facemae
