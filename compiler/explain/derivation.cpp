#include "compiler/explain/derivation.h"

#include "compiler/explain/algebra.h"
#include "compiler/explain/subject.h"
#include "compiler/passes/passes.h"

#include <algorithm>
#include <set>
#include <utility>

namespace netc::explain {

using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Tensor;
using graph::TensorKind;

namespace {

/// One clause whose result is indexed by different plain indices that reach every element: a term can stand for it.
bool isPlain(const Graph &g, const Formula &f) {
  if (f.clauses.size() != 1 || f.otherwise) return false;
  const Clause &c = f.clauses[0];
  std::set<int> seen;
  for (std::size_t k = 0; k < c.out.size(); ++k) {
    int v = -1;
    if (!c.out[k].isVar(&v) || !seen.insert(v).second) return false;
    if (c.domain[static_cast<std::size_t>(v)].extent != g.tensors[static_cast<std::size_t>(f.target)].shape[k]) return false;
  }
  return true;
}

class Narrator {
 public:
  explicit Narrator(Derivation &d) : d(d), g(d.graph), gathered(d.graph) {
    passes::scatterToGather(gathered);
    for (std::size_t i = 0; i < g.formulas.size(); ++i) (isBackward(g.formulas[i]) ? backward : forward).push_back(i);
  }

  void run() {
    for (std::size_t i : forward) tellForward(g.formulas[i]);
    Section section{-1, -1, {}};
    for (std::size_t i : backward) {
      tellBackward(i, section);
      const int t = g.formulas[i].target;
      if (!wanted(t)) continue;
      section.parameter = d.gradientOf.at(t);
      section.gradient = t;
      Section next{-1, -1, takeUnused(section)};
      d.sections.push_back(std::exchange(section, std::move(next)));
    }
  }

 private:
  const Tensor &tensor(int t) const { return g.tensors[static_cast<std::size_t>(t)]; }
  bool isBackward(const Formula &f) const { return d.gradientOf.count(f.target) > 0; }
  bool wanted(int t) const {
    return std::any_of(g.results.begin(), g.results.end(), [&](const graph::Result &r) {
      return r.kind == graph::Result::Kind::Output && r.tensor == t && d.gradientOf.count(t);
    });
  }

  /// The steps before the last that go into other gradients than this section's.
  static std::vector<Step> takeUnused(Section &s) {
    auto usedByLast = [&](const Step &step) {
      bool used = false;
      for (const Statement &last : s.steps.back().chainRule)
        visit(*last.value, [&](const Term &t) {
          used |= t.kind == Term::Kind::Read && t.tensor == step.chainRule[0].tensor;
        });
      return used;
    };
    std::size_t from = s.steps.size() - 1;
    while (from > 0 && s.steps[from - 1].result.empty() && !usedByLast(s.steps[from - 1])) --from;
    const auto begin = s.steps.begin() + static_cast<std::ptrdiff_t>(from), end = s.steps.end() - 1;
    std::vector<Step> taken(begin, end);
    s.steps.erase(begin, end);
    return taken;
  }

  // formulas as statements

  std::vector<Statement> statements(const Formula &f) {
    std::vector<Statement> all;
    for (const Clause &c : f.clauses) all.push_back(statement(f, c));
    if (all.size() > 1)
      for (Statement &s : all) s.shape = &s == &all[0] ? Statement::Shape::Declared : Statement::Shape::Absent;
    return all;
  }

  Statement statement(const Formula &f, const Clause &c) {
    std::vector<int> numbers;
    for (const graph::Index &i : c.domain) {
      numbers.push_back(static_cast<int>(d.indices.size()));
      d.indices.push_back(i);
    }
    auto moved = [&](const Affine &a) {
      return a.substitute([&](int v) { return Affine::var(numbers[static_cast<std::size_t>(v)]); });
    };
    Statement s;
    s.tensor = f.target;
    s.otherwise = f.otherwise;
    for (const Affine &a : c.out) s.out.push_back(moved(a));
    const bool scatters = f.op == Combine::Sum && !isPlain(g, f) && f.clauses.size() == 1;
    s.accumulates = scatters;
    s.value = fromNode(g, c, c.body.root, numbers);
    Term r;
    r.kind = Term::Kind::Reduce;
    r.op = f.op;
    for (int p : c.reduction()) r.reduced.push_back(numbers[static_cast<std::size_t>(p)]);
    for (const Affine &a : c.guards) r.guards.push_back(moved(a));
    if (r.reduced.empty() && (f.op == Combine::Assign || f.op == Combine::Sum)) {
      for (const Affine &a : r.guards) s.value = call(Fn::Mul, {holds(a), s.value});
    } else {
      r.args = {s.value};
      s.value = std::make_shared<const Term>(std::move(r));
    }
    return s;
  }

  /// [0 <= a]
  static TermPtr holds(const Affine &a) { return bracket(call(Fn::Le, {number(0), indexTerm(a)})); }

  /// A scattered statement whose indices no subscript gives an extent, as a sum over all points that meet in an element.
  Statement collected(Statement s) {
    std::vector<int> open;
    TermPtr condition;
    auto isAlone = [&](int index) {
      bool alone = false;
      visit(*s.value, [&](const Term &t) {
        for (const Affine &a : t.map)
          if (int v; a.isVar(&v)) alone |= v == index;
      });
      return alone;
    };
    std::vector<Affine> out = s.out;
    for (std::size_t k = 0; k < out.size(); ++k) {
      int v = -1;
      if (out[k].isVar(&v) || out[k].isConstant()) continue;
      const Affine here = Affine::var(static_cast<int>(d.indices.size()));
      d.indices.push_back({"h", tensor(s.tensor).shape[k]});
      for (auto &term : out[k].terms()) open.push_back(term.first);
      const TermPtr same = call(Fn::Eq, {indexTerm(here), indexTerm(out[k])});
      condition = condition ? call(Fn::And, {condition, same}) : same;
      out[k] = here;
    }
    const bool ambiguous = std::any_of(open.begin(), open.end(), [&](int v) { return !isAlone(v); });
    if (!ambiguous || s.otherwise.value_or(0) != 0) return s;
    for (const Affine &a : out) // an index may stand in several dimensions
      for (int v : open)
        if (a.uses(v)) return s;
    Term r;
    r.kind = Term::Kind::Reduce;
    r.reduced = open;
    r.args = {call(Fn::Mul, {bracket(condition), s.value})};
    return {s.tensor, out, std::make_shared<const Term>(std::move(r)), false, {}, Statement::Shape::IfNeeded};
  }

  static TermPtr indexTerm(const Affine &a) {
    Term t;
    t.kind = Term::Kind::Index;
    t.affine = a;
    return std::make_shared<const Term>(std::move(t));
  }
  static TermPtr bracket(const TermPtr &condition) {
    Term t;
    t.kind = Term::Kind::Bracket;
    t.args = {condition};
    return std::make_shared<const Term>(std::move(t));
  }

  /// A term for tensor[map], when its value goes into its readers.
  TermPtr inlined(const Term &read) {
    auto found = inlineValues.find(read.tensor);
    if (found == inlineValues.end()) return nullptr;
    const Statement &s = found->second;
    std::map<int, Affine> by;
    for (std::size_t k = 0; k < s.out.size(); ++k) by[s.out[k].terms()[0].first] = read.map[k];
    return substitute(s.value, by, d.indices);
  }

  TermPtr expanded(const TermPtr &t) {
    return replaceReads(t, [&](const Term &read) { return inlined(read); });
  }

  // forward

  /// A part of a layer or of a larger formula, which the reader does not know by name.
  bool isInternal(const Formula &f) const {
    return tensor(f.target).name.find('.') != std::string::npos && isPlain(g, f) && tensor(f.target).kind == TensorKind::Local;
  }

  /// The value of a layer with parameters or states, inside another layer: a reader knows its name.
  bool isLayerResult(int t) const {
    const std::string below = tensor(t).name + ".";
    return std::any_of(g.tensors.begin(), g.tensors.end(),
                       [&](const Tensor &other) { return other.inStore() && other.name.starts_with(below); });
  }

  std::size_t readCount(const std::vector<std::size_t> &formulas, int t) const {
    return static_cast<std::size_t>(std::count_if(formulas.begin(), formulas.end(),
                                                  [&](std::size_t i) { return readsTensor(g.formulas[i], t); }));
  }

  /// A sum that would be written out in many places: the mean and variance of a normalisation.
  bool isRepeated(int t, const Term &value) const {
    constexpr std::size_t large = 10; // parts; the sum of a softmax's exponentials is shorter
    std::size_t parts = 0;
    bool sums = false;
    visit(value, [&](const Term &part) {
      ++parts;
      sums |= part.kind == Term::Kind::Reduce && part.op == Combine::Sum;
    });
    const std::size_t reads = readCount(forward, t);
    return sums && (reads > 1 || (parts > large && reads + readCount(backward, t) > 1));
  }

  void tellForward(const Formula &f) {
    std::vector<Statement> all = statements(f);
    for (Statement &s : all) s.value = withMeans(expanded(s.value));
    if (isInternal(f) && !isLayerResult(f.target) && !isRepeated(f.target, *all[0].value)) {
      inlineValues[f.target] = all[0];
      return;
    }
    if (isPlain(g, f) && f.op == Combine::Assign) remember(all[0]);
    for (Statement &s : all) d.forward.push_back(std::move(s));
  }

  /// 1 / N * sum(n) ... is what mean(n) ... has become, and 1 / N * (c * sum(n, s) ...) what mean(n, s) ... has.
  TermPtr withMeans(const TermPtr &t) const {
    if (t->kind == Term::Kind::Call && t->fn == Fn::Mul && isInverseOfN(*t->args[0])) {
      const Term &factor = *t->args[1];
      const bool scaled = factor.kind == Term::Kind::Call && factor.fn == Fn::Mul && factor.args[0]->kind == Term::Kind::Number;
      const Term &r = scaled ? *factor.args[1] : factor;
      if (r.kind == Term::Kind::Reduce && r.op == Combine::Sum && std::any_of(r.reduced.begin(), r.reduced.end(), [&](int v) {
            return d.indices[static_cast<std::size_t>(v)].extent.batch;
          })) {
        Term mean = r;
        mean.mean = true;
        TermPtr result = std::make_shared<const Term>(std::move(mean));
        return scaled ? scaledBy(factor.args[0]->value, result) : result;
      }
    }
    std::vector<TermPtr> args;
    for (const TermPtr &a : t->args) args.push_back(withMeans(a));
    return args == t->args ? t : withArgs(*t, std::move(args));
  }

  static bool isInverseOfN(const Term &t) {
    return t.kind == Term::Kind::Call && t.fn == Fn::Div && t.args[0]->value == 1 && t.args[1]->name == "N";
  }

  static TermPtr scaledBy(double c, const TermPtr &t) {
    Term product;
    product.kind = Term::Kind::Product;
    product.value = c;
    product.args = {t};
    product.powers = {1};
    return std::make_shared<const Term>(std::move(product));
  }

  void remember(const Statement &s) {
    KnownValue k{s.tensor, {}, simplified(s.value, d.indices)};
    for (const Affine &a : s.out) k.indices.push_back(a.terms()[0].first);
    using Kind = Term::Kind;
    const Kind kind = k.value->kind;
    const bool isMean = kind == Kind::Product && k.value->args[0]->kind == Kind::Reduce;
    if (kind == Kind::Call || kind == Kind::Sum || kind == Kind::Reduce || isMean || (kind == Kind::Product && k.value->args.size() > 1))
      known.push_back(std::move(k));
  }

  // backward

  bool isCopy(const Formula &f) const {
    if (!isPlain(g, f) || !f.clauses[0].guards.empty() || !f.clauses[0].reduction().empty()) return false;
    const graph::Body &b = f.clauses[0].body;
    return b.nodes[static_cast<std::size_t>(b.root)].kind == graph::Node::Kind::Read;
  }

  /// The backward formulas that use a gradient, seen through copies.
  std::vector<const Formula *> readers(int t) const {
    std::vector<const Formula *> found;
    for (std::size_t i : backward) {
      const Formula &f = g.formulas[i];
      if (!readsTensor(f, t)) continue;
      if (isCopy(f) && !wanted(f.target)) {
        for (const Formula *r : readers(f.target)) found.push_back(r);
      } else {
        found.push_back(&f);
      }
    }
    return found;
  }

  /// The only reader treats each point by itself: there the value reads better than a name.
  bool goesIntoReader(const Formula &f) const {
    if (!isPlain(g, f) || wanted(f.target)) return false;
    const std::vector<const Formula *> all = readers(f.target);
    return all.size() == 1 && isPlain(g, *all[0]) && all[0]->clauses[0].reduction().empty() && all[0]->clauses[0].guards.empty();
  }

  static bool isTrivial(const Term &t) {
    bool trivial = true;
    visit(t, [&](const Term &part) {
      using Kind = Term::Kind;
      trivial &= part.kind == Kind::Number || part.kind == Kind::Name || part.kind == Kind::Product;
    });
    return trivial || t.kind == Term::Kind::Read;
  }

  void tellBackward(std::size_t i, Section &section) {
    const Formula &f = g.formulas[i];
    Step step;
    step.chainRule = statements(f);
    for (Statement &s : step.chainRule) s.value = expandedTrivial(s.value);
    const bool gather = gathered.formulas[i].clauses.size() == 1;
    const Formula &kept = gather ? gathered.formulas[i] : f;
    std::vector<Statement> result = statements(kept);
    if (result.size() == 1) result[0] = collected(std::move(result[0]));
    for (Statement &s : result) s.value = recognised(simplified(expanded(s.value), d.indices), known, d.indices);
    const bool trivial = isPlain(g, kept) && !wanted(f.target) && isTrivial(*result[0].value);
    if (trivial || (isPlain(g, kept) && goesIntoReader(f))) {
      inlineValues[f.target] = result[0];
      if (trivial) trivialValues.insert(f.target);
      if (!trivial) section.steps.push_back(std::move(step));
      return;
    }
    if (isPlain(g, kept)) {
      if (wanted(f.target)) result[0].value = inForwardValues(result[0].value);
      else errorTerms[f.target] = result[0];
    }
    step.result = std::move(result);
    section.steps.push_back(std::move(step));
  }

  /// Parts of layers and copies replaced, gradients kept.
  TermPtr expandedTrivial(const TermPtr &t) {
    return replaceReads(t, [&](const Term &read) {
      const bool keep = d.gradientOf.count(read.tensor) && !trivialValues.count(read.tensor);
      return keep ? nullptr : inlined(read);
    });
  }

  /// A gradient that only needs the error term next to the loss, written without it.
  TermPtr inForwardValues(const TermPtr &t) {
    const TermPtr without = replaceReads(t, [&](const Term &read) -> TermPtr {
      auto found = errorTerms.find(read.tensor);
      if (found == errorTerms.end() || !isDirect(*found->second.value)) return nullptr;
      const Statement &s = found->second;
      std::map<int, Affine> by;
      for (std::size_t k = 0; k < s.out.size(); ++k) by[s.out[k].terms()[0].first] = read.map[k];
      return substitute(s.value, by, d.indices);
    });
    return recognised(simplified(without, d.indices), known, d.indices);
  }

  bool isDirect(const Term &t) const {
    bool direct = true;
    visit(t, [&](const Term &part) {
      direct &= part.kind != Term::Kind::Reduce && !(part.kind == Term::Kind::Read && d.gradientOf.count(part.tensor));
    });
    return direct;
  }

  Derivation &d;
  const Graph &g;
  Graph gathered; // the same formulas, scattered sums as gathers
  std::vector<std::size_t> forward, backward;
  std::map<int, Statement> inlineValues, errorTerms;
  std::set<int> trivialValues;
  std::vector<KnownValue> known;
};

} // namespace

bool derive(const Graph &entry, const Graph *outputs, Derivation &d, Diagnostics &diag) {
  if (!differentiated(entry, outputs, d, diag)) return false;
  Narrator(d).run();
  return true;
}

} // namespace netc::explain
