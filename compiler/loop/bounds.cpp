#include "compiler/loop/bounds.h"

#include "compiler/support/division.h"

#include <algorithm>
#include <limits>

namespace netc::loop {

namespace {

constexpr std::int64_t unbounded = std::numeric_limits<std::int32_t>::max();
constexpr int triedPoints = 200'000; // in one nonNegativeByTrying

} // namespace

Bounds::Bounds(const Kernel &k, std::int64_t batch) : batch(batch) {
  facts.resize(std::max<std::size_t>(k.variables.size(), firstLoopVariable));
  const Affine count = Affine::var(Count), blocks = Affine::var(Blocks), full = Affine::var(FullBlocks);
  bind(FullBlocks, depth++);
  addLower(FullBlocks, 0, 1);
  addUpper(FullBlocks, batch / lanes, 1);
  bind(Blocks, depth++); // max(1, fullBlocks) <= blocks <= fullBlocks + 1
  addLower(Blocks, 1, 1);
  addLower(Blocks, full, 1);
  addUpper(Blocks, full + 1, 1);
  addUpper(Blocks, (batch + lanes - 1) / lanes, 1);
  bind(Count, depth++);
  addLower(Count, 1, 1);
  addLower(Count, full * lanes, 1);
  addLower(Count, blocks * lanes - (lanes - 1), 1);
  addUpper(Count, batch, 1);
  addUpper(Count, full * lanes + (lanes - 1), 1);
  addUpper(Count, blocks * lanes, 1);
  bind(Turn, depth++);
  addLower(Turn, 0, 1);
  addUpper(Turn, std::max<std::int64_t>(k.turns, 1) - 1, 1);
  if (k.parallel >= 0 && k.parallel < static_cast<int>(facts.size())) {
    bind(k.parallel, depth++);
    addLower(k.parallel, 0, 1);
    addUpper(k.parallel, k.parallelExtent - 1, 1);
  }
}

void Bounds::bind(int var, int at) {
  facts[var] = Facts{at, {}, {}, {-unbounded, unbounded}, 1, 0};
}

void Bounds::addLower(int var, Affine by, std::int64_t factor) {
  Facts &f = facts[var];
  f.interval.min = std::max(f.interval.min, ceilDivide(range(by).min, factor));
  f.lower.push_back({std::move(by), factor});
}

void Bounds::addUpper(int var, Affine by, std::int64_t factor) {
  Facts &f = facts[var];
  f.interval.max = std::min(f.interval.max, floorDivide(range(by).max, factor));
  f.upper.push_back({std::move(by), factor});
}

void Bounds::enter(const For &loop) {
  frames.push_back(undo.size());
  ++depth;
  if (loop.var < 0 || loop.var >= static_cast<int>(facts.size())) return;
  remember(loop.var);
  bind(loop.var, depth);
  for (const Affine &l : loop.lower) addLower(loop.var, l, 1);
  for (const Affine &u : loop.upper) {
    const Affine extent = u - loop.lower[0];
    const bool lastKnown = loop.step > 1 && loop.lower.size() == 1 && extent.isConstant();
    const std::int64_t overshoot = lastKnown && extent.constant() > 0 ? (extent.constant() - 1) % loop.step : 0;
    addUpper(loop.var, u - 1 - overshoot, 1);
  }
  facts[loop.var].step = std::max<std::int64_t>(loop.step, 1);
  facts[loop.var].loopBounds = loop.lower.size();
}

void Bounds::enter(const std::vector<Affine> &conditions) {
  frames.push_back(undo.size());
  ++depth;
  for (const Affine &c : conditions) {
    // It bounds the innermost variable; one on the number of samples, which several loops share, all of them.
    const int inner = innermost(c);
    const bool samples = c.uses(Count);
    for (const auto &[v, k] : c.terms()) {
      if (v >= static_cast<int>(facts.size()) || (v != inner && (v < firstLoopVariable || !samples))) continue;
      remember(v);
      const Affine rest = c - Affine::var(v, k);
      if (k > 0) addLower(v, rest * -1, k); // k*v >= -rest
      else addUpper(v, rest, -k);           // -k*v <= rest
    }
  }
}

void Bounds::leave() {
  for (; undo.size() > frames.back(); undo.pop_back()) facts[undo.back().var] = std::move(undo.back().before);
  frames.pop_back();
  --depth;
}

int Bounds::innermost(const Affine &e) const {
  int best = -1;
  for (auto &[v, k] : e.terms())
    if (v < static_cast<int>(facts.size()) && (best < 0 || facts[v].depth > facts[best].depth)) best = v;
  return best;
}

Interval Bounds::range(const Affine &e) const {
  return e.range([&](int v) {
    return v < static_cast<int>(facts.size()) ? facts[v].interval : Interval{-unbounded, unbounded};
  });
}

/// One search for a proof. A variable is replaced once on a way: two bounds that name each other's variables would go round
/// in circles, and the numbers grow each time.
struct Bounds::Proof {
  int budget = 200; // replacements tried
  std::vector<int> replaced;
};

bool Bounds::nonNegative(const Affine &e) const {
  if (e.isConstant()) return e.constant() >= 0;
  const Interval r = range(e);
  if (r.min >= 0) return true;
  if (r.max < 0) return false;
  Proof proof;
  return prove(e, proof);
}

bool Bounds::prove(const Affine &e, Proof &proof) const {
  const Interval r = range(e);
  if (r.min >= 0) return true;
  if (r.max < 0 || e.isConstant() || --proof.budget < 0) return false;
  const int v = innermost(e);
  if (v < 0 || std::find(proof.replaced.begin(), proof.replaced.end(), v) != proof.replaced.end()) return false;
  const std::int64_t k = e.coefficient(v);
  const Affine rest = e - Affine::var(v, k);
  proof.replaced.push_back(v);
  const auto &bounds = k > 0 ? facts[v].lower : facts[v].upper; // factor*e = k*(factor*v) + factor*rest
  const bool proved = std::any_of(bounds.begin(), bounds.end(), [&](const Bound &b) { return prove(b.by * k + rest * b.factor, proof); });
  proof.replaced.pop_back();
  return proved;
}

bool Bounds::surelyRuns(const For &loop) const {
  for (const Affine &l : loop.lower)
    for (const Affine &u : loop.upper)
      if (!nonNegative(u - l - 1)) return false;
  return true;
}

bool Bounds::neverRuns(const For &loop) const {
  for (const Affine &l : loop.lower)
    for (const Affine &u : loop.upper)
      if (nonNegative(l - u)) return true;
  return false;
}

/// Trying all points: variables in scope order, each between its bounds.
struct Bounds::Trial {
  const Affine &e;
  std::vector<int> order;
  std::vector<std::int64_t> value; // by variable
  int points = triedPoints;
};

std::optional<bool> Bounds::nonNegativeByTrying(const Affine &e) const {
  Trial trial{e, {}, std::vector<std::int64_t>(facts.size(), 0)};
  std::vector<bool> matters(facts.size(), false);
  const auto need = [&](const Affine &a) {
    for (auto &[v, k] : a.terms())
      if (v < static_cast<int>(facts.size())) matters[v] = true;
  };
  need(e);
  std::vector<int> scope;
  for (std::size_t v = 0; v < facts.size(); ++v)
    if (facts[v].depth >= 0) scope.push_back(static_cast<int>(v));
  std::sort(scope.begin(), scope.end(), [&](int a, int b) { return facts[a].depth > facts[b].depth; });
  for (const int v : scope) { // innermost first: bounds name variables further out
    if (!matters[v] || v < Turn) continue;
    for (const Bound &b : facts[v].lower) need(b.by);
    for (const Bound &b : facts[v].upper) need(b.by);
    trial.order.insert(trial.order.begin(), v);
  }
  const bool sizes = matters[Count] || matters[Blocks] || matters[FullBlocks];
  for (std::int64_t count = 1; count <= (sizes ? batch : 1); ++count) {
    trial.value[Count] = count;
    trial.value[Blocks] = (count + lanes - 1) / lanes;
    trial.value[FullBlocks] = count / lanes;
    if (!tryAll(trial, 0)) return trial.points < 0 ? std::nullopt : std::optional(false);
  }
  return true;
}

bool Bounds::tryAll(Trial &trial, std::size_t level) const {
  const auto valueOf = [&](int v) { return trial.value[v]; };
  if (--trial.points < 0) return false;
  if (level == trial.order.size()) return trial.e.evaluate(valueOf) >= 0;
  const int v = trial.order[level];
  const Facts &f = facts[v];
  std::int64_t low = -unbounded, begin = -unbounded, high = unbounded;
  for (std::size_t i = 0; i < f.lower.size(); ++i) {
    low = std::max(low, ceilDivide(f.lower[i].by.evaluate(valueOf), f.lower[i].factor));
    if (i < f.loopBounds) begin = low;
  }
  for (const Bound &b : f.upper) high = std::min(high, floorDivide(b.by.evaluate(valueOf), b.factor));
  if (f.step > 1 && f.loopBounds > 0) low = begin + ceilDivide(low - begin, f.step) * f.step; // guards keep the phase
  for (std::int64_t x = low; x <= high; x += f.step) {
    trial.value[v] = x;
    if (!tryAll(trial, level + 1)) return false;
  }
  return true;
}

} // namespace netc::loop
