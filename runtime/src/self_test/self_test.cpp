#include "../failure.h"
#include "../tables.h"
#include "netc/random.h"
#include "reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace netc {
namespace {

constexpr int attempts = 3;            // batches; a value may fall on either side of a decision in one, hardly in all
constexpr double sampleCounts[] = {17, 1 << 20, 7, 20}; // a block and one more; all; less than a block
constexpr double affordableWork = 3e8; // operations of one evaluation of all entries
constexpr float parameterNoise = 0.02f; // keeps sums off the kinks that they begin on, such as a bias of 0
constexpr double plannedSteps = 1000;
// Of compiled code, in units of the last place of a tensor's largest value: `usual` is what float arithmetic on the same
// formulas makes.
constexpr double worseThanUsual = 16, freeUlps = 4;
constexpr double updateTolerance = 1e-3; // of the largest change of a tensor
// Of differences: how far parameters move, and what a difference may be off by where a derivative of about 1 is expected.
constexpr double move = 1e-7, differenceTolerance = 1e-4, lossRounding = 1e-14, gradientRange = 1e-3;
constexpr int directions = 2;

using Values = std::vector<double>;

double largest(const Values &values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::fabs(v));
  return most;
}

/// 0 for what is equal, infinities and NaN included.
double distance(double a, double b) {
  if (a == b || (a != a && b != b)) return 0;
  const double d = std::fabs(a - b);
  return d == d ? d : std::numeric_limits<double>::infinity();
}

double worstDistance(const Values &a, const Values &b, std::size_t *at = nullptr) {
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    if (const double d = distance(a[i], b[i]); d > worst) {
      worst = d;
      if (at) *at = i;
    }
  return worst;
}

/// One unit in the last place of a float of this size.
double ulp(double size) {
  if (!std::isfinite(size)) return 1;
  int exponent = 0;
  std::frexp(std::max(size, static_cast<double>(std::numeric_limits<float>::min())), &exponent);
  return std::ldexp(1, exponent - std::numeric_limits<float>::digits);
}

double asDouble(std::int64_t type, const unsigned char *bytes, std::size_t i) {
  if (type != NETC_F32 && type != NETC_I32) return bytes[i];
  float real;
  std::int32_t whole;
  std::memcpy(&real, bytes + 4 * i, sizeof real);
  std::memcpy(&whole, bytes + 4 * i, sizeof whole);
  return type == NETC_F32 ? static_cast<double>(real) : whole;
}

/// A tensor that the caller of the model would give.
std::vector<unsigned char> drawn(const NetcTensor &t, std::uint64_t seed) {
  const std::size_t n = elementCount(t.shape, t.rank);
  std::vector<unsigned char> bytes(n * bytesOf(t.type));
  const float limit = t.type == NETC_F32 ? 1 : t.classes > 0 ? static_cast<float>(t.classes) : t.type == NETC_U8 ? 256 : 2;
  for (std::size_t i = 0; i < n; ++i) {
    const float unit = unitReal(threefry(streamKey(seed, t.name), i));
    const float real = 2 * unit - 1;
    const std::int32_t whole = static_cast<std::int32_t>(unit * limit);
    if (t.type == NETC_F32) std::memcpy(&bytes[4 * i], &real, sizeof real);
    else if (t.type == NETC_I32) std::memcpy(&bytes[4 * i], &whole, sizeof whole);
    else bytes[i] = static_cast<unsigned char>(whole);
  }
  return bytes;
}

/// One batch on one freshly made model.
class Comparison {
 public:
  Comparison(const NetcModel &model, const char *target, double samples, std::uint64_t seed, char *message)
      : reference(*model.reference), model(model), core(model, options(target, seed)), seed(seed), message(message),
        count(affordable(samples)) {}

  Status run() {
    if (core.status() != Status::ok) return fail(message, core.status(), "%s", core.message());
    core.setSteps(static_cast<std::uint64_t>(plannedSteps));
    for (std::int64_t i = 0; i < model.tensorCount; ++i)
      given.push_back(inStore(model.tensors[i]) ? noBytes : drawn(model.tensors[i], seed));
    for (std::size_t i = 0; i < core.parameterCount(); ++i) disturb(core.parameter(i));
    for (std::int64_t i = 0; i < reference.entryCount; ++i) {
      const NetcReferenceEntry &entry = reference.entries[i];
      const NetcEntry *compiled = core.entry(entry.name);
      if (!compiled) return fail(message, Status::noSuchEntry, "%s has no entry point %s", model.name, entry.name);
      const Status status = compare(entry, *compiled);
      if (status != Status::ok) return status;
    }
    return Status::ok;
  }

 private:
  static Options options(const char *target, std::uint64_t seed) {
    Options o;
    o.seed = seed;
    o.target = target;
    return o;
  }

  void disturb(Tensor t) {
    Floats values(t.size()), noise(t.size());
    t.get(values.data());
    fillUniform(noise.data(), noise.size(), -parameterNoise, parameterNoise, streamKey(seed + 1, t.name()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += noise[i];
    t.set(values.data());
  }

  std::size_t affordable(double samples) const {
    double work = 1; // of a sample, about
    for (std::int64_t i = 0; i < reference.entryCount; ++i) work += Reference(reference.entries[i], 1, {}, false).work();
    const double most = std::max(affordableWork / work, 2.0);
    return static_cast<std::size_t>(std::min({samples, most, static_cast<double>(model.maxBatch)}));
  }

  Status compare(const NetcReferenceEntry &entry, const NetcEntry &compiled) {
    ScalarInputs inputs{static_cast<double>(count), static_cast<double>(core.step()), static_cast<double>(core.epoch()), plannedSteps,
                        core.seed()};
    Reference exact(entry, static_cast<std::int64_t>(count), inputs, false);
    Reference single(entry, static_cast<std::int64_t>(count), inputs, true);
    place(exact);
    place(single);
    exact.evaluate();
    single.evaluate();
    const std::vector<Values> results = runCompiled(compiled);
    if (core.status() != Status::ok) return failed(entry.name, exact);
    for (std::size_t r = 0; r < results.size(); ++r) {
      const Status status = compareValues(entry.name, compiled.results[r].name, results[r], exact.tensors[exact.results[r]].values,
                                          single.tensors[exact.results[r]].values);
      if (status != Status::ok) return status;
    }
    for (const Reference::Pair &next : exact.next) {
      const Status status = compareUpdate(entry.name, exact, single, next);
      if (status != Status::ok) return status;
    }
    return compareDifferences(entry.name, exact);
  }

  /// A call that does not succeed is wrong unless the formulas give no finite loss either.
  Status failed(const char *entry, const Reference &exact) {
    const bool wrong = core.status() == Status::nonFiniteLoss && std::isfinite(loss(exact));
    return fail(message, wrong ? Status::wrongResult : core.status(), "%s: %s", entry, core.message());
  }

  /// Inputs and store, as they are now.
  void place(Reference &to) {
    for (Reference::Tensor &t : to.tensors) {
      if (t.model < 0) continue;
      const NetcTensor &table = model.tensors[t.model];
      const unsigned char *bytes = inStore(table) ? core.store() + table.store : given[static_cast<std::size_t>(t.model)].data();
      Places places(table);
      for (double &value : t.values) value = asDouble(table.type, bytes, places.next());
    }
  }

  std::vector<Values> runCompiled(const NetcEntry &entry) {
    std::vector<std::vector<unsigned char>> memory;
    std::vector<void *> outputs;
    std::vector<const void *> inputs;
    for (std::int64_t r = 0; r < entry.resultCount; ++r)
      memory.emplace_back(elementCount(entry.results[r].shape, entry.results[r].rank) * bytesOf(entry.results[r].type));
    for (auto &bytes : memory) outputs.push_back(bytes.data());
    for (const auto &bytes : given)
      if (!bytes.empty()) inputs.push_back(bytes.data());
    core.run(entry.name, inputs.data(), outputs.data(), count);
    std::vector<Values> values;
    for (std::int64_t r = 0; r < entry.resultCount; ++r) {
      const NetcResult &result = entry.results[r];
      values.emplace_back(elementCount(result.shape, result.rank));
      for (std::size_t i = 0; i < values.back().size(); ++i)
        values.back()[i] = asDouble(result.type, memory[static_cast<std::size_t>(r)].data(), i);
    }
    return values;
  }

  Status compareValues(const char *entry, const char *name, const Values &found, const Values &want, const Values &single) {
    const double unit = ulp(largest(want));
    std::size_t at = 0;
    const double worst = worstDistance(found, want, &at), usual = worstDistance(single, want);
    if (worst <= worseThanUsual * (usual + freeUlps * unit)) return Status::ok;
    return fail(message, Status::wrongResult, "%s %s: element %zu is %.9g, expected %.9g", entry, name, at, found[at], want[at]);
  }

  Status compareUpdate(const char *entry, const Reference &exact, const Reference &single, const Reference::Pair &next) {
    const Reference::Tensor &state = exact.tensors[next.first];
    const NetcTensor &table = model.tensors[state.model];
    const Values &want = exact.tensors[next.second].values, &rounded = single.tensors[next.second].values;
    Values found(want.size());
    Places places(table);
    for (double &value : found) value = asDouble(NETC_F32, core.store() + table.store, places.next());
    const Status status = compareValues(entry, table.name, found, want, rounded);
    if (status != Status::ok) return status;
    const double change = worstDistance(want, state.values), worst = worstDistance(found, want);
    if (worst <= updateTolerance * change + ulp(largest(want)) + worseThanUsual * worstDistance(rounded, want)) return Status::ok;
    return fail(message, Status::wrongResult, "%s %s: off by %.3g, but it changes by %.3g only", entry, table.name, worst, change);
  }

  /// The gradients against differences of the losses along drawn directions of all parameters.
  Status compareDifferences(const char *entry, Reference &exact) {
    if (exact.gradients.empty()) return Status::ok;
    for (int k = 0; k < directions; ++k) {
      const Status status = compareDirection(entry, exact, threefry(seed, static_cast<std::uint64_t>(k)));
      if (status != Status::ok) return status;
    }
    return Status::ok;
  }

  static double length(const Values &v) {
    double squares = 0;
    for (const double x : v) squares += x * x;
    return std::sqrt(squares);
  }

  Status compareDirection(const char *entry, Reference &exact, std::uint64_t key) {
    double longest = 0, most = 0, expected = 0;
    for (const Reference::Pair &g : exact.gradients) longest = std::max(longest, length(exact.tensors[g.second].values));
    std::vector<Values> along, before;
    for (const Reference::Pair &g : exact.gradients) { // each parameter's share in the derivative is about 1
      const Values &gradient = exact.tensors[g.second].values;
      const double size = std::max(length(gradient), gradientRange * longest), scale = size > 0 ? 1 / size : 1;
      along.emplace_back(gradient.size());
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        along.back()[i] = threefry(threefry(key, g.first), i) & 1 ? scale : -scale;
        expected += gradient[i] * along.back()[i];
      }
      most = std::max(most, scale);
      before.push_back(exact.tensors[g.first].values);
    }
    const double step = move / most, base = loss(exact);
    const auto moveTo = [&](double distance) {
      for (std::size_t p = 0; p < along.size(); ++p)
        for (std::size_t i = 0; i < along[p].size(); ++i)
          exact.tensors[exact.gradients[p].first].values[i] = before[p][i] + distance * along[p][i];
    };
    const auto lossAt = [&](double distance) {
      moveTo(distance);
      exact.evaluateLosses();
      return loss(exact);
    };
    const double found = (lossAt(step) - lossAt(-step)) / (2 * step);
    moveTo(0); // the other values are of no further use
    const double tolerance = differenceTolerance * static_cast<double>(1 + along.size()) + lossRounding * std::fabs(base) / step;
    if (distance(found, expected) <= tolerance) return Status::ok;
    return fail(message, Status::wrongResult, "%s: the gradients give %.9g along a direction, differences of the loss %.9g", entry,
                expected, found);
  }

  double loss(const Reference &exact) const {
    double sum = 0;
    for (const std::size_t t : exact.losses) sum += exact.tensors[t].values[0];
    return sum;
  }

  using Floats = std::vector<float>;
  const std::vector<unsigned char> noBytes;
  const NetcReference &reference;
  const NetcModel &model;
  Core core;
  std::uint64_t seed;
  char *message;
  std::vector<std::vector<unsigned char>> given; // by tensor of the model
  std::size_t count;
};

} // namespace

Status selfTest(const NetcModel &model, char *message, const char *target) {
  char unread[messageSize];
  if (!message) message = unread;
  message[0] = 0;
  if (!model.reference) return fail(message, Status::noSuchEntry, "%s has no self-test: netc --selftest adds it", model.name);
  std::uint64_t seed = 0; // never the same data twice: what one draw does not decide, another does
  for (const double samples : sampleCounts) {
    Status status = Status::wrongResult;
    for (int k = 0; k < attempts && status == Status::wrongResult; ++k)
      status = Comparison(model, target, samples, seed++, message).run();
    if (status != Status::ok) return status;
  }
  message[0] = 0;
  return Status::ok;
}

} // namespace netc

extern "C" int netc_self_test(const NetcModel *model, char *message, const char *target) {
  return static_cast<int>(netc::selfTest(*model, message, target));
}
