// Index notation, first half: which indices a statement has, and their extents. An index alone in a subscript
// takes that extent (all must agree); each remaining one takes the largest extent that keeps every unguarded
// read in range.
#include "dsl/elaborator.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace netc::dsl {

namespace {

bool contains(const Expr &e, Expr::Kind a, Expr::Kind b) {
  if (e.kind == a || e.kind == b) return true;
  return std::any_of(e.args.begin(), e.args.end(),
                     [&](const Argument &x) { return contains(*x.value, a, b); });
}

std::string text(const graph::Extent &e) {
  return e.batch ? "N" : std::to_string(e.size);
}

} // namespace

bool Elaborator::isAffineBracket(const Expr &e) const {
  return e.kind == Expr::Kind::Bracket && e.args.size() == 1 &&
         !contains(e, Expr::Kind::Subscript, Expr::Kind::Reduce) &&
         !contains(e, Expr::Kind::Call, Expr::Kind::Text);
}

void Elaborator::collect(const Expr &e, bool guarded) {
  switch (e.kind) {
  case Expr::Kind::Number:
  case Expr::Kind::Text:
  case Expr::Kind::Name:
  case Expr::Kind::Input:
  case Expr::Kind::Chain: // it has indices of its own
  case Expr::Kind::Expand: // there is none left here
    return;
  case Expr::Kind::Locals:
    return collectLocals(e, guarded);
  case Expr::Kind::Subscript:
    return collectSubscript(e, guarded);
  case Expr::Kind::Reduce:
    return collectReduce(e, guarded);
  case Expr::Kind::Call:
    if (isLayer(e.text) || asksTensor(e.text)) return; // these have indices of their own
    break;
  case Expr::Kind::Binary:
    if (e.text == "*") return collectProduct(e, guarded);
    break;
  case Expr::Kind::Unary:
  case Expr::Kind::Bracket:
    break;
  }
  for (const Argument &a : e.args)
    collect(*a.value, guarded);
}

namespace {

void factors(const Expr &e, std::vector<const Expr *> &list) {
  if (e.kind == Expr::Kind::Binary && e.text == "*") {
    factors(e.operand(0), list);
    factors(e.operand(1), list);
  } else if (e.kind == Expr::Kind::Unary && e.text == "-") {
    factors(e.operand(0), list);
  } else {
    list.push_back(&e);
  }
}

} // namespace

void Elaborator::collectProduct(const Expr &e, bool guarded) {
  std::vector<const Expr *> list;
  factors(e, list);
  for (const Expr *f : list)
    guarded = guarded || isAffineBracket(*f);
  for (const Expr *f : list)
    collect(*f, guarded);
}

void Elaborator::collectReduce(const Expr &e, bool guarded) {
  std::vector<int> ids;
  for (const Binder &b : e.binders) {
    const auto is = [&](const auto &known) { return known.first == b.name; };
    if (std::any_of(context->visible.begin(), context->visible.end(), is) ||
        std::any_of(context->locals.begin(), context->locals.end(), is)) {
      report(b.location,
             fmt::format("index '{}' is in use already: give the reduced index another name", b.name));
      context->failed = true;
    }
    const int v = out.newIndex(b.name, b.location);
    if (b.bound) {
      const std::optional<graph::Extent> x = extent(*b.bound);
      if (x)
        fixExtent(v, *x, "by its bound", b.location);
      else
        context->failed = true;
      out.index(v).stated = true;
    }
    ids.push_back(v);
    context->visible.emplace_back(b.name, v);
  }
  context->reductions[&e] = ids;
  collect(e.operand(0), guarded);
  context->visible.resize(context->visible.size() - ids.size());
}

/// Local names for indices and numbers may stand in subscripts; the values of the others are not known before the
/// extents.
void Elaborator::collectLocals(const Expr &e, bool guarded) {
  const std::size_t before = context->locals.size();
  for (const Argument &a : e.args) {
    collect(*a.value, guarded);
    if (a.name.empty()) continue;
    if (!mayName(a)) context->failed = true;
    const bool known = !contains(*a.value, Expr::Kind::Subscript, Expr::Kind::Reduce) &&
                       !contains(*a.value, Expr::Kind::Call, Expr::Kind::Locals);
    context->locals.emplace_back(a.name, known ? evaluate(*a.value) : Value::ofText(a.name));
  }
  context->locals.resize(before);
}

bool Elaborator::mayName(const Argument &local) {
  const auto is = [&](const auto &known) { return known.first == local.name; };
  const bool index = std::any_of(context->visible.begin(), context->visible.end(), is);
  const bool again = std::any_of(context->locals.begin(), context->locals.end(), is);
  if (index) report(local.location, fmt::format("'{}' is an index here: choose another name", local.name));
  if (again) report(local.location, fmt::format("'{}' is defined already in these braces", local.name));
  if (local.name.find('.') != std::string::npos)
    report(local.location, "a name with a dot belongs to a layer's parameter: choose another");
  return !index && !again;
}

void Elaborator::collectSubscript(const Expr &e, bool guarded) {
  const Expr &base = e.operand(0);
  Use use;
  use.guarded = guarded;
  const auto refuse = [&](const Location &at, const std::string &message) {
    report(at, message);
    context->failed = true;
  };
  for (const auto &[name, value] : context->locals)
    if (base.kind == Expr::Kind::Name && base.text == name)
      return refuse(base.location, fmt::format("'{0}' is a local name of a number and takes no subscripts: a tensor is defined "
                                               "by a statement of its own, {0}[...] = ...", name));
  if (base.kind == Expr::Kind::Subscript)
    return refuse(startOf(e.operand(1)),
                  "an element of a tensor takes no subscripts: all stand in one pair of brackets, as in x[n, i]");
  Value v = wholeArgument(base, temporary("", base.location).name);
  if (v.isError() || waits(v, base.location)) return static_cast<void>(context->failed = true);
  if (!v.isTensor() && v.kind != Value::Kind::List && v.kind != Value::Kind::Pack)
    return refuse(base.location, fmt::format("only a tensor takes subscripts, found {}", describe(v)));
  const std::size_t rank = v.kind == Value::Kind::Pack ? 1 : v.lazy.shape.size();
  if (e.args.size() - 1 != rank) {
    context->failed = true;
    if (!wrongRanks.emplace(print(base), e.args.size() - 1).second) return; // the mistake is rather in the declaration
    return refuse(e.location, fmt::format("{} has {} dimension{}, found {} subscript{}", describe(v), rank,
                                          rank == 1 ? "" : "s", e.args.size() - 1, e.args.size() == 2 ? "" : "s"));
  }
  for (std::size_t i = 1; i < e.args.size(); ++i) {
    const std::optional<Affine> a = subscript(*e.args[i].value);
    if (!a) context->failed = true;
    use.map.push_back(a.value_or(Affine()));
    use.locations.push_back(startOf(*e.args[i].value));
  }
  if (v.kind == Value::Kind::List && v.booleans) v = listValue(v, temporary("", base.location).name, base.location);
  const bool isGiven = v.isCondition() && wholeTensor(v.lazy) >= 0; // an input or target of booleans, read as it is
  use.isCondition = v.isCondition() && !isGiven;
  if (use.isCondition) toNonZero(v.lazy);
  use.constant = constantElement(v, use);
  if (!use.constant && v.kind == Value::Kind::Pack) {
    if (context->failed) return;
    return refuse(use.locations[0], fmt::format("the subscript of a pack is a number known at compile time, 0 or more and "
                                                "less than {}", v.pack.size()));
  }
  const bool hasName = use.isCondition && base.kind == Expr::Kind::Name;
  if (!use.constant && isGiven)
    use.tensor = wholeTensor(v.lazy);
  else if (!use.constant)
    use.tensor = settle(v, hasName ? label(base.text, base.location) : temporary("", base.location), base.location);
  if (!use.constant && use.tensor < 0) return static_cast<void>(context->failed = true);
  if (hasName && !use.constant) keepCondition(base.text, use.tensor);
  const bool read = !use.constant;
  context->uses[&e] = std::move(use);
  if (read) context->order.push_back(&e);
}

/// From now on the name reads the tensor that its first subscripts made of it.
void Elaborator::keepCondition(const std::string &name, int tensor) {
  Value v = Value::ofLazy(out.read(tensor));
  v.lazy.body.root = v.lazy.body.call(Fn::Ne, v.lazy.body.root, v.lazy.body.constant(0));
  for (auto *table : {&frame->names, &frame->arguments})
    if (const auto it = table->find(name); it != table->end()) return static_cast<void>(it->second = std::move(v));
}

/// The number that constant subscripts select from a tensor literal, a constant or a pack.
std::optional<Value> Elaborator::constantElement(const Value &base, const Use &use) const {
  const int t = base.isTensor() ? wholeTensor(base.lazy) : -1;
  const bool constant = t >= 0 && out.graph.tensors[t].kind == graph::TensorKind::Constant;
  const bool pack = base.kind == Value::Kind::Pack;
  if (!constant && !pack && base.kind != Value::Kind::List) return std::nullopt;
  std::size_t place = 0;
  for (std::size_t d = 0; d < use.map.size(); ++d) {
    const std::int64_t extent = pack ? static_cast<std::int64_t>(base.pack.size()) : base.lazy.shape[d].size;
    if (!use.map[d].isConstant()) return std::nullopt;
    const std::int64_t at = use.map[d].constant();
    if (at < 0 || at >= extent) return std::nullopt;
    place = place * static_cast<std::size_t>(extent) + static_cast<std::size_t>(at);
  }
  if (pack) return base.pack[place];
  const double value = (constant ? out.graph.tensors[t].values : base.values)[place];
  return use.isCondition ? Value::ofBoolean(value != 0) : Value::ofNumber(value);
}

std::optional<Affine> Elaborator::subscript(const Expr &e) {
  if (contains(e, Expr::Kind::Subscript, Expr::Kind::Reduce)) {
    report(startOf(e), "a tensor cannot be a subscript yet");
    note(startOf(e), "select by a condition instead, as in sum(v) [v == t[n]] * w[v, d]");
    return std::nullopt;
  }
  ++context->subscriptDepth;
  const Value v = evaluate(e);
  --context->subscriptDepth;
  if (v.isError()) return std::nullopt;
  if (v.kind == Value::Kind::Index) return v.affine;
  if (v.isNumber() && v.number == static_cast<double>(static_cast<std::int64_t>(v.number)))
    return Affine(static_cast<std::int64_t>(v.number));
  report(startOf(e),
         fmt::format("a subscript must be affine in the indices, as in 2*i + u - 1; found {}", describe(v)));
  return std::nullopt;
}

std::vector<int> Elaborator::contextIndices() const {
  std::vector<int> all;
  for (const auto &[name, v] : context->visible)
    all.push_back(v); // the left-hand ones
  for (const auto &[e, ids] : context->reductions)
    all.insert(all.end(), ids.begin(), ids.end());
  std::sort(all.begin(), all.end());
  return all;
}

void Elaborator::fixExtent(int variable, graph::Extent extent, const std::string &by, const Location &at) {
  IndexVariable &i = out.index(variable);
  if (!i.known) {
    i.known = true;
    i.extent = extent;
    i.by = by;
  } else if (i.extent != extent) {
    if (!std::exchange(i.disagrees, true)) // once: it is one extent that is wrong
      report(at, fmt::format("the extent of index '{}' is {} {}, but {} {}", i.name, text(i.extent), i.by, text(extent), by));
    context->failed = true;
  }
}

/// The extents of the dimensions in whose subscripts an index stands alone must agree. A stated extent may be
/// smaller than these; one that a declared shape on the left states may be larger too: then the statement
/// writes a part of the tensor.
void Elaborator::agreeOnExtents() {
  for (const Expr *e : context->order) {
    const Use &use = context->uses.at(e);
    for (std::size_t d = 0; d < use.map.size(); ++d) {
      int v;
      if (!use.map[d].isVar(&v)) continue;
      const graph::Extent dimension = out.graph.tensors[use.tensor].shape[d];
      IndexVariable &i = out.index(v);
      const bool sizes = i.known && !i.extent.batch && !dimension.batch;
      if (i.stated && sizes && (i.extent.size < dimension.size || use.guarded)) continue;
      if (i.declared && sizes && dimension.size < i.extent.size) {
        i.extent = dimension;
        i.by = "in " + out.graph.tensors[use.tensor].name;
        i.stated = i.declared = false;
        continue;
      }
      fixExtent(v, dimension, "in " + out.graph.tensors[use.tensor].name, use.locations[d]);
    }
  }
}

void Elaborator::solveExtents() {
  agreeOnExtents();
  checkBatchSubscripts();
  std::vector<int> open = contextIndices();
  for (bool changed = true; changed && !context->failed;) {
    changed = false;
    for (int v : open)
      if (!out.index(v).known && inferOne(v)) changed = true;
  }
  if (!context->failed) reportUnknownExtents();
  if (!context->failed) checkBatchSubscripts();
}

/// The symbolic extent takes part in no arithmetic.
void Elaborator::checkBatchSubscripts() {
  for (const Expr *e : context->order) {
    const Use &use = context->uses.at(e);
    for (std::size_t d = 0; d < use.map.size() && !context->failed; ++d) {
      const graph::Extent dimension = out.graph.tensors[use.tensor].shape[d];
      bool batch = false;
      for (const auto &[v, c] : use.map[d].terms())
        batch = batch || (out.index(v).known && out.index(v).extent.batch);
      if (use.map[d].isVar() || (!batch && !dimension.batch)) continue;
      report(use.locations[d],
             fmt::format("the batch dimension takes a batch index alone, found {}", out.str(use.map[d])));
      context->failed = true;
    }
  }
}

/// Decides an index if every unguarded subscript with it has no other open index.
bool Elaborator::inferOne(int variable) {
  std::optional<std::int64_t> best;
  for (const Expr *e : context->order) {
    const Use &use = context->uses.at(e);
    if (use.guarded) continue;
    for (std::size_t d = 0; d < use.map.size(); ++d) {
      if (!use.map[d].uses(variable)) continue;
      for (const auto &[v, c] : use.map[d].terms())
        if (v != variable && !out.index(v).known) return false;
      const std::optional<std::int64_t> x = largestExtent(variable, use, d);
      if (!x) return false;
      best = best ? std::min(*best, *x) : *x;
    }
  }
  if (!best) return false;
  fixExtent(variable, {*best, false}, "by its subscripts", out.index(variable).location);
  return true;
}

std::optional<std::int64_t> Elaborator::largestExtent(int variable, const Use &use, std::size_t d) {
  const graph::Tensor &t = out.graph.tensors[use.tensor];
  const std::int64_t c = use.map[d].coefficient(variable);
  const Interval rest = out.rangeOf(use.map[d].substitute(variable, Affine()));
  const std::int64_t last = t.shape[d].size - 1;
  const std::int64_t room = c > 0 ? last - rest.max : rest.min; // how far c*i may move the subscript
  if (room >= 0) return room / std::abs(c) + 1;
  report(use.locations[d],
         fmt::format("no value of '{}' keeps {} within {}, whose extent is {} here", out.index(variable).name,
                     out.str(use.map[d]), t.name, t.shape[d].size));
  context->failed = true;
  return std::nullopt;
}

void Elaborator::reportUnknownExtents() {
  for (int v : contextIndices()) {
    const IndexVariable &i = out.index(v);
    if (i.known) continue;
    context->failed = true;
    const bool used = std::any_of(context->order.begin(), context->order.end(), [&](const Expr *e) {
      const Use &use = context->uses.at(e);
      return !use.guarded &&
             std::any_of(use.map.begin(), use.map.end(), [&](const Affine &a) { return a.uses(v); });
    });
    report(i.location,
           used ? fmt::format(
                      "the extent of index '{}' is ambiguous: it shares a subscript with another open index",
                      i.name)
                : fmt::format("the extent of index '{}' is not known: it stands in no unguarded subscript",
                              i.name));
    note(i.location,
         fmt::format("state it: {0} < 3 in a reduction, or a shape on the left, as in y[{0}]: [3] = ...",
                     i.name));
    return; // the others often follow from this one
  }
}

} // namespace netc::dsl
