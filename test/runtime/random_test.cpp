#include "check.h"

#include "netc/random.h"

#include <cmath>
#include <vector>

namespace test {
namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const std::vector<float> &values) {
  Moments m;
  for (float v : values)
    m.mean += v / static_cast<double>(values.size());
  for (float v : values)
    m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
  m.deviation = std::sqrt(m.deviation);
  return m;
}

// Known answers of the Random123 library, low word first.
void knownAnswers() {
  EQUAL(netc::threefry(0, 0), 0x99ba4efe6b200159u);
  EQUAL(netc::threefry(~std::uint64_t{0}, ~std::uint64_t{0}), 0xbb002be71cb996fcu);
  EQUAL(netc::threefry(0x0370734413198a2eu, 0x85a308d3243f6a88u), 0x483df7a0c4923a9cu);
}

void distributions() {
  std::vector<float> values(100000);
  netc::fillUniform(values.data(), values.size(), -2, 4, netc::streamKey(1, "w"));
  Moments m = moments(values);
  HOLDS(std::fabs(m.mean - 1) < 0.02);
  HOLDS(std::fabs(m.deviation - 6 / std::sqrt(12)) < 0.02);
  for (float v : values)
    if (!(v >= -2 && v < 4)) HOLDS(v >= -2 && v < 4);
  netc::fillNormal(values.data(), values.size(), 3, 0.5, netc::streamKey(1, "w"));
  m = moments(values);
  HOLDS(std::fabs(m.mean - 3) < 0.01);
  HOLDS(std::fabs(m.deviation - 0.5) < 0.01);
}

// The generator's own log and cos against the library's.
void normalAgainstLibrary() {
  constexpr double pi = 3.14159265358979323846;
  std::vector<float> values(20000);
  std::uint64_t key = netc::streamKey(7, "b");
  netc::fillNormal(values.data(), values.size(), 0, 1, key);
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint64_t word = netc::threefry(key, i);
    double u = (static_cast<double>((word & 0xffffffffu) >> 8) + 1) * 0x1p-24,
           v = static_cast<double>(word >> 40) * 0x1p-24;
    double expected = std::sqrt(-2 * std::log(u)) * std::cos(2 * pi * v);
    worst = std::fmax(worst, std::fabs(values[i] - expected));
  }
  HOLDS(worst < 5e-7);
}

void orders() {
  std::vector<std::uint32_t> order(1000), again(1000), other(1000);
  netc::epochOrder(order.data(), 1000, 5, 3);
  netc::epochOrder(again.data(), 1000, 5, 3);
  netc::epochOrder(other.data(), 1000, 5, 4);
  HOLDS(order == again);
  HOLDS(order != other);
  std::vector<int> seen(1000);
  int inPlace = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    seen[order[i]]++;
    inPlace += order[i] == i;
  }
  HOLDS(seen == std::vector<int>(1000, 1));
  HOLDS(inPlace < 10);
  netc::epochOrder(order.data(), 1, 5, 3);
  EQUAL(order[0], 0u);
  netc::epochOrder(nullptr, 0, 5, 3);
}

} // namespace

void randomTest() {
  knownAnswers();
  distributions();
  normalAgainstLibrary();
  orders();
  HOLDS(netc::streamKey(0, "a.weight") != netc::streamKey(0, "b.weight"));
  HOLDS(netc::streamKey(0, "a.weight") != netc::streamKey(1, "a.weight"));
}

} // namespace test
