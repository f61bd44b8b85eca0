#include "compiler/schedule/emit.h"

#include <algorithm>
#include <cctype>

namespace netc::schedule {

using graph::Node;
using loop::Operand;
using loop::RegisterRef;

void PointEmitter::begin(const Nest &n, int v) {
  nest = &n;
  vector = v;
  bindings.assign(n.count, std::nullopt);
}

Affine PointEmitter::value(const Affine &a) const {
  return a.substitute([&](int p) { return bindings[p] ? *bindings[p] : Affine(); });
}

std::int64_t PointEmitter::laneStride(const Affine &address) const {
  return vector < 0 ? 0 : address.coefficient(vector);
}

/// Memory in blocks of samples has all lanes; everything else ends where `active` says.
std::optional<Affine> PointEmitter::activeFor(int tensor) const {
  return vector == nest->batch && buffers.wholeBlocks[tensor] ? std::nullopt : active;
}

bool PointEmitter::isZeroBeyondActive(int node) const {
  const Node &n = nest->clause->body.nodes[node];
  if (n.kind == Node::Kind::Read)
    return !known.contains(n.id) && laneStride(nest->reads[node].address) != 0 && activeFor(n.id);
  return n.kind == Node::Kind::Call && n.fn == Fn::Mul &&
         std::all_of(n.args.begin(), n.args.end(), [this](int a) { return isZeroBeyondActive(a); });
}

Affine PointEmitter::place(int tensor, const Affine &address) const {
  const Affine whole = value(address);
  return buffers.parts[tensor] ? whole - firstSample * address.coefficient(nest->batch) : whole;
}

loop::Load PointEmitter::load(RegisterRef dst, int tensor, const Affine &address) const {
  if (buffers.of[tensor] < 0)
    throw UserError("schedule: '" + graph.tensors[tensor].name +
                    "' is kept in registers but read by another leaf");
  const std::int64_t stride = laneStride(address);
  loop::Load l{std::move(dst), buffers.of[tensor], place(tensor, address), stride, {}};
  if (stride != 0) l.active = activeFor(tensor);
  return l;
}

loop::Store PointEmitter::store(int tensor, const Affine &address, const Operand &operand) const {
  const std::int64_t stride = laneStride(address);
  loop::Store s{buffers.of[tensor], place(tensor, address), stride == 0 ? 1 : stride, operand, {}};
  s.active = stride == 0 ? std::optional<Affine>(1) : activeFor(tensor);
  return s;
}

bool PointEmitter::touchesRows(const std::vector<std::string> &followers) const {
  const auto rows = [&](int tensor) {
    if (buffers.of[tensor] < 0 || buffers.wholeBlocks[tensor]) return false;
    const auto &shape = graph.tensors[tensor].shape;
    return std::any_of(shape.begin(), shape.end(), [](const graph::Extent &e) { return e.batch; });
  };
  const auto touches = [&](const graph::Formula &f, const graph::Body &body) {
    if (rows(f.target)) return true;
    for (const Node &n : body.nodes)
      if (n.kind == Node::Kind::Read && rows(n.id)) return true;
    return false;
  };
  if (touches(*nest->formula, nest->clause->body)) return true;
  for (const std::string &name : followers)
    if (const graph::Formula *f = graph.definition(graph.find(name)); f && touches(*f, f->clauses[0].body))
      return true;
  return false;
}

Operand PointEmitter::number(const Affine &a) {
  const Affine base = value(a);
  const std::int64_t step = laneStride(a);
  if (base.isConstant() && step == 0)
    return KernelBuilder::constant(static_cast<double>(base.constant()), DType::I32);
  const RegisterRef r = k.reg("index", DType::I32);
  k.add(loop::LaneIndex{r, base, step});
  return KernelBuilder::of(r);
}

/// "conv1.weight" -> "weight", "relu1" -> "relu1At": short, and not the name of the buffer itself.
static std::string registerName(const std::string &tensor) {
  const std::size_t dot = tensor.rfind('.');
  std::string s = dot == std::string::npos ? tensor + "At" : tensor.substr(dot + 1);
  for (char &c : s)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  if (s.empty() || std::isdigit(static_cast<unsigned char>(s[0]))) s = "v" + s;
  return s;
}

Operand PointEmitter::emitNode(int node, std::vector<std::optional<Operand>> &done) {
  if (done[node]) return *done[node];
  const Node &n = nest->clause->body.nodes[node];
  const auto result = [&]() -> Operand {
    switch (n.kind) {
    case Node::Kind::Const:
      return KernelBuilder::constant(n.value, n.dtype);
    case Node::Kind::Index:
      return number(nest->index[node]);
    case Node::Kind::Scalar: {
      Operand o;
      o.kind = Operand::Kind::Scalar;
      o.type = n.dtype;
      o.scalar = n.id;
      return o;
    }
    case Node::Kind::Read: {
      if (auto at = known.find(n.id); at != known.end()) return at->second.value;
      const RegisterRef r = k.reg(registerName(graph.tensors[n.id].name), n.dtype);
      k.add(load(r, n.id, nest->reads[node].address));
      return KernelBuilder::of(r);
    }
    case Node::Kind::Call:
      break;
    }
    std::vector<Operand> args;
    for (int a : n.args)
      args.push_back(emitNode(a, done));
    return k.call(n.fn, n.dtype, args);
  }();
  done[node] = result;
  return result;
}

Operand PointEmitter::emit(int node) {
  const graph::Body &body = nest->clause->body;
  std::vector<std::optional<Operand>> done(body.nodes.size());
  return emitNode(node < 0 ? body.root : node, done);
}

PointEmitter PointEmitter::follow(const Nest &follower, const std::vector<int> &here) const {
  PointEmitter e(graph, buffers, k);
  e.begin(follower, -1);
  for (std::size_t p = 0; p < here.size(); ++p) {
    if (here[p] == vector) e.vector = static_cast<int>(p);
    e.bindings[p] = bindings[here[p]];
    if (!e.bindings[p]) continue; // was reduced: its loop is over
    const int from = nest->positions[here[p]].block, to = follower.positions[p].block;
    if (to >= 0 && from >= 0) e.bindings[to] = bindings[from];
    if (to < 0 && from >= 0) *e.bindings[p] += *bindings[from] * loop::lanes;
    if (to >= 0 && from < 0)
      throw UserError("schedule: '" + graph.tensors[follower.formula->target].name +
                      "' follows in a blocked layout what is computed without blocks");
  }
  e.active = active;
  e.firstSample = firstSample;
  return e;
}

std::vector<int> dimensionPositions(const graph::Clause &c) {
  std::vector<int> dims;
  for (const Affine &a : c.out) {
    int v = -1;
    dims.push_back(a.isVar(&v) ? v : -1);
  }
  return dims;
}

std::vector<int> correspondence(const graph::Graph &g, const Nest &follower,
                                const std::map<int, InRegister> &at) {
  std::vector<int> here(follower.positions.size(), -1);
  for (const Node &n : follower.clause->body.nodes) {
    if (n.kind != Node::Kind::Read) continue;
    const auto source = at.find(n.id);
    if (source == at.end()) continue;
    for (std::size_t d = 0; d < n.map.size(); ++d) {
      int v = -1;
      if (!n.map[d].isVar(&v) || (here[v] >= 0 && here[v] != source->second.dims[d]) ||
          follower.clause->domain[v].extent != g.tensors[n.id].shape[d])
        return {};
      here[v] = source->second.dims[d];
    }
  }
  for (int p : here)
    if (p < 0) return {};
  return here;
}

} // namespace netc::schedule
