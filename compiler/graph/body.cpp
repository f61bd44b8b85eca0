// Building bodies: shared nodes and the typing of calls.
#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

#include <bit>

namespace netc::graph {

namespace {

/// Equality of meaning: constants by bits (so -0 and 0 stay apart, and a NaN equals itself).
bool same(const Node &a, const Node &b) {
  return a.kind == b.kind && a.dtype == b.dtype &&
         std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value) && a.id == b.id &&
         a.fn == b.fn && a.args == b.args && a.affine == b.affine && a.map == b.map;
}

DType typeOf(const Body &b, int n) { return b.nodes[n].dtype; }

/// Node n as a value of type `to`; constants are converted in place, everything else by an explicit node.
int convert(Body &b, int n, DType to) {
  const Node from = b.nodes[n];
  if (from.dtype == to)
    return n;
  if (from.kind == Node::Kind::Const && (to == DType::F32 || from.dtype == DType::Bool))
    return b.constant(from.value, to);
  if (from.dtype == DType::Bool)
    return b.call(Fn::Select, n, b.constant(1, to), b.constant(0, to));
  if (from.dtype == DType::I32 && to == DType::F32)
    return b.call(Fn::ToReal, n);
  internalError("cannot use a value of type " + std::string(name(from.dtype)) + " as " +
                std::string(name(to)));
}

/// The type that both operands are brought to: real if one is real, else integer unless both are boolean.
DType common(DType a, DType b) {
  if (a == b)
    return a;
  return a == DType::F32 || b == DType::F32 ? DType::F32 : DType::I32;
}

void convertAll(Body &b, std::vector<int> &args, DType to) {
  for (int &a : args)
    a = convert(b, a, to);
}

/// Brings the arguments to the types that the table asks for; returns the type of the result.
DType typeCall(Body &b, const FnRow &f, std::vector<int> &args) {
  switch (f.signature) {
  case Signature::Real: convertAll(b, args, DType::F32); return DType::F32;
  case Signature::Compare: {
    DType t = common(typeOf(b, args[0]), typeOf(b, args[1]));
    convertAll(b, args, t == DType::Bool ? DType::I32 : t);
    return DType::Bool;
  }
  case Signature::Choose: {
    if (typeOf(b, args[0]) != DType::Bool)
      internalError("the condition of select has type " + std::string(name(typeOf(b, args[0]))) +
                    ", expected bool");
    DType t = common(typeOf(b, args[1]), typeOf(b, args[2]));
    args[1] = convert(b, args[1], t);
    args[2] = convert(b, args[2], t);
    return t;
  }
  case Signature::Logic: convertAll(b, args, DType::Bool); return DType::Bool;
  case Signature::Integer: convertAll(b, args, DType::I32); return DType::I32;
  case Signature::RealToInt: convertAll(b, args, DType::F32); return DType::I32;
  case Signature::IntToReal: convertAll(b, args, DType::I32); return DType::F32;
  }
  internalError("unknown signature");
}

} // namespace

int Body::add(Node n) {
  if (n.kind == Node::Kind::Index && n.affine.isConstant()) {
    n.kind = Node::Kind::Const; // one form for constant integers
    n.value = static_cast<double>(n.affine.constant());
    n.affine = Affine();
  }
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (same(nodes[i], n))
      return static_cast<int>(i);
  nodes.push_back(std::move(n));
  return static_cast<int>(nodes.size()) - 1;
}

int Body::constant(double value, DType type) {
  Node n;
  n.dtype = type;
  n.value = value;
  return add(std::move(n));
}

int Body::index(Affine a) {
  Node n;
  n.kind = Node::Kind::Index;
  n.dtype = DType::I32;
  n.affine = std::move(a);
  return add(std::move(n));
}

int Body::scalar(int id, DType type) {
  Node n;
  n.kind = Node::Kind::Scalar;
  n.dtype = type;
  n.id = id;
  return add(std::move(n));
}

int Body::read(int tensor, DType tensorType, std::vector<Affine> map) {
  Node n;
  n.kind = Node::Kind::Read;
  n.dtype = tensorType == DType::U8 ? DType::I32 : tensorType;
  n.id = tensor;
  n.map = std::move(map);
  return add(std::move(n));
}

int Body::call(Fn f, std::vector<int> args) {
  const FnRow &r = row(f);
  if (static_cast<int>(args.size()) != r.arity)
    internalError(std::string(r.name) + " takes " + std::to_string(r.arity) + " arguments, found " +
                  std::to_string(args.size()));
  Node n;
  n.kind = Node::Kind::Call;
  n.fn = f;
  n.dtype = typeCall(*this, r, args);
  n.args = std::move(args);
  return add(std::move(n));
}

int Body::copy(const Body &from, int root, FunctionRef<Affine(int)> subst,
               FunctionRef<int(int)> replace) {
  std::vector<int> made(from.nodes.size(), -1);
  auto visit = [&](auto &self, int n) -> int {
    if (made[n] >= 0)
      return made[n];
    if (replace)
      if (int r = replace(n); r >= 0)
        return made[n] = r;
    Node copied = from.nodes[n];
    for (int &a : copied.args)
      a = self(self, a);
    if (subst) {
      copied.affine = copied.affine.substitute(subst);
      for (Affine &a : copied.map)
        a = a.substitute(subst);
    }
    return made[n] = add(std::move(copied));
  };
  return visit(visit, root);
}

void Body::compact() {
  if (root < 0)
    return;
  std::vector<char> used(nodes.size(), 0);
  used[root] = 1;
  for (int n = root; n >= 0; --n)
    if (used[n])
      for (int a : nodes[n].args)
        used[a] = 1;
  std::vector<int> moved(nodes.size(), -1);
  std::vector<Node> kept;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    if (used[n]) {
      for (int &a : nodes[n].args)
        a = moved[a];
      moved[n] = static_cast<int>(kept.size());
      kept.push_back(std::move(nodes[n]));
    }
  nodes = std::move(kept);
  root = moved[root];
}

} // namespace netc::graph
