#include "dsl/graph_writer.h"

#include <algorithm>
#include <utility>

namespace netc::dsl {

int GraphWriter::newIndex(std::string name, const Location &at) {
  IndexVariable i;
  i.name = std::move(name);
  i.location = at;
  indices.push_back(std::move(i));
  return firstIndex + static_cast<int>(indices.size()) - 1;
}

Interval GraphWriter::rangeOf(const Affine &a) {
  return a.range([&](int v) { return Interval{0, index(v).extent.size - 1}; });
}

std::string GraphWriter::str(const Affine &a) const {
  return a.str([&](int v) { return indices[static_cast<std::size_t>(v - firstIndex)].name; });
}

Lazy GraphWriter::constant(double value, DType type) const {
  Lazy l;
  l.body.root = l.body.constant(value, type);
  return l;
}

Lazy GraphWriter::read(int tensor) const {
  const Extents &shape = graph.tensors[tensor].shape;
  std::vector<Affine> map;
  for (int d = 0; d < static_cast<int>(shape.size()); ++d)
    map.push_back(Affine::var(d));
  Lazy l = readAt(tensor, std::move(map));
  l.shape = shape;
  return l;
}

Lazy GraphWriter::readAt(int tensor, std::vector<Affine> map) const {
  Lazy l;
  l.body.root = l.body.read(tensor, graph.tensors[tensor].dtype, std::move(map));
  return l;
}

Lazy GraphWriter::scalar(const std::string &name, const std::vector<ScalarOp> &program) {
  const auto equal = std::find_if(graph.scalars.begin(), graph.scalars.end(), [&](const RuntimeScalar &s) {
    return s.program == program && s.name != "lr" && name != "lr"; // lr can be overridden: it stands alone
  });
  const int id = equal != graph.scalars.end() ? static_cast<int>(equal - graph.scalars.begin())
                                              : graph.addScalar(name.empty() ? "scalar" : name, program);
  Lazy l;
  l.body.root = l.body.scalar(id, typeOf(program));
  return l;
}

graph::Extent GraphWriter::extentOf(int variable, const Lazy &value) const {
  if (variable < firstIndex) return value.shape[static_cast<std::size_t>(variable)];
  return indices[static_cast<std::size_t>(variable - firstIndex)].extent;
}

Affine GraphWriter::ordinal(const std::vector<int> &variables, const Lazy &value) const {
  Affine number;
  std::int64_t weight = 1;
  for (const bool batch : {false, true})
    for (auto v = variables.rbegin(); v != variables.rend(); ++v) {
      const graph::Extent e = extentOf(*v, value);
      if (e.batch != batch) continue;
      number += Affine::var(*v, weight);
      weight *= e.size;
    }
  return number;
}

namespace {

/// n, c, i, j for a batch of images; i, j, k, ... otherwise.
std::string dimensionName(int d, const Extents &shape) {
  static constexpr std::string_view plain = "ijklmpqrstuvwxyz";
  int position = d;
  if (!shape.empty() && shape[0].batch) {
    if (d == 0) return "n";
    position = d - 1;
    if (shape.size() == 4) {
      if (d == 1) return "c";
      position = d - 2;
    }
  }
  if (position < static_cast<int>(plain.size()))
    return std::string(1, plain[static_cast<std::size_t>(position)]);
  return "i" + std::to_string(d);
}

} // namespace

graph::Clause GraphWriter::clause(const Spec &spec, const Lazy &value) {
  graph::Clause c;
  for (int v : spec.domain)
    c.domain.push_back({v < firstIndex ? dimensionName(v, value.shape) : index(v).name, extentOf(v, value)});
  const auto position = [&](int v) {
    const auto at = std::find(spec.domain.begin(), spec.domain.end(), v);
    if (at == spec.domain.end()) internalError("an index of a formula is missing from its domain");
    return Affine::var(static_cast<int>(at - spec.domain.begin()));
  };
  for (const Affine &g : spec.guards)
    c.guards.push_back(g.substitute(position));
  for (const Affine &o : spec.out)
    c.out.push_back(o.substitute(position));
  c.body.root = c.body.copy(value.body, value.body.root, [&](int v) {
    return v == elementNumber ? ordinal(spec.domain, value).substitute(position) : position(v);
  });
  return c;
}

int GraphWriter::define(const Spec &spec, const Lazy &value, const Label &label) {
  graph::Tensor t;
  t.name = label.name.empty() ? "t" : label.name;
  const bool ordinal = graph::givesOrdinals(spec.op);
  t.dtype = ordinal ? DType::I32 : value.dtype();
  t.shape = spec.shape;
  t.location = label.location;
  graph::Formula f;
  f.op = spec.op;
  f.clauses.push_back(clause(spec, value));
  f.otherwise = spec.otherwise;
  f.accumulator = t.dtype;
  if (ordinal) f.accumulator = DType::F32;
  f.location = label.location;
  f.origin = label.origin;
  f.target = graph.addTensor(std::move(t));
  graph.formulas.push_back(std::move(f));
  return graph.formulas.back().target;
}

int GraphWriter::materialize(const Lazy &value, const Label &label) {
  if (const int t = wholeTensor(value); t >= 0) return t;
  Spec s;
  s.shape = value.shape;
  for (int d = 0; d < static_cast<int>(value.shape.size()); ++d) {
    s.domain.push_back(d);
    s.out.push_back(Affine::var(d));
  }
  return define(s, value, label);
}

Lazy GraphWriter::spill(graph::Combine op, const Lazy &value, const std::vector<int> &reduced,
                        std::vector<Affine> guards, std::optional<double> otherwise, const Label &label) {
  Spec s;
  s.op = op;
  s.guards = std::move(guards);
  s.otherwise = otherwise;
  std::vector<int> outer;
  if (value.shape.empty()) {
    outer = freeIndices(value);
    for (const Affine &g : s.guards) // a guard may name an index that the value does not read
      for (const auto &[v, c] : g.terms())
        if (std::find(outer.begin(), outer.end(), v) == outer.end()) outer.push_back(v);
    std::sort(outer.begin(), outer.end());
    std::erase_if(outer,
                  [&](int v) { return std::find(reduced.begin(), reduced.end(), v) != reduced.end(); });
  } else {
    for (int d = 0; d < static_cast<int>(value.shape.size()); ++d)
      outer.push_back(d);
  }
  std::vector<Affine> map;
  for (int v : outer) {
    s.shape.push_back(extentOf(v, value));
    map.push_back(Affine::var(v));
  }
  s.out = map;
  s.domain = outer;
  s.domain.insert(s.domain.end(), reduced.begin(), reduced.end());
  Lazy result = readAt(define(s, value, label), std::move(map));
  result.shape = value.shape;
  return result;
}

void GraphWriter::yieldName(int tensor, int heir) {
  for (int k = 1;; ++k) {
    const std::string name = graph.tensors[tensor].name + "." + std::to_string(k);
    if (const int other = graph.find(name); other >= 0 && other != heir) continue;
    const std::string wanted = std::exchange(graph.tensors[tensor].name, name);
    graph.tensors[heir].name = wanted;
    return;
  }
}

void GraphWriter::rename(int tensor, const std::string &name) {
  graph::Tensor &t = graph.tensors[tensor];
  if (t.kind != graph::TensorKind::Local || t.name == name || graph.find(name) >= 0) return;
  t.name = name;
}

} // namespace netc::dsl
