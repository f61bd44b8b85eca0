#include "compiler/loop/copy.h"
#include "compiler/loop/passes.h"
#include "compiler/support/division.h"

#include <algorithm>
#include <set>

namespace netc::loop {

namespace {

constexpr std::size_t mostPieces = 6;
constexpr std::int64_t mostStatements = 4000; // of a loop after splitting and unrolling
constexpr std::int64_t mostPoints = 1024;     // of the unrolled loops that a guard depends on

struct ConstantRange {
  std::int64_t begin, end, step;
  std::int64_t points() const { return end > begin ? (end - begin + step - 1) / step : 0; }
};

std::optional<ConstantRange> constantRange(const For &f) {
  ConstantRange r{f.lower[0].constant(), f.upper[0].constant(), f.step};
  for (const Affine &a : f.lower) {
    if (!a.isConstant()) return std::nullopt;
    r.begin = std::max(r.begin, a.constant());
  }
  for (const Affine &a : f.upper) {
    if (!a.isConstant()) return std::nullopt;
    r.end = std::min(r.end, a.constant());
  }
  return r;
}

/// Decides where to split, innermost loops first, so that the size of a loop counts what happens inside it.
class Planner {
public:
  std::unordered_map<const Statement *, std::vector<std::int64_t>> cuts; // by loop, where pieces begin but the first

  /// The number of statements that the block will have once split and unrolled.
  std::int64_t plan(const Block &block) {
    std::int64_t size = 0;
    for (const StatementPtr &s : block) size += plan(*s);
    return size;
  }

private:
  std::int64_t plan(const Statement &s) {
    const Block *body = bodyOf(s);
    if (!body) return 1;
    const std::int64_t size = 1 + plan(*body);
    const For *f = std::get_if<For>(&s.node);
    const auto range = f ? constantRange(*f) : std::nullopt;
    if (!range) return size;
    if (f->unroll) return size * range->points();
    std::vector<std::int64_t> places = changes(*f, *range);
    if (places.size() + 1 > mostPieces) places = aroundLargest(places, *range);
    const auto pieces = static_cast<std::int64_t>(places.size()) + 1;
    if (places.empty() || size * pieces > mostStatements) return size;
    cuts[&s] = std::move(places);
    return size * pieces;
  }

  /// The values of the loop's variable, its first excepted, from which on some guard below gives another answer.
  static std::vector<std::int64_t> changes(const For &loop, const ConstantRange &range) {
    std::set<std::int64_t> places;
    std::unordered_map<int, ConstantRange> unrolled;
    const std::function<void(const Block &)> walk = [&](const Block &block) {
      for (const StatementPtr &s : block) {
        const For *f = std::get_if<For>(&s->node);
        const auto inner = f && f->unroll ? constantRange(*f) : std::nullopt;
        if (inner) unrolled.insert_or_assign(f->var, *inner);
        if (auto *guard = std::get_if<If>(&s->node))
          for (const Affine &c : guard->conditions) addChanges(c, loop.var, range, unrolled, places);
        if (const Block *body = bodyOf(*s)) walk(*body);
        if (inner) unrolled.erase(f->var);
      }
    };
    walk(loop.body);
    return {places.begin(), places.end()};
  }

  static void addChanges(const Affine &condition, int var, const ConstantRange &range,
                         const std::unordered_map<int, ConstantRange> &unrolled, std::set<std::int64_t> &places) {
    const std::int64_t k = condition.coefficient(var);
    if (k == 0) return;
    std::vector<std::int64_t> rests{condition.constant()};
    for (auto &[v, factor] : condition.terms()) {
      if (v == var) continue;
      const auto found = unrolled.find(v);
      if (found == unrolled.end()) return; // changes at no constant place
      const ConstantRange &r = found->second;
      if (static_cast<std::int64_t>(rests.size()) * r.points() > mostPoints) return;
      std::vector<std::int64_t> next;
      for (const std::int64_t rest : rests)
        for (std::int64_t x = r.begin; x < r.end; x += r.step) next.push_back(rest + factor * x);
      rests = std::move(next);
    }
    for (const std::int64_t rest : rests) {
      // k > 0: holds from ceil(-rest / k) on; k < 0: up to floor(rest / -k)
      const std::int64_t at = k > 0 ? -floorDivide(rest, k) : floorDivide(rest, -k) + 1;
      const std::int64_t onPhase = range.begin - floorDivide(range.begin - at, range.step) * range.step;
      if (onPhase > range.begin && onPhase < range.end) places.insert(onPhase);
    }
  }

  /// Too many places: the longest stretch between two of them stays apart, the guards remain at the edges.
  static std::vector<std::int64_t> aroundLargest(const std::vector<std::int64_t> &places, const ConstantRange &r) {
    std::vector<std::int64_t> ends = places;
    ends.insert(ends.begin(), r.begin);
    ends.push_back(r.end);
    std::size_t best = 0;
    for (std::size_t i = 0; i + 1 < ends.size(); ++i)
      if (ends[i + 1] - ends[i] > ends[best + 1] - ends[best]) best = i;
    std::vector<std::int64_t> kept;
    for (const std::int64_t e : {ends[best], ends[best + 1]})
      if (e > r.begin && e < r.end) kept.push_back(e);
    return kept;
  }
};

class Splitter {
public:
  Splitter(Kernel &k, const Planner &plan)
      : plan(plan), registers(k, [&](const Statement &s) { return plan.cuts.count(&s) > 0; }) {}

  Block split(const Block &block) {
    Block out;
    out.reserve(block.size());
    for (const StatementPtr &s : block) split(s, out);
    return out;
  }

private:
  void split(const StatementPtr &s, Block &out) {
    Statement copy = rewritten(*s, how);
    if (auto *f = std::get_if<For>(&copy.node)) {
      if (const auto cuts = plan.cuts.find(s.get()); cuts != plan.cuts.end())
        return splitLoop(s, *f, cuts->second, out);
      f->body = split(f->body);
    } else if (auto *i = std::get_if<If>(&copy.node)) {
      i->body = split(i->body);
    }
    out.push_back(std::make_shared<const Statement>(std::move(copy)));
  }

  void splitLoop(const StatementPtr &original, const For &f, const std::vector<std::int64_t> &cuts, Block &out) {
    for (std::size_t piece = 0; piece <= cuts.size(); ++piece) {
      For part = f;
      if (piece > 0) part.lower = {cuts[piece - 1]};
      if (piece < cuts.size()) part.upper = {cuts[piece]};
      registers.begin(*original);
      part.body = split(f.body);
      out.push_back(make(std::move(part)));
    }
  }

  const Planner &plan;
  RegisterCopies registers;
  const Rewrite how{{}, [this](int r) { return registers[r]; }};
};

} // namespace

void split(Kernel &k, std::int64_t) {
  Planner plan;
  plan.plan(k.body);
  if (!plan.cuts.empty()) k.body = Splitter(k, plan).split(k.body);
}

} // namespace netc::loop
