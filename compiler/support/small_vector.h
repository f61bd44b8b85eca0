// A vector for short lists of plain values that are copied often.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace netc {

/// Up to N elements lie in the vector itself; more of them take memory of their own.
template <class T, std::size_t N> class SmallVector {
public:
  SmallVector() = default;
  SmallVector(const SmallVector &o) : capacity(std::max(N, o.count)), count(o.count) {
    if (count > N) far = std::make_unique<T[]>(count);
    std::copy(o.begin(), o.end(), begin());
  }
  SmallVector(SmallVector &&o) noexcept { swap(o); }
  SmallVector &operator=(SmallVector o) noexcept {
    swap(o);
    return *this;
  }
  ~SmallVector() = default;

  T *begin() { return far ? far.get() : near; }
  T *end() { return begin() + count; }
  const T *begin() const { return far ? far.get() : near; }
  const T *end() const { return begin() + count; }
  std::size_t size() const { return count; }
  bool empty() const { return count == 0; }
  const T &operator[](std::size_t i) const { return begin()[i]; }
  const T &front() const { return *begin(); }

  void clear() { count = 0; }
  void push_back(const T &value) { insert(end(), value); }
  /// Before `at`; returns where it lies now.
  T *insert(T *at, const T &value) {
    const std::ptrdiff_t place = at - begin();
    const T copy = value;
    if (count == capacity) grow();
    ++count;
    std::move_backward(begin() + place, end() - 1, end());
    begin()[place] = copy;
    return begin() + place;
  }
  /// Returns where the next one lies now.
  T *erase(T *at) {
    std::move(at + 1, end(), at);
    --count;
    return at;
  }

  bool operator==(const SmallVector &o) const { return std::equal(begin(), end(), o.begin(), o.end()); }

private:
  void grow() {
    auto larger = std::make_unique<T[]>(2 * capacity);
    std::copy(begin(), end(), larger.get());
    far = std::move(larger);
    capacity *= 2;
  }
  void swap(SmallVector &o) noexcept {
    std::swap(near, o.near);
    std::swap(far, o.far);
    std::swap(capacity, o.capacity);
    std::swap(count, o.count);
  }

  T near[N];
  std::unique_ptr<T[]> far; // null: they lie near
  std::size_t capacity = N, count = 0;
};

} // namespace netc
