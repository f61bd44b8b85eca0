#include "expansion.h"

#include "compiler/graph/text.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace netc::test {

using graph::Node;
using loop::LaneValues;

Expansion::Expansion(Fn f) : values(3), types(3, DType::F32), isConstant(3, 0) {
  root = expand(f, std::vector<int>{0, 1, 2});
}

int Expansion::constant(double value, DType type) {
  const std::uint32_t bits = type == DType::F32 ? std::bit_cast<std::uint32_t>(static_cast<float>(value))
                                                : static_cast<std::uint32_t>(static_cast<std::int64_t>(value));
  LaneValues v;
  for (std::uint32_t &lane : v.bits) lane = bits;
  values.push_back(v);
  types.push_back(type);
  isConstant.push_back(1);
  number[static_cast<int>(values.size()) - 1] = value;
  return static_cast<int>(values.size()) - 1;
}

int Expansion::expand(Fn f, const std::vector<int> &args) {
  if (f == Fn::ToInt && isConstant[args[0]])
    return constant(std::trunc(number[args[0]]), DType::I32);
  if (isPrimitive(f)) {
    const Signature s = row(f).signature;
    const DType type = s == Signature::Real || s == Signature::IntToReal       ? DType::F32
                       : s == Signature::Integer || s == Signature::RealToInt ? DType::I32
                       : s == Signature::Choose                               ? types[args[1]]
                                                                              : DType::Bool;
    Operation o{f, types[args[0]] == DType::I32, {}, static_cast<int>(values.size())};
    for (int i = 0; i < row(f).arity; ++i) o.args[i] = args[i];
    code.push_back(o);
    values.emplace_back();
    types.push_back(type);
    isConstant.push_back(0);
    return o.result;
  }
  graph::Body body;
  body.root = graph::parseExpression(row(f).expansion, body, [&](std::string_view name) {
    return name.size() == 1 && name[0] >= 'a' && name[0] <= 'c' ? body.scalar(name[0] - 'a') : -1;
  });
  body.compact();
  std::vector<int> made;
  for (const Node &n : body.nodes) {
    std::vector<int> inner;
    for (int a : n.args) inner.push_back(made[a]);
    made.push_back(n.kind == Node::Kind::Const    ? constant(n.value, n.dtype)
                   : n.kind == Node::Kind::Scalar ? args.at(n.id)
                                                  : expand(n.fn, inner));
  }
  return made[body.root];
}

const LaneValues &Expansion::run(const LaneValues (&args)[3]) {
  std::copy(args, args + 3, values.begin());
  for (const Operation &o : code)
    loop::apply(o.fn, o.integers, values[o.args[0]], values[o.args[1]], values[o.args[2]], values[o.result]);
  return values[root];
}

} // namespace netc::test
