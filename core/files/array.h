#pragma once
// Provides read-only arrays that either own their values or are part of a file mapped into memory, whose
// pages all processes of a host share.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/checksum.h"
#include "core/error.h"
#include "core/files/files.h"

namespace facemae {

/// Maps `bytes` at `offset` of a file read-only, until the last copy of the pointer is gone. The range must
/// lie within the file: an access beyond its end is fatal. Throws FileError.
std::shared_ptr<const std::byte> map_file(const Path& path, std::uint64_t offset, std::uint64_t bytes);
void drop_pages_of_mapping(Bytes mapped) noexcept;

/// Copies are cheap and share the values. Const calls are safe from many threads.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  Array(std::vector<T> values) : size_(values.size()) {  // NOLINT(google-explicit-constructor)
    const auto owned = std::make_shared<const std::vector<T>>(std::move(values));
    data_ = {owned, reinterpret_cast<const std::byte*>(owned->data())};
  }
  Array(std::initializer_list<T> values) : Array(std::vector<T>(values)) {}
  /// `count` values at a place in memory that something else owns, at any alignment.
  static Array at(const std::shared_ptr<const std::byte>& place, std::uint64_t count) {
    Array array;
    array.size_ = count;
    if (count > 0) array.data_ = place;
    array.mapped_ = count > 0;
    return array;
  }
  /// This array, or a copy of it if its values are not aligned as span() needs them for T.
  Array aligned() const { return is_aligned() ? *this : Array(values()); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T operator[](std::size_t i) const noexcept {
    T value;
    std::memcpy(&value, data_.get() + i * sizeof(T), sizeof(T));
    return value;
  }
  T front() const noexcept { return (*this)[0]; }
  T back() const noexcept { return (*this)[size_ - 1]; }
  /// Takes a mapped array out of this process's resident memory; it stays in the page cache.
  void drop_pages() const noexcept {
    if (mapped_) drop_pages_of_mapping(bytes());
  }
  Bytes bytes() const noexcept { return {data_.get(), size_ * sizeof(T)}; }
  std::vector<T> values() const {
    std::vector<T> copy(size_);
    if (size_ > 0) std::memcpy(copy.data(), data_.get(), bytes().size());
    return copy;
  }
  /// Throws Error unless the array is aligned().
  std::span<const T> span() const {
    if (!is_aligned()) throw Error("a span was requested of an array that is not aligned");
    return {reinterpret_cast<const T*>(data_.get()), size_};
  }
  operator std::span<const T>() const { return span(); }  // NOLINT(google-explicit-constructor)
  /// Iterates over the values of any array, aligned or not.
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = T;
    Iterator() = default;
    explicit Iterator(const std::byte* at) : at_(at) {}
    T operator*() const noexcept {
      T value;
      std::memcpy(&value, at_, sizeof(T));
      return value;
    }
    Iterator& operator++() noexcept {
      at_ += sizeof(T);
      return *this;
    }
    Iterator operator++(int) noexcept { return Iterator(std::exchange(at_, at_ + sizeof(T))); }
    bool operator==(const Iterator&) const = default;

   private:
    const std::byte* at_ = nullptr;
  };
  Iterator begin() const noexcept { return Iterator(data_.get()); }
  Iterator end() const noexcept { return Iterator(data_.get() + size_ * sizeof(T)); }
  bool operator==(const Array& other) const noexcept {
    return size_ == other.size_ &&
           (size_ == 0 || std::memcmp(data_.get(), other.data_.get(), bytes().size()) == 0);
  }

 private:
  bool is_aligned() const noexcept { return reinterpret_cast<std::uintptr_t>(data_.get()) % alignof(T) == 0; }
  std::shared_ptr<const std::byte> data_;
  std::size_t size_ = 0;
  bool mapped_ = false;
};

}  // namespace facemae
