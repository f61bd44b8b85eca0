#include "compiler/schedule/kernel_builder.h"

#include "compiler/graph/text.h"
#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

namespace netc::schedule {

using loop::Operand;
using loop::RegisterRef;

KernelBuilder::KernelBuilder(std::string name) {
  kernel.name = std::move(name);
  kernel.variables = {"count", "blocks", "fullBlocks", "turn"};
  blocks.emplace_back();
}

int KernelBuilder::variable(const std::string &name) {
  kernel.variables.push_back(name);
  open.push_back(name); // that of threads has the whole kernel as its scope
  return static_cast<int>(kernel.variables.size()) - 1;
}

RegisterRef KernelBuilder::reg(const std::string &name, DType type, std::vector<std::int64_t> dims) {
  std::string unique = name;
  for (int i = 2; !names.insert(unique).second; ++i)
    unique = name + std::to_string(i);
  kernel.registers.push_back({unique, type, std::move(dims)});
  return {static_cast<int>(kernel.registers.size()) - 1, {}};
}

void KernelBuilder::loop(const std::string &name, std::vector<Affine> lower, std::vector<Affine> upper,
                         std::int64_t step, bool unroll, const std::function<void(int)> &body) {
  std::string unique = name;
  for (int i = 2; std::find(open.begin(), open.end(), unique) != open.end(); ++i)
    unique = name + std::to_string(i);
  const int var = variable(unique);
  blocks.emplace_back();
  body(var);
  loop::For f{var, std::move(lower), std::move(upper), step, unroll, std::move(blocks.back())};
  blocks.pop_back();
  open.pop_back();
  if (!f.body.empty()) add(std::move(f));
}

void KernelBuilder::when(std::vector<Affine> conditions, const std::function<void()> &body) {
  if (conditions.empty()) return body();
  blocks.emplace_back();
  body();
  loop::If i{std::move(conditions), std::move(blocks.back())};
  blocks.pop_back();
  if (!i.body.empty()) add(std::move(i));
}

void KernelBuilder::unrolled(const std::string &name, std::int64_t extent,
                             const std::function<void(Affine)> &body) {
  if (extent == 1) return body(Affine());
  loop(name, 0, extent, 1, /*unroll=*/true, [&](int var) { body(Affine::var(var)); });
}

Operand KernelBuilder::constant(double value, DType type) {
  Operand o;
  o.kind = Operand::Kind::Constant;
  o.type = type;
  o.value = value;
  return o;
}

Operand KernelBuilder::of(RegisterRef r) {
  Operand o;
  o.kind = Operand::Kind::Register;
  o.reg = std::move(r);
  return o;
}

Operand KernelBuilder::compute(const std::string &name, DType type, Fn f, std::vector<Operand> args) {
  const RegisterRef dst = reg(name, type);
  add(loop::Compute{dst, f, std::move(args)});
  return of(dst);
}

namespace {

/// What the arguments of a function with an expansion are.
DType argumentType(Fn f) {
  const Signature s = row(f).signature;
  return s == Signature::Integer || s == Signature::IntToReal ? DType::I32 : DType::F32;
}

/// A function's expansion, parsed once a thread: nodes over three Scalar leaves that stand for a, b and c.
const graph::Body &expansion(Fn f) {
  thread_local std::map<Fn, graph::Body> parsed;
  if (auto known = parsed.find(f); known != parsed.end()) return known->second;
  graph::Body body;
  body.root = graph::parseExpression(row(f).expansion, body, [&](std::string_view name) {
    return name.size() == 1 && name[0] >= 'a' && name[0] <= 'c' ? body.scalar(name[0] - 'a', argumentType(f)) : -1;
  });
  return parsed[f] = body;
}

} // namespace

std::int64_t primitivesOf(Fn f) {
  if (isPrimitive(f)) return 1;
  std::int64_t n = 0;
  for (const graph::Node &node : expansion(f).nodes)
    if (node.kind == graph::Node::Kind::Call) n += primitivesOf(node.fn);
  return n;
}

Operand KernelBuilder::call(Fn f, DType type, const std::vector<Operand> &args) {
  // A conversion of a constant is a constant: expansions write integers as toInt(23).
  if (args.size() == 1 && args[0].kind == Operand::Kind::Constant && (f == Fn::ToInt || f == Fn::ToReal))
    return constant(f == Fn::ToInt ? std::trunc(args[0].value) : args[0].value,
                    f == Fn::ToInt ? DType::I32 : DType::F32);
  if (isPrimitive(f)) {
    std::string name(row(f).name);
    if (std::isdigit(static_cast<unsigned char>(name.back()))) name += '_';
    return compute(name, type, f, args);
  }
  const graph::Body &body = expansion(f);
  std::vector<Operand> value(body.nodes.size());
  for (std::size_t i = 0; i < body.nodes.size(); ++i) {
    const graph::Node &n = body.nodes[i];
    switch (n.kind) {
    case graph::Node::Kind::Const:
      value[i] = constant(n.value, n.dtype);
      break;
    case graph::Node::Kind::Scalar:
      value[i] = args.at(n.id);
      break;
    case graph::Node::Kind::Call: {
      std::vector<Operand> inner;
      for (int a : n.args)
        inner.push_back(value[a]);
      value[i] = call(n.fn, n.dtype, inner);
      break;
    }
    default:
      internalError("an expansion reads a tensor or an index");
    }
  }
  return value[body.root];
}

loop::Kernel KernelBuilder::finish() {
  kernel.body = std::move(blocks.front());
  return std::move(kernel);
}

} // namespace netc::schedule
