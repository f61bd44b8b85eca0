// The verifier: invariants 1, 2, 3 and 12 here; each formula's own in verify_clauses.cpp and verify_writes.cpp.
#include "compiler/graph/verifier.h"
#include "compiler/graph/verify_formula.h"
#include "compiler/support/entry_name.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <set>
#include <unordered_set>

namespace netc::graph {

namespace {

constexpr std::int64_t maxElements = std::int64_t(1) << 40; // of a tensor
constexpr std::size_t formulasOfThread = 64; // fewer are checked before a thread has started

/// NaN equals itself here.
bool sameValues(const std::vector<double> &a, const std::vector<double> &b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) {
           return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
         });
}

bool sameDeclaration(const Tensor &a, const Tensor &b) {
  return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape && a.kind == b.kind && a.init == b.init &&
         sameValues(a.values, b.values) && a.classes == b.classes && a.classNames == b.classNames;
}

std::string shapeText(const Tensor &t) {
  std::string text;
  for (const Extent &e : t.shape)
    text += (text.empty() ? "" : ", ") + (e.batch ? "N" : std::to_string(e.size));
  return "[" + text + "]";
}

/// What has been reported of a module.
struct Reported {
  std::set<std::string> messages; // entries have formulas in common
  std::set<int> doubted;          // tensors that a report has spoken about
};

class GraphCheck {
public:
  GraphCheck(const Graph &g, Reported &reported, Diagnostics &diag) : g(g), reported(reported), diag(diag) {}

  void run() {
    reported.doubted.erase(reported.doubted.lower_bound(g.sharedCount()), reported.doubted.end());
    tensors();
    definitions();
    formulas();
    results();
    nexts();
  }

private:
  bool valid(int t) const { return t >= 0 && t < static_cast<int>(g.tensors.size()); }

  /// One mistake is one message: not when a report has spoken of one of these tensors already (-1: none). True when it
  /// is said.
  bool report(std::initializer_list<int> about, const Location &at, std::string message) {
    const bool known = std::any_of(about.begin(), about.end(), [&](int t) { return reported.doubted.contains(t); });
    for (const int t : about)
      if (t >= 0) reported.doubted.insert(t);
    if (known || !reported.messages.insert(message).second) return false;
    diag.error(at, std::move(message));
    return true;
  }

  void tensors() {
    std::unordered_set<std::string_view> names;
    const int shared = g.sharedCount();
    for (int t = 0; t < static_cast<int>(g.tensors.size()); ++t) {
      const Tensor &x = g.tensors[t];
      if (!names.insert(x.name).second)
        report({t}, placeOf(x), fmt::format("tensor '{}' is declared twice in entry '{}'", x.name, g.name));
      if (x.shared() && t >= shared)
        report({t}, placeOf(x), fmt::format("shared tensor '{}' stands behind the entry's own", x.name));
      shape(t, x);
      if (x.kind == TensorKind::Gradient)
        gradient(t, x);
    }
  }

  void shape(int number, const Tensor &t) {
    const auto fault = [&](std::string what) { report({number}, placeOf(t), fmt::format("'{}' {}", t.name, what)); };
    std::int64_t elements = 1;
    for (const Extent &e : t.shape) {
      if (e.size < 1)
        return fault(fmt::format("has an extent {}, expected at least 1", e.size));
      if (e.batch && e.size != g.batch)
        return fault(fmt::format("has the planned batch {}, expected {}", e.size, g.batch));
      if (e.batch && (t.inStore() || t.kind == TensorKind::Constant))
        return fault("has a batch extent, but only inputs, targets and results may");
      if (e.size > maxElements / elements)
        return fault(fmt::format("has more than {} elements", maxElements));
      elements *= e.size;
    }
    if (t.kind == TensorKind::Constant && static_cast<std::int64_t>(t.values.size()) != elements)
      report({number}, placeOf(t),
             fmt::format("constant '{}' has {} values, expected {}", t.name, t.values.size(), elements));
  }

  void gradient(int number, const Tensor &t) {
    if (!valid(t.of) || g.tensors[t.of].kind == TensorKind::Gradient) {
      report({number}, placeOf(t), fmt::format("gradient '{}' is of no tensor", t.name));
      return;
    }
    const Tensor &of = g.tensors[t.of];
    if (t.shape != of.shape)
      report({number, t.of}, placeOf(t),
             fmt::format("gradient '{}' has shape {}, expected {} as '{}' has", t.name, shapeText(t), shapeText(of), of.name));
    if (t.dtype != DType::F32 || of.dtype != DType::F32)
      report({number, t.of}, placeOf(t),
             fmt::format("gradient '{}' of '{}' has type {} of {}, expected f32 of f32", t.name, of.name, name(t.dtype),
                         name(of.dtype)));
  }

  void definitions() {
    definedBy.assign(g.tensors.size(), -1);
    for (std::size_t f = 0; f < g.formulas.size(); ++f) {
      const int t = g.formulas[f].target;
      const Location &at = placeOf(g.formulas[f]);
      if (!valid(t)) {
        report({}, at, fmt::format("formula {} has no target", f + 1));
        continue;
      }
      const Tensor &x = g.tensors[t];
      if (x.kind != TensorKind::Local)
        report({t}, at, fmt::format("'{}' is the target of a formula, but only locals may be", x.name));
      if (definedBy[t] >= 0)
        report({t}, at, fmt::format("'{}' is the target of two formulas", x.name));
      definedBy[t] = static_cast<int>(f);
    }
    for (int t = 0; t < static_cast<int>(g.tensors.size()); ++t)
      if (g.tensors[t].kind == TensorKind::Local && definedBy[t] < 0)
        report({t}, placeOf(g.tensors[t]), fmt::format("'{}' has no formula", g.tensors[t].name));
  }

  void formulas() {
    std::vector<Finding> findings(g.formulas.size());
    onAllProcessors(findings.size(), [&](std::size_t f) { findings[f] = findingOf(f); }, formulasOfThread);
    for (std::size_t i = 0; i < findings.size(); ++i) {
      const Formula &f = g.formulas[i];
      const Finding &finding = findings[i];
      if (finding.found() && report({f.target, finding.tensor()}, placeOf(f), finding.text()) && f.written.known() &&
          *f.location.file != *f.written.file)
        diag.note(f.location, "the formula was made for this place");
    }
  }

  Finding findingOf(std::size_t number) const {
    const Formula &f = g.formulas[number];
    Finding finding;
    if (!valid(f.target))
      return finding;
    for (const Clause &c : f.clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read && valid(n.id) && g.tensors[n.id].kind == TensorKind::Local &&
            definedBy[n.id] >= static_cast<int>(number))
          finding.add(fmt::format("formula of '{}' reads '{}', which is {}", g.tensors[f.target].name, g.tensors[n.id].name,
                                  n.id == f.target ? "its own result" : "defined after it"));
    for (auto *check : {verifyClauses, verifyReads, verifyWrites})
      if (!finding.found())
        check(g, f, finding);
    return finding;
  }

  bool isOneNumber(const Tensor &t) const {
    for (const Extent &e : t.shape)
      if (e.batch || e.size != 1)
        return false;
    return t.dtype == DType::F32;
  }

  void results() {
    std::set<std::pair<Result::Kind, std::string>> names;
    for (const Result &r : g.results) {
      if (!valid(r.tensor)) {
        report({}, g.written, fmt::format("result '{}' of entry '{}' is no tensor", r.name, g.name));
        continue;
      }
      const Tensor &t = g.tensors[r.tensor];
      if (r.kind != Result::Kind::Output && !isOneNumber(t))
        report({r.tensor}, placeOf(t), fmt::format("{} '{}' is {}{}, expected one number of type f32",
                                                   r.kind == Result::Kind::Loss ? "loss" : "metric", r.name, name(t.dtype),
                                                   shapeText(t)));
      if (!names.insert({r.kind, r.name}).second)
        report({}, placeOf(t), fmt::format("two results are named '{}'", r.name));
    }
  }

  void nexts() {
    std::set<int> seen;
    for (const Next &n : g.next) {
      if (!valid(n.state) || !valid(n.value)) {
        report({}, g.written, fmt::format("a next of entry '{}' names no tensor", g.name));
        continue;
      }
      const Tensor &s = g.tensors[n.state], &v = g.tensors[n.value];
      if (!s.inStore())
        report({n.state}, placeOf(s), fmt::format("next '{}': expected a param or a state", s.name));
      if (s.shape != v.shape || s.dtype != v.dtype)
        report({n.state, n.value}, placeOf(v), fmt::format("next '{}' has {}{}, but its value '{}' has {}{}", s.name,
                                                           name(s.dtype), shapeText(s), v.name, name(v.dtype), shapeText(v)));
      if (!seen.insert(n.state).second)
        report({n.state}, placeOf(s), fmt::format("'{}' has two next values", s.name));
    }
  }

  const Graph &g;
  Reported &reported;
  Diagnostics &diag;
  std::vector<int> definedBy; // formula number of each tensor
};

} // namespace

bool verify(const Graph &g, Diagnostics &diag) {
  const int before = diag.errorCount();
  Reported reported;
  GraphCheck(g, reported, diag).run();
  return diag.errorCount() == before;
}

namespace {

void verifyWindow(const Module &m, const Graph &g, Diagnostics &diag) {
  const bool sums = roleOf(g.name) == "accumulate";
  if (sums && (g.every > 0 || g.every == everyEpoch)) {
    const std::string update = besides(g.name, "apply");
    if (!m.entry(update)) diag.error(g.written, fmt::format("entry '{}' expects an entry '{}' beside it", g.name, update));
  } else if (g.every != 0 || sums) {
    diag.error(g.written, fmt::format("entry '{}' says every {}, expected {}", g.name, g.every,
                                      sums ? "1 or more samples or epoch" : "nothing"));
  }
  if (roleOf(g.name) != "apply") return;
  for (const Formula &f : g.formulas)
    for (const Clause &c : f.clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read && n.id >= 0 && n.id < static_cast<int>(g.tensors.size()) &&
            (g.tensors[n.id].kind == TensorKind::Input || g.tensors[n.id].kind == TensorKind::Target))
          diag.error(placeOf(f), fmt::format("'{}' of entry '{}' reads '{}', but it is called without inputs",
                                             g.tensors[f.target].name, g.name, g.tensors[n.id].name));
}

} // namespace

bool verify(const Module &m, Diagnostics &diag) {
  const int before = diag.errorCount();
  Reported reported;
  for (const Graph &g : m.entries) {
    if (g.batch != m.batch)
      diag.error(g.written, fmt::format("entry '{}' has batch {}, expected {}", g.name, g.batch, m.batch));
    const Graph &first = m.entries.front();
    if (g.sharedCount() != first.sharedCount())
      diag.error(g.written, fmt::format("entry '{}' shares {} tensors, expected {} as '{}' does", g.name, g.sharedCount(),
                                 first.sharedCount(), first.name));
    else
      for (int t = 0; t < g.sharedCount(); ++t)
        if (!sameDeclaration(g.tensors[t], first.tensors[t]))
          diag.error(g.tensors[t].location, fmt::format("shared tensor '{}' of entry '{}' differs from that of '{}'",
                                                        g.tensors[t].name, g.name, first.name));
    GraphCheck(g, reported, diag).run();
    verifyWindow(m, g, diag);
  }
  return diag.errorCount() == before;
}

} // namespace netc::graph
