#include "compiler/grad/sample_values.h"

#include "compiler/grad/vectors.h"

#include <cmath>
#include <numbers>

namespace netc::grad {

using graph::Initializer;
using graph::Tensor;
using graph::TensorKind;

namespace {

constexpr std::uint64_t stride = 0x9e3779b97f4a7c15u;

} // namespace

Randomness::Randomness(std::uint64_t seed, std::string_view name) : state(seed + stride) {
  for (char ch : name)
    state = next() ^ static_cast<unsigned char>(ch);
}

std::uint64_t Randomness::next() {
  std::uint64_t z = state += stride;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Randomness Randomness::after(std::uint64_t numbers) const {
  Randomness later = *this;
  later.state += numbers * stride;
  return later;
}

double Randomness::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

double Randomness::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::int64_t RandomOrder::next() {
  auto at = [&](std::int64_t place) {
    const auto m = moved.find(place);
    return m == moved.end() ? place : m->second;
  };
  const std::int64_t place = drawn + random.below(count - drawn), number = at(place);
  moved[place] = at(drawn);
  moved.erase(drawn++);
  return number;
}

std::int64_t elementCount(const Tensor &t) {
  std::int64_t n = 1;
  for (const graph::Extent &e : t.shape)
    n *= e.size;
  return n;
}

namespace {

double given(const Tensor &t, Randomness &random) {
  switch (t.dtype) {
  case DType::F32:
    return random.normal();
  case DType::U8:
    return static_cast<double>(random.below(256));
  case DType::I32:
    return static_cast<double>(random.below(t.classes > 0 ? t.classes : 10));
  case DType::Bool:
    return static_cast<double>(random.below(2));
  }
  return 0;
}

double initial(const Tensor &t, Randomness &random) {
  switch (t.init.kind) {
  case Initializer::Kind::Constant:
    return t.kind == TensorKind::Param ? t.init.a + 0.1 * random.normal() : t.init.a;
  case Initializer::Kind::Uniform:
    return t.init.a + (t.init.b - t.init.a) * random.uniform();
  case Initializer::Kind::Normal:
    return t.init.a + t.init.b * random.normal();
  }
  return 0;
}

} // namespace

std::vector<double> sampleValues(const Tensor &t, std::uint64_t seed) {
  return drawn(elementCount(t), Randomness(seed, t.name),
               [&](Randomness &random, std::size_t) { return t.inStore() ? initial(t, random) : given(t, random); });
}

} // namespace netc::grad
