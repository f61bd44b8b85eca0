#include "dsl/value.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace netc::dsl {

namespace {

Value make(Value::Kind kind) {
  Value v;
  v.kind = kind;
  return v;
}

} // namespace

Value Value::ofNumber(double x) {
  Value v = make(Kind::Number);
  v.number = x;
  return v;
}

Value Value::ofBoolean(bool b) {
  Value v = make(Kind::Boolean);
  v.number = b;
  return v;
}

Value Value::ofText(std::string s) {
  Value v = make(Kind::Text);
  v.text = std::move(s);
  return v;
}

Value Value::ofBatch() {
  return make(Kind::Batch);
}

Value Value::ofProgram(std::vector<ScalarOp> program, std::string name) {
  if (isConstant(program)) return ofNumber(evaluate(program, {}));
  Value v = make(Kind::Program);
  v.program = std::move(program);
  v.text = std::move(name);
  return v;
}

Value Value::ofIndex(Affine a) {
  if (a.isConstant()) return ofNumber(static_cast<double>(a.constant()));
  Value v = make(Kind::Index);
  v.affine = std::move(a);
  return v;
}

Value Value::ofLazy(Lazy l) {
  Value v = make(Kind::Tensor);
  v.lazy = std::move(l);
  return v;
}

Value Value::ofPack(std::vector<Value> elements) {
  Value v = make(Kind::Pack);
  v.pack = std::move(elements);
  return v;
}

Value Value::ofLayer(LayerValue l) {
  Value v = make(Kind::Layer);
  v.layer = std::make_shared<const LayerValue>(std::move(l));
  return v;
}

std::optional<std::vector<Value>> elements(const Value &v) {
  if (v.kind == Value::Kind::Pack) return v.pack;
  if (v.kind != Value::Kind::List || v.lazy.shape.size() != 1) return std::nullopt;
  std::vector<Value> list;
  for (const double x : v.values)
    list.push_back(v.booleans ? Value::ofBoolean(x != 0) : Value::ofNumber(x));
  return list;
}

void toNumber(Lazy &l, DType type) {
  l.condition.reset();
  l.body.root = l.body.call(Fn::Select, l.body.root, l.body.constant(1, type), l.body.constant(0, type));
}

void toNonZero(Lazy &l) {
  const graph::Node root = l.root();
  const auto &nodes = l.body.nodes;
  const bool isNonZero = root.fn == Fn::Ne && nodes[root.args[0]].dtype == DType::F32 &&
                         nodes[root.args[1]].kind == graph::Node::Kind::Const && nodes[root.args[1]].value == 0;
  if (!isNonZero) return toNumber(l, DType::F32);
  l.condition.reset();
  l.body.root = root.args[0];
}

int wholeTensor(const Lazy &l) {
  const graph::Node &n = l.root();
  if (n.kind != graph::Node::Kind::Read || !l.guards.empty() || n.map.size() != l.shape.size()) return -1;
  for (std::size_t d = 0; d < n.map.size(); ++d)
    if (int v; !n.map[d].isVar(&v) || v != static_cast<int>(d)) return -1;
  return n.id;
}

std::string str(const Extents &shape) {
  std::string s;
  for (const graph::Extent &e : shape)
    s += (s.empty() ? "" : ", ") + (e.batch ? "N" : std::to_string(e.size));
  return "[" + s + "]";
}

std::string describe(const Value &v) {
  switch (v.kind) {
  case Value::Kind::Error:
    return "an error";
  case Value::Kind::Number:
    return fmt::format("the number {}", v.number);
  case Value::Kind::Boolean:
    return v.number != 0 ? "true" : "false";
  case Value::Kind::Text:
    return fmt::format("the string \"{}\"", v.text);
  case Value::Kind::Batch:
    return "the batch extent N";
  case Value::Kind::Program:
    return "a run-time number";
  case Value::Kind::Index:
    return "an index";
  case Value::Kind::List:
    return "a tensor literal of shape " + str(v.lazy.shape);
  case Value::Kind::Pack: {
    std::string s;
    for (const Value &x : v.pack)
      s += (s.empty() ? "" : ", ") + (x.isNumber() ? fmt::format("{}", x.number) : "N");
    return fmt::format("the pack of numbers ({})", s);
  }
  case Value::Kind::Layer:
    return v.layer->chain ? "a layer" : fmt::format("the function '{}'", v.layer->name);
  case Value::Kind::Tensor:
    break;
  }
  if (v.lazy.dtype() == DType::Bool) return "a condition that is decided at run time";
  if (v.lazy.shape.empty()) return "a single number of type " + std::string(name(v.lazy.dtype()));
  return std::string(name(v.lazy.dtype())) + str(v.lazy.shape);
}

std::string brief(const Value &v) {
  if (v.isNumber()) return fmt::format("{}", v.number);
  const std::optional<std::vector<Value>> list = elements(v);
  if (!list) return describe(v);
  std::string s;
  for (const Value &x : *list)
    s += (s.empty() ? "" : ", ") + (x.isNumber() ? fmt::format("{}", x.number) : "N");
  return "[" + s + "]";
}

bool readsTensor(const Lazy &l) {
  return std::any_of(l.body.nodes.begin(), l.body.nodes.end(),
                     [](const graph::Node &n) { return n.kind == graph::Node::Kind::Read; });
}

std::vector<int> freeIndices(const Lazy &l) {
  std::set<int> found;
  const auto collect = [&](const Affine &a) {
    for (const auto &[v, c] : a.terms())
      if (v >= firstIndex) found.insert(v);
  };
  graph::Body reached; // only what the root and the guards reach counts
  copyNode(reached, l.body, l.body.root);
  for (const Guard &g : l.guards)
    copyNode(reached, l.body, g.node);
  for (const graph::Node &n : reached.nodes) {
    collect(n.affine);
    for (const Affine &a : n.map)
      collect(a);
  }
  return {found.begin(), found.end()};
}

bool needsNumbers(const Lazy &l) {
  return std::any_of(l.body.nodes.begin(), l.body.nodes.end(),
                     [](const graph::Node &n) { return n.affine.uses(elementNumber); });
}

void numberElements(Lazy &l, const Affine &by) {
  for (graph::Node &n : l.body.nodes)
    if (n.affine.uses(elementNumber)) n.affine = by;
}

void append(std::vector<ScalarOp> &to, const Value &from) {
  if (from.kind == Value::Kind::Program)
    to.insert(to.end(), from.program.begin(), from.program.end());
  else if (from.kind == Value::Kind::Batch)
    to.push_back({ScalarOp::Count});
  else
    to.push_back({ScalarOp::Const, from.number});
}

int copyNode(graph::Body &to, const graph::Body &from, int n) {
  return to.copy(from, n);
}

} // namespace netc::dsl
