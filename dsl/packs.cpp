// Packs: `s...` stands for as many indices, extents or numbers as the tensors at hand ask for. Before a statement
// is evaluated its packs are written out, so that everything behind this file sees plain indices:
//   z[n, o, i...] = sum(c, u...) p[n, c, T*i + D*u...] * w[o, c, u...]      with T = (1, 2), D = (1, 1)
//   z[n, o, i, j] = sum(c, u, v) p[n, c, 1*i + 1*u, 2*j + 1*v] * w[o, c, u, v]
#include "dsl/elaborator.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>

namespace netc::dsl {

/// What is known about the packs of one statement.
struct Elaborator::PackScope {
  struct Indices {
    Location location;
    std::optional<std::size_t> length;
    std::vector<std::string> names;
  };
  std::map<std::string, Indices> indices;
  std::set<std::string> words; // every name that the statement uses
  std::vector<const Expr *> patterns, subscripts;
  std::vector<const Binder *> bounds;
  bool failed = false;

  void addIndices(const Expr &name) { indices.emplace(name.text, Indices{name.location, {}, {}}); }

  void collect(const Expr &e) {
    if (e.kind == Expr::Kind::Name) words.insert(e.text);
    if (e.kind == Expr::Kind::Expand) patterns.push_back(&e.operand(0));
    if (e.kind == Expr::Kind::Subscript) subscripts.push_back(&e);
    for (const Binder &b : e.binders) {
      words.insert(b.name);
      if (b.pack) indices.emplace(b.name, Indices{b.location, {}, {}});
      if (b.pack && b.bound) bounds.push_back(&b);
      if (b.bound) collect(*b.bound);
    }
    for (const Argument &a : e.args)
      collect(*a.value);
  }
};

namespace {

ExprPtr literalOf(const Value &v, const Location &at) {
  auto e = std::make_unique<Expr>();
  e->location = at;
  e->kind = v.isNumber() ? Expr::Kind::Number : Expr::Kind::Name;
  e->number = v.number;
  if (!v.isNumber()) e->text = "N";
  return e;
}

ExprPtr nameOf(const std::string &name, const Location &at) {
  auto e = std::make_unique<Expr>();
  e->location = at;
  e->kind = Expr::Kind::Name;
  e->text = name;
  return e;
}

/// The names in a pattern, less those in a `...` of its own.
void patternNames(const Expr &e, std::vector<const Expr *> &names) {
  if (e.kind == Expr::Kind::Name) names.push_back(&e);
  for (const Argument &a : e.args)
    if (a.value->kind != Expr::Kind::Expand) patternNames(*a.value, names);
}

/// Copies expressions with every pack written out.
class PackWriter {
 public:
  using Find = std::function<ExprPtr(const Expr &name, std::size_t element)>; // null: no pack
  using Length = std::function<std::size_t(const Expr &pattern)>;
  using Names = std::function<const std::vector<std::string> &(const std::string &pack)>;

  PackWriter(Find find, Length length, Names names, bool conjunction)
      : find(std::move(find)), length(std::move(length)), names(std::move(names)), conjunction(conjunction) {}

  ExprPtr copy(const Expr &e) {
    if (e.kind == Expr::Kind::Name && element >= 0)
      if (ExprPtr x = find(e, static_cast<std::size_t>(element))) return x;
    auto c = std::make_unique<Expr>();
    c->kind = e.kind;
    c->location = e.location;
    c->text = e.text;
    c->number = e.number;
    c->label = e.label;
    c->labelLocation = e.labelLocation;
    c->labelParts = e.labelParts;
    c->depth = e.depth;
    for (const Binder &b : e.binders)
      binder(b, c->binders);
    for (const Argument &a : e.args)
      item(*a.value, [&](ExprPtr x) { c->args.push_back({a.name, a.location, std::move(x)}); });
    return e.kind == Expr::Kind::Call && e.text == "all" && conjunction ? joined(std::move(*c)) : std::move(c);
  }

  /// Hands `take` what an item of a list becomes: one expression, or one for each element.
  void item(const Expr &e, const std::function<void(ExprPtr)> &take) {
    if (e.kind != Expr::Kind::Expand) return take(copy(e));
    const int outer = element;
    const int count = static_cast<int>(length(e.operand(0)));
    for (element = 0; element < count; ++element)
      take(copy(e.operand(0)));
    element = outer;
  }

 private:
  void binder(const Binder &b, std::vector<Binder> &to) {
    if (!b.pack) return to.push_back({b.name, b.location, b.bound ? copy(*b.bound) : nullptr, false});
    const int outer = element;
    const std::vector<std::string> &list = names(b.name);
    for (element = 0; element < static_cast<int>(list.size()); ++element)
      to.push_back({list[static_cast<std::size_t>(element)], b.location, b.bound ? copy(*b.bound) : nullptr, false});
    element = outer;
  }

  /// all(a, b) is `a and b`: affine conditions stay affine.
  static ExprPtr joined(Expr all) {
    if (all.args.empty()) return nameOf("true", all.location);
    ExprPtr e = std::move(all.args[0].value);
    for (std::size_t i = 1; i < all.args.size(); ++i) {
      auto both = std::make_unique<Expr>();
      both->kind = Expr::Kind::Binary;
      both->text = "and";
      both->location = all.location;
      both->args.push_back({"", all.location, std::move(e)});
      both->args.push_back({"", all.location, std::move(all.args[i].value)});
      e = std::move(both);
    }
    return e;
  }

  Find find;
  Length length;
  Names names;
  bool conjunction;
  int element = -1; // of the innermost pack
};

/// i, j, k for i...; s1, s2 where the alphabet ends or for longer names.
std::vector<std::string> indexNames(const std::string &pack, std::size_t count,
                                    const std::function<bool(const std::string &)> &taken) {
  std::vector<std::string> names;
  char letter = pack.size() == 1 ? pack[0] : 'z';
  for (std::size_t k = 1; names.size() < count; ++k) {
    std::string name = names.empty() ? pack : "";
    while (name.empty() && letter < 'z' && pack.size() == 1 && pack[0] >= 'a')
      if (const std::string next(1, ++letter); !taken(next)) name = next;
    if (name.empty()) name = pack + std::to_string(k);
    if (names.empty() || !taken(name)) names.push_back(name);
  }
  return names;
}

} // namespace

std::optional<std::vector<Value>> Elaborator::packNamed(const std::string &name) const {
  const Value *v = findName(name);
  return v ? elementsOf(*v) : std::nullopt;
}

/// Of a pack or a list of numbers, also of one that is a constant already.
std::optional<std::vector<Value>> Elaborator::elementsOf(const Value &v) const {
  const int t = v.isTensor() ? wholeTensor(v.lazy) : -1;
  if (t < 0 || out.graph.tensors[t].kind != graph::TensorKind::Constant) return elements(v);
  Value list;
  list.kind = Value::Kind::List;
  list.lazy.shape = out.graph.tensors[t].shape;
  list.values = out.graph.tensors[t].values;
  return elements(list);
}

/// Of the tensor that an expression names; none for all else.
std::optional<std::size_t> Elaborator::rankOf(const Expr &base) const {
  if (base.kind != Expr::Kind::Name) return std::nullopt;
  if (const Value *v = findName(base.text))
    return v->isTensor() || v->kind == Value::Kind::List ? std::optional(v->lazy.shape.size()) : std::nullopt;
  const int t = out.graph.find(base.text);
  return t >= 0 ? std::optional(out.graph.tensors[t].shape.size()) : std::nullopt;
}

/// Decides how many indices each pack stands for: as many as a pattern's other packs have elements, or as the
/// tensor that is read has dimensions left.
bool Elaborator::solvePacks(PackScope &s) {
  for (const std::string &word : s.words) // what an error has left without a value asks for no second message
    if (const Value *v = findName(word); v && v->isError() && !s.indices.contains(word)) return false;
  const auto lengthOf = [&](const Expr &name) -> std::optional<std::size_t> {
    if (const auto it = s.indices.find(name.text); it != s.indices.end()) return it->second.length;
    const auto p = packNamed(name.text);
    return p ? std::optional(p->size()) : std::nullopt;
  };
  bool changed = true;
  const auto settle = [&](const std::vector<const Expr *> &names, std::optional<std::size_t> length) {
    for (const Expr *n : names)
      if (!length) length = lengthOf(*n);
    if (!length) return;
    for (const Expr *n : names) {
      const auto it = s.indices.find(n->text);
      if (it != s.indices.end() && !it->second.length) it->second.length = length, changed = true;
    }
  };
  const auto names = [](const Expr &pattern) {
    std::vector<const Expr *> list;
    patternNames(pattern, list);
    return list;
  };
  while (changed) {
    changed = false;
    for (const Expr *p : s.patterns)
      settle(names(*p), std::nullopt);
    for (const Binder *b : s.bounds) {
      std::optional<std::size_t> length;
      for (const Expr *n : names(*b->bound))
        if (!length) length = lengthOf(*n);
      PackScope::Indices &pack = s.indices.at(b->name);
      if (length && !pack.length) pack.length = length, changed = true;
    }
    for (const Expr *e : s.subscripts) {
      std::size_t plain = 0;
      std::vector<const Expr *> open;
      for (std::size_t i = 1; i < e->args.size(); ++i) {
        const Expr &x = e->operand(i);
        if (x.kind == Expr::Kind::Expand) open.push_back(&x.operand(0));
        else ++plain;
      }
      const auto rank = open.size() == 1 ? rankOf(e->operand(0)) : std::nullopt;
      if (rank) settle(names(*open[0]), *rank > plain ? *rank - plain : 0);
    }
  }
  for (const Expr *p : s.patterns) { // every pattern has packs, all of one length
    const Expr *first = nullptr;
    bool waiting = false;
    for (const Expr *n : names(*p)) {
      const auto it = s.indices.find(n->text);
      waiting = waiting || (it != s.indices.end() && !it->second.length);
      if (!lengthOf(*n)) continue;
      if (first && lengthOf(*first) != lengthOf(*n)) {
        report(n->location, fmt::format("'{}' has {} elements, but '{}' has {}", n->text, *lengthOf(*n), first->text,
                                        *lengthOf(*first)));
        s.failed = true;
      }
      if (!first) first = n;
    }
    if (first || waiting || s.failed) continue;
    report(startOf(*p), fmt::format("'...' stands behind '{}', which holds no pack", print(*p)));
    note(startOf(*p), "a pack is named on the left, as in y[n, s...], by a reduction, as in sum(s...), or by a "
                      "shape, as in x: [N, S...]");
    s.failed = true;
  }
  for (auto &[name, pack] : s.indices) {
    if (pack.length || s.failed) continue;
    report(pack.location, fmt::format("how many indices '{}...' stands for is not known", name));
    note(pack.location, "read a tensor that has a name with them, or bound them by a pack");
    s.failed = true;
  }
  std::set<std::string> used = s.words;
  for (auto &[name, pack] : s.indices) {
    if (s.failed) break;
    pack.names = indexNames(name, *pack.length, [&](const std::string &n) { return used.contains(n) || findName(n); });
    used.insert(pack.names.begin(), pack.names.end());
  }
  return !s.failed;
}

namespace {

/// What is written for element k of a name: an index, a number, or nothing.
template <class Indices, class Packs> PackWriter writer(const Indices &indices, const Packs &packs, bool conjunction) {
  const auto find = [&indices, packs](const Expr &n, std::size_t k) -> ExprPtr {
    if (const auto it = indices.find(n.text); it != indices.end()) return nameOf(it->second.names[k], n.location);
    const auto p = packs(n.text);
    return p ? literalOf((*p)[k], n.location) : nullptr;
  };
  const auto length = [&indices, packs](const Expr &pattern) -> std::size_t {
    std::vector<const Expr *> names;
    patternNames(pattern, names);
    for (const Expr *n : names) {
      if (const auto it = indices.find(n->text); it != indices.end()) return it->second.names.size();
      if (const auto p = packs(n->text)) return p->size();
    }
    return 0;
  };
  const auto of = [&indices](const std::string &pack) -> const std::vector<std::string> & {
    return indices.at(pack).names;
  };
  return PackWriter(find, length, of, conjunction);
}

} // namespace

const Expr *Elaborator::withoutPacks(const Expr &e) {
  if (!e.packs) return &e;
  PackScope s;
  s.collect(e);
  if (!solvePacks(s)) return nullptr;
  const auto packs = [this](const std::string &n) { return packNamed(n); };
  written.push_back(writer(s.indices, packs, !library.contains("all")).copy(e));
  return written.back().get();
}

const Statement *Elaborator::withoutPacks(const Statement &s) {
  bool any = s.value->packs;
  for (const ExprPtr &e : s.subscripts)
    any = any || e->packs;
  if (!any) return &s;
  PackScope scope;
  std::vector<const Expr *> left; // patterns
  for (const ExprPtr &e : s.subscripts) {
    scope.collect(*e);
    if (e->kind != Expr::Kind::Expand) continue;
    left.push_back(&e->operand(0));
    if (left.back()->kind == Expr::Kind::Name) scope.addIndices(*left.back());
  }
  for (const Expr *pattern : scope.patterns) { // what is no number is an index
    std::vector<const Expr *> names;
    patternNames(*pattern, names);
    for (const Expr *n : names)
      if (!findName(n->text)) scope.addIndices(*n);
  }
  scope.collect(*s.value);
  if (left.size() == 1 && s.hasShape) { // y[n, i...]: [N, H, W]
    const auto items = listItems(s.shape);
    if (!items) return nullptr;
    const std::size_t plain = s.subscripts.size() - 1;
    std::vector<const Expr *> names;
    patternNames(*left[0], names);
    for (const Expr *n : names)
      if (const auto it = scope.indices.find(n->text); it != scope.indices.end())
        it->second.length = items->size() > plain ? items->size() - plain : 0;
  }
  if (!solvePacks(scope)) return nullptr;
  const auto packs = [this](const std::string &n) { return packNamed(n); };
  PackWriter w = writer(scope.indices, packs, !library.contains("all"));
  Statement t;
  t.kind = s.kind;
  t.location = s.location;
  t.name = s.name;
  t.nameLocation = s.nameLocation;
  t.hasShape = s.hasShape;
  t.accumulates = s.accumulates;
  t.value = w.copy(*s.value);
  if (s.elseValue) t.elseValue = w.copy(*s.elseValue);
  for (const ExprPtr &e : s.subscripts)
    w.item(*e, [&](ExprPtr x) { t.subscripts.push_back(std::move(x)); });
  if (s.hasShape) {
    const auto items = listItems(s.shape);
    if (!items) return nullptr;
    for (const Expr *e : *items)
      w.item(*e, [&](ExprPtr x) { t.shape.push_back(std::move(x)); });
  }
  writtenStatements.push_back(std::move(t));
  return &writtenStatements.back();
}

/// A list of which every `...` is written out; it holds packs of extents only.
std::optional<std::vector<const Expr *>> Elaborator::listItems(const Shape &list) {
  std::vector<const Expr *> items;
  for (const ExprPtr &e : list) {
    if (e->kind != Expr::Kind::Expand) {
      items.push_back(e.get());
      continue;
    }
    PackScope s;
    s.collect(*e);
    if (!solvePacks(s)) return std::nullopt;
    const auto packs = [this](const std::string &n) { return packNamed(n); };
    writer(s.indices, packs, !library.contains("all")).item(*e, [&](ExprPtr x) {
      written.push_back(std::move(x));
      items.push_back(written.back().get());
    });
  }
  return items;
}

/// `O = div(S - K, T) + 1...`: a pack of numbers.
Value Elaborator::evaluatePack(const Expr &e, const std::string &hint) {
  PackScope s;
  s.collect(e);
  if (!solvePacks(s)) return Value::error();
  std::vector<const Expr *> items;
  const auto packs = [this](const std::string &n) { return packNamed(n); };
  writer(s.indices, packs, !library.contains("all")).item(e, [&](ExprPtr x) {
    written.push_back(std::move(x));
    items.push_back(written.back().get());
  });
  std::vector<Value> elements;
  for (const Expr *x : items) {
    elements.push_back(evaluateRoot(*x, hint));
    if (elements.back().isError()) return Value::error();
    if (!elements.back().isNumber() && elements.back().kind != Value::Kind::Batch)
      return fail(startOf(e), fmt::format("a pack holds numbers known at compile time, found {}",
                                          describe(elements.back())));
  }
  return Value::ofPack(std::move(elements));
}

/// x: [N, C, S...] makes S the pack of what is left. `items` gets one entry a dimension: null where it has been
/// bound here. An entry too few says that the rank does not fit.
bool Elaborator::packShape(const Parameter &p, const Extents &shape, Frame &callee, std::vector<const Expr *> &items) {
  const auto isPack = [](const ExprPtr &e) { return e->kind == Expr::Kind::Expand; };
  const std::size_t plain = p.shape.size() - static_cast<std::size_t>(std::count_if(p.shape.begin(), p.shape.end(), isPack));
  bool taken = false;
  for (const ExprPtr &e : p.shape) {
    const Expr &x = isPack(e) ? e->operand(0) : *e;
    if (!isPack(e)) {
      items.push_back(&x);
    } else if (x.kind == Expr::Kind::Name && !callee.arguments.contains(x.text) && !taken) {
      taken = true;
      if (shape.size() < plain) continue;
      std::vector<Value> extents;
      for (std::size_t k = plain; k < shape.size(); ++k) {
        const graph::Extent found = shape[items.size()];
        extents.push_back(found.batch ? Value::ofBatch() : Value::ofNumber(static_cast<double>(found.size)));
        items.push_back(nullptr);
      }
      callee.arguments[x.text] = Value::ofPack(std::move(extents));
    } else {
      Frame *const caller = frame;
      frame = &callee;
      PackScope s;
      s.collect(*e);
      const bool good = solvePacks(s);
      const auto packs = [this](const std::string &n) { return packNamed(n); };
      if (good)
        writer(s.indices, packs, !library.contains("all")).item(*e, [&](ExprPtr y) {
          written.push_back(std::move(y));
          items.push_back(written.back().get());
        });
      frame = caller;
      if (!good) return false;
    }
  }
  return true;
}

Value Elaborator::packBuiltin(const Expr &e) {
  std::vector<Value> args;
  for (const Argument &a : e.args) {
    if (!a.name.empty()) return fail(a.location, fmt::format("{} takes its arguments by position", e.text));
    args.push_back(evaluate(*a.value));
    if (args.back().isError()) return Value::error();
  }
  if (e.text == "all") {
    Value v = Value::ofBoolean(true);
    for (Value &x : args)
      v = logic("and", std::move(v), std::move(x), e.location);
    return v;
  }
  if (e.text == "product") {
    Value v = Value::ofNumber(1);
    for (Value &x : args)
      v = apply(Fn::Mul, {std::move(v), std::move(x)}, e.location);
    return v;
  }
  if (e.text == "each") {
    if (args.size() != 2) return fail(e.location, fmt::format("each takes 2 arguments, found {}", args.size()));
    const auto like = elementsOf(args[1]);
    if (!like) return fail(e.location, fmt::format("each repeats a number for each element of a pack, found {}", describe(args[1])));
    if (args[0].isNumber()) return Value::ofPack(std::vector<Value>(like->size(), args[0]));
    const auto own = elementsOf(args[0]);
    if (own && own->size() == like->size()) return Value::ofPack(*own);
    return fail(e.location,
                fmt::format("expected a number or {} of them for {}, found {}", like->size(), print(e.operand(0)), describe(args[0])));
  }
  if (args.size() % 2 != 0) // ravel(i..., S...)
    return fail(e.location, "ravel takes as many indices as extents, as in ravel(s..., S...)");
  Value v = Value::ofNumber(0);
  for (std::size_t k = 0; k < args.size() / 2; ++k)
    v = apply(Fn::Add, {apply(Fn::Mul, {std::move(v), args[args.size() / 2 + k]}, e.location), args[k]}, e.location);
  return v;
}

} // namespace netc::dsl
