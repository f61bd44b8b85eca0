#include "exact.h"

#include "scalars.h"

#include "netc/random.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace netc {
namespace {

constexpr int maxDepth = 64;

int arity(std::int64_t code) {
  switch (code) {
  case NETC_CONST:
  case NETC_COUNT:
  case NETC_STEP:
  case NETC_EPOCH:
  case NETC_STEPS:
    return 0;
  case NETC_NEG:
  case NETC_EXP:
  case NETC_LOG:
  case NETC_SQRT:
  case NETC_COS:
  case NETC_FLOOR:
    return 1;
  case NETC_ADD:
  case NETC_SUB:
  case NETC_MUL:
  case NETC_DIV:
  case NETC_POW:
  case NETC_MINIMUM:
  case NETC_MAXIMUM:
  case NETC_LT:
  case NETC_KEY_LOW:
  case NETC_KEY_HIGH:
    return 2;
  case NETC_SELECT:
    return 3;
  }
  return -1;
}

// A whole number as such; anything else is 0.
std::uint64_t whole(double v) {
  return v >= 0 && v < 0x1p63 ? static_cast<std::uint64_t>(v) : 0;
}

double keyWord(const double *path, const ScalarInputs &in, int shift) {
  std::uint64_t key = drawKey(in.seed, whole(path[0]) << 32 | whole(path[1]), whole(in.step));
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(key >> shift));
}

// minimum and maximum propagate NaN, as in the language.
double apply(const NetcScalarOp &op, const double *a, const ScalarInputs &in) {
  switch (op.code) {
  case NETC_CONST:
    return op.value;
  case NETC_COUNT:
    return in.count;
  case NETC_STEP:
    return in.step;
  case NETC_EPOCH:
    return in.epoch;
  case NETC_STEPS:
    return in.steps;
  case NETC_ADD:
    return a[0] + a[1];
  case NETC_SUB:
    return a[0] - a[1];
  case NETC_MUL:
    return a[0] * a[1];
  case NETC_DIV:
    return a[0] / a[1];
  case NETC_POW:
    return std::pow(a[0], a[1]);
  case NETC_NEG:
    return -a[0];
  case NETC_EXP:
    return std::exp(a[0]);
  case NETC_LOG:
    return std::log(a[0]);
  case NETC_SQRT:
    return std::sqrt(a[0]);
  case NETC_COS:
    return std::cos(a[0]);
  case NETC_FLOOR:
    return std::floor(a[0]);
  case NETC_MINIMUM:
    return a[0] < a[1] || a[0] != a[0] ? a[0] : a[1];
  case NETC_MAXIMUM:
    return a[0] > a[1] || a[0] != a[0] ? a[0] : a[1];
  case NETC_LT:
    return a[0] < a[1] ? 1 : 0;
  case NETC_SELECT:
    return a[0] != 0 ? a[1] : a[2];
  case NETC_KEY_LOW:
    return keyWord(a, in, 0);
  case NETC_KEY_HIGH:
    return keyWord(a, in, 32);
  }
  return 0;
}

} // namespace

double evaluateScalar(const NetcScalar &scalar, const ScalarInputs &in) {
  constexpr double malformed = std::numeric_limits<double>::quiet_NaN();
  double stack[maxDepth];
  int depth = 0;
  for (std::int64_t i = 0; i < scalar.opCount; ++i) {
    int taken = arity(scalar.ops[i].code);
    if (taken < 0 || taken > depth || depth - taken == maxDepth) return malformed;
    depth -= taken;
    stack[depth] = apply(scalar.ops[i], stack + depth, in);
    ++depth;
  }
  return depth == 1 ? stack[0] : malformed;
}

std::uint32_t scalarBits(const NetcScalar &scalar, const ScalarInputs &in) {
  double value = evaluateScalar(scalar, in);
  bool isKey = false;
  if (scalar.opCount > 0 && value == value) {
    std::int64_t last = scalar.ops[scalar.opCount - 1].code;
    isKey = last == NETC_KEY_LOW || last == NETC_KEY_HIGH;
  }
  if (isKey) return static_cast<std::uint32_t>(static_cast<std::int32_t>(value));
  float rounded = static_cast<float>(value);
  std::uint32_t bits;
  std::memcpy(&bits, &rounded, sizeof bits);
  return bits;
}

} // namespace netc
