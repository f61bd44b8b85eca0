#include "compiler/codegen/highway/kernel_printer.h"

#include "compiler/codegen/constant_registers.h"
#include "compiler/codegen/literals.h"
#include "compiler/codegen/model_tables.h"
#include "compiler/codegen/names.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace netc::codegen {

using namespace loop;

namespace {

std::string cType(DType t) {
  switch (t) {
  case DType::F32: return "float";
  case DType::I32: return "std::int32_t";
  case DType::U8: return "std::uint8_t";
  case DType::Bool: return "bool";
  }
  internalError("unknown element type");
}

const char *registerType(DType t) { return t == DType::F32 ? "F" : t == DType::Bool ? "B" : "I"; }

/// The function of netc/simd.h; shifts take their count as a template argument.
const char *functionName(Fn f) {
  switch (f) {
  case Fn::Add: case Fn::IAdd: return "Add";
  case Fn::Sub: case Fn::ISub: return "Sub";
  case Fn::Mul: case Fn::IMul: return "Mul";
  case Fn::Div: return "Div";
  case Fn::Neg: return "Neg";
  case Fn::Sqrt: return "Sqrt";
  case Fn::Fma: return "MulAdd";
  case Fn::Lt: return "Lt";
  case Fn::Le: return "Le";
  case Fn::Eq: return "Eq";
  case Fn::Ne: return "Ne";
  case Fn::Select: return "Select";
  case Fn::And: case Fn::IAnd: return "And";
  case Fn::Or: case Fn::IOr: return "Or";
  case Fn::IXor: return "Xor";
  case Fn::Not: return "Not";
  case Fn::Shl: return "ShiftLeft";
  case Fn::Shr: return "ShiftRight";
  case Fn::ToReal: return "ToReal";
  case Fn::ToInt: return "ToInt";
  case Fn::BitsToInt: return "BitsToInt";
  case Fn::BitsToReal: return "BitsToReal";
  case Fn::Abs: case Fn::Minimum: case Fn::Maximum: case Fn::Floor: case Fn::Relu: case Fn::Exp: case Fn::Log:
  case Fn::Pow: case Fn::Tanh: case Fn::Sigmoid: case Fn::Softplus: case Fn::Sin: case Fn::Cos: case Fn::Erf: break;
  }
  internalError(fmt::format("'{}' is not a primitive of the loop IR", row(f).name));
}

const char *functionName(Reduce::Op op) {
  switch (op) {
  case Reduce::Op::Sum: return "ReduceSum";
  case Reduce::Op::Prod: return "ReduceProd";
  case Reduce::Op::Max: return "ReduceMax";
  case Reduce::Op::Min: return "ReduceMin";
  }
  internalError("unknown reduction");
}

/// What a kernel's text has to declare, found by one walk over it.
struct Uses {
  std::map<Element, int> writes;
  std::set<Element> reads;
  std::set<int> loaded, stored, scalars, variables;

  explicit Uses(const Kernel &k) {
    if (k.parallel >= 0) variables.insert(k.parallel);
    walk(k.body);
  }

private:
  void walk(const Block &block) {
    for (const StatementPtr &s : block) std::visit([&](const auto &node) { visit(node); }, s->node);
  }
  void visit(const Compute &c) {
    for (const Operand &o : c.args) visit(o);
    write(c.dst);
  }
  void visit(const Load &l) {
    loaded.insert(l.buffer);
    visit(l.address);
    if (l.active) visit(*l.active);
    write(l.dst);
  }
  void visit(const Store &s) {
    stored.insert(s.buffer);
    visit(s.address);
    visit(s.value);
    if (s.active) visit(*s.active);
  }
  void visit(const LaneIndex &i) {
    visit(i.base);
    write(i.dst);
  }
  void visit(const LaneMask &m) {
    visit(m.active);
    write(m.dst);
  }
  void visit(const Reduce &r) {
    visit(r.src);
    write(r.dst);
  }
  void visit(const For &f) {
    for (const Affine &a : f.lower) visit(a);
    for (const Affine &a : f.upper) visit(a);
    walk(f.body);
  }
  void visit(const If &i) {
    for (const Affine &a : i.conditions) visit(a);
    walk(i.body);
  }
  void visit(const Operand &o) {
    if (o.kind == Operand::Kind::Register) reads.insert(element(o.reg));
    if (o.kind == Operand::Kind::Scalar) scalars.insert(o.scalar);
  }
  void visit(const Affine &a) {
    for (auto &[v, k] : a.terms()) variables.insert(v);
  }
  void write(const RegisterRef &r) { ++writes[element(r)]; }
};

class KernelPrinter {
public:
  KernelPrinter(const Entry &entry, const Kernel &kernel)
      : entry(entry), kernel(kernel), uses(kernel), scopes(registerScopes(kernel)), constants(entry, kernel) {}

  KernelText print() {
    takeNames();
    printSizes();
    printScalars();
    printBuffers();
    if (kernel.parallel >= 0) {
      const std::string var = bind(kernel.parallel);
      line("for (std::int64_t {0} = begin; {0} < end; ++{0}) {{", var);
      printBody(kernel.body, nullptr);
      line("}}");
    } else {
      --indent;
      printBody(kernel.body, nullptr);
    }
    const char *frame = usesFrame ? "const NetcFrame *frame" : "const NetcFrame *";
    const char *range = kernel.parallel >= 0 ? "std::int64_t begin, std::int64_t end" : "std::int64_t, std::int64_t";
    return {fmt::format("{}, {}", frame, range), std::move(text)};
  }

private:
  // --- names and declarations at the top
  void takeNames() {
    for (const int b : uses.loaded) buffers[b];
    for (const int b : uses.stored) buffers[b];
    for (auto &[b, name] : buffers) name = names.take(entry.buffers[b].name);
    for (const int s : uses.scalars) scalars[s] = names.take(entry.scalars[s].name);
    for (auto &[e, count] : uses.writes) takeRegister(e);
    for (const Element &e : uses.reads) takeRegister(e);
  }

  void takeRegister(const Element &e) {
    if (registers.count(e)) return;
    std::string name = kernel.registers[e.first].name;
    for (const std::int64_t i : e.second) name += fmt::format("_{}", i);
    registers[e] = names.take(name);
  }

  void printSizes() {
    constexpr const char *values[] = {"frame->count", "(frame->count + 15) / 16", "frame->count / 16"};
    for (const int v : {Count, Blocks, FullBlocks}) {
      if (!uses.variables.count(v)) continue;
      usesFrame = true;
      line("const std::int64_t {} = {};", bind(v), values[v]);
    }
  }

  void printScalars() {
    for (auto &[s, name] : scalars) {
      usesFrame = true;
      line("const float {} = frame->scalars[{}];", name, s);
    }
  }

  void printBuffers() {
    for (auto &[b, name] : buffers) {
      const Buffer &buffer = entry.buffers[b];
      const std::string type = (uses.stored.count(b) ? "" : "const ") + cType(buffer.type);
      if (buffer.space == Space::Constant) {
        printConstants(buffer, name);
        continue;
      }
      usesFrame = true;
      line("auto *const {} = {};", name, place(buffer, type));
    }
  }

  std::string place(const Buffer &b, const std::string &type) {
    const auto offset = b.place == 0 ? std::string() : fmt::format(" + {}", b.place);
    switch (b.space) {
    case Space::Input: return fmt::format("static_cast<{} *>(frame->inputs[{}])", type, b.place);
    case Space::Output: return fmt::format("static_cast<{} *>(frame->outputs[{}])", type, b.place);
    case Space::Store: return fmt::format("reinterpret_cast<{} *>(frame->store{})", type, offset);
    case Space::Workspace: return fmt::format("reinterpret_cast<{} *>(frame->workspace{})", type, offset);
    case Space::Constant: break;
    }
    internalError("a constant has no place");
  }

  void printConstants(const Buffer &b, const std::string &name) {
    line("alignas(64) static constexpr {} {}[{}] = {{", cType(b.type), name, b.values.size());
    constexpr std::size_t perLine = 12;
    for (std::size_t i = 0; i < b.values.size(); i += perLine) {
      std::string row;
      for (std::size_t j = i; j < std::min(b.values.size(), i + perLine); ++j)
        row += (j == i ? "" : ", ") + constant(b.type, b.values[j]);
      line("  {},", row);
    }
    line("}};");
  }

  // --- blocks
  /// The statements of the block that belongs to `owner` (null: the kernel), each register declared where it is first
  /// needed in the block that is its scope.
  void printBody(const Block &block, const Statement *owner) {
    ++indent;
    for (const StatementPtr &s : block) {
      if (const Block *inner = innerBlock(*s)) declareBefore(*inner, owner);
      else declareBefore(*s, owner);
      currentOwner = owner;
      std::visit([&](const auto &node) { printNode(node, s.get()); }, s->node);
    }
    --indent;
  }

  static const Block *innerBlock(const Statement &s) {
    if (auto *f = std::get_if<For>(&s.node)) return &f->body;
    if (auto *i = std::get_if<If>(&s.node)) return &i->body;
    return nullptr;
  }

  /// Registers of this scope that a nested block is the first to touch get a value before it.
  void declareBefore(const Block &nested, const Statement *owner) {
    for (const StatementPtr &s : nested) {
      if (const Block *inner = innerBlock(*s)) {
        declareBefore(*inner, owner);
        continue;
      }
      declareBefore(*s, owner);
      if (const RegisterRef *dst = destination(*s)) declare(*dst, owner);
    }
  }
  void declareBefore(const Statement &s, const Statement *owner) {
    const auto read = [&](const Operand &o) {
      if (o.kind == Operand::Kind::Register) declare(o.reg, owner);
    };
    if (auto *c = std::get_if<Compute>(&s.node))
      for (const Operand &o : c->args) read(o);
    else if (auto *st = std::get_if<Store>(&s.node)) read(st->value);
    else if (auto *r = std::get_if<Reduce>(&s.node)) read(r->src);
  }
  void declare(const RegisterRef &r, const Statement *owner) {
    const Element e = element(r);
    if (scopes[r.reg] != owner || !declared.insert(e).second) return;
    const DType type = kernel.registers[r.reg].type;
    const char *zero = type == DType::F32 ? "0.0f" : type == DType::Bool ? "false" : "0";
    line("{}{} {} = Set({});", unusedMark(e), registerType(type), registers.at(e), zero);
  }

  static const RegisterRef *destination(const Statement &s) {
    if (auto *c = std::get_if<Compute>(&s.node)) return &c->dst;
    if (auto *l = std::get_if<Load>(&s.node)) return &l->dst;
    if (auto *i = std::get_if<LaneIndex>(&s.node)) return &i->dst;
    if (auto *m = std::get_if<LaneMask>(&s.node)) return &m->dst;
    if (auto *r = std::get_if<Reduce>(&s.node)) return &r->dst;
    return nullptr;
  }

  const char *unusedMark(const Element &e) const { return uses.reads.count(e) ? "" : "[[maybe_unused]] "; }

  // --- statements
  void assign(const RegisterRef &dst, const std::string &value) {
    const Element e = element(dst);
    const std::string &name = registers.at(e);
    if (scopes[dst.reg] == currentOwner && declared.insert(e).second) {
      const bool once = uses.writes.at(e) == 1;
      line("{}{}{} {} = {};", unusedMark(e), once ? "const " : "", registerType(kernel.registers[dst.reg].type), name,
           value);
    } else {
      line("{} = {};", name, value);
    }
  }

  void printNode(const Compute &c, const Statement *) {
    if (!c.op) return assign(c.dst, operand(c.args.at(0)));
    if (*c.op == Fn::Shl || *c.op == Fn::Shr) {
      if (c.args.at(1).kind != Operand::Kind::Constant) internalError("a shift count must be a constant");
      return assign(c.dst, fmt::format("{}<{}>({})", functionName(*c.op), static_cast<int>(c.args[1].value),
                                       operand(c.args[0])));
    }
    const bool hide = constants.isFoldable(c);
    std::string args;
    for (const Operand &o : c.args) {
      const bool first = args.empty();
      args += first ? "" : ", ";
      args += first && hide ? fmt::format("Opaque({})", operand(o)) : operand(o);
    }
    assign(c.dst, fmt::format("{}({})", functionName(*c.op), args));
  }

  void printNode(const Load &l, const Statement *) {
    const bool all = !l.active;
    if (l.stride == 0 && all) assign(l.dst, fmt::format("Set({}[{}])", buffers.at(l.buffer), index(l.address)));
    else if (l.stride == 1 && all) assign(l.dst, fmt::format("Load({})", pointer(l.buffer, l.address)));
    else if (l.stride == 1)
      assign(l.dst, fmt::format("LoadActive({}, {})", pointer(l.buffer, l.address), index(*l.active)));
    else if (all) assign(l.dst, fmt::format("Gather({}, {})", pointer(l.buffer, l.address), l.stride));
    else
      assign(l.dst, fmt::format("GatherActive({}, {}, {})", pointer(l.buffer, l.address), l.stride, index(*l.active)));
  }

  void printNode(const Store &s, const Statement *) {
    const std::string value = operand(s.value), at = pointer(s.buffer, s.address);
    if (s.active && s.active->isConstant() && s.active->constant() == 1) line("StoreFirst({}, {});", value, at);
    else if (s.stride == 1 && !s.active) line("Store({}, {});", value, at);
    else if (s.stride == 1) line("StoreActive({}, {}, {});", value, at, index(*s.active));
    else if (!s.active) line("Scatter({}, {}, {});", value, at, s.stride);
    else line("ScatterActive({}, {}, {}, {});", value, at, s.stride, index(*s.active));
  }

  void printNode(const LaneIndex &i, const Statement *) {
    assign(i.dst, fmt::format("Lanes({}, {})", index(i.base), i.step));
  }
  void printNode(const LaneMask &m, const Statement *) { assign(m.dst, fmt::format("Mask({})", index(m.active))); }
  void printNode(const Reduce &r, const Statement *) {
    assign(r.dst, fmt::format("{}({})", functionName(r.op), operand(r.src)));
  }

  void printNode(const For &f, const Statement *self) {
    const std::string lower = bound(f.lower, "Max"), upper = bound(f.upper, "Min"); // outside the variable's scope
    const std::string var = bind(f.var);
    const std::string step = f.step == 1 ? "++" + var : fmt::format("{} += {}", var, f.step);
    if (f.upper.size() == 1) {
      line("for (std::int64_t {0} = {1}; {0} < {2}; {3}) {{", var, lower, upper, step);
      printBody(f.body, self);
    } else {
      const std::string last = names.take(var + "End");
      line("for (std::int64_t {0} = {1}, {2} = {3}; {0} < {2}; {4}) {{", var, lower, last, upper, step);
      printBody(f.body, self);
      names.release(last);
    }
    line("}}");
    release(f.var);
  }

  void printNode(const If &i, const Statement *self) {
    std::string conditions;
    for (const Affine &a : i.conditions) conditions += (conditions.empty() ? "" : " && ") + index(a) + " >= 0";
    line("if ({}) {{", conditions.empty() ? "true" : conditions);
    printBody(i.body, self);
    line("}}");
  }

  // --- expressions
  std::string operand(const Operand &o) const {
    switch (o.kind) {
    case Operand::Kind::Register: return registers.at(element(o.reg));
    case Operand::Kind::Scalar: return fmt::format("Set({})", scalars.at(o.scalar));
    case Operand::Kind::Constant: return fmt::format("Set({})", constant(o.type, o.value));
    }
    internalError("unknown operand");
  }

  static std::string constant(DType type, double value) {
    if (type == DType::F32) return floatLiteral(value);
    if (type == DType::Bool) return value != 0 ? "true" : "false";
    return intLiteral(static_cast<std::int64_t>(value));
  }

  std::string index(const Affine &a) const {
    return a.str([&](int v) { return variables.at(v); });
  }
  std::string pointer(int buffer, const Affine &a) const {
    const std::string &name = buffers.at(buffer);
    return a == Affine(0) ? name : fmt::format("&{}[{}]", name, index(a));
  }
  std::string bound(const std::vector<Affine> &list, const char *combine) const {
    std::string text = index(list.at(0));
    for (std::size_t i = 1; i < list.size(); ++i) text = fmt::format("{}({}, {})", combine, text, index(list[i]));
    return text;
  }

  std::string bind(int v) { return variables[v] = names.take(kernel.variables[v]); }
  void release(int v) {
    names.release(variables.at(v));
    variables.erase(v);
  }

  template <class... Args> void line(fmt::format_string<Args...> format, Args &&...args) {
    text.append(2 * indent, ' ');
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
    text += '\n';
  }

  const Entry &entry;
  const Kernel &kernel;
  const Uses uses;
  const std::vector<const Statement *> scopes;
  const ConstantRegisters constants;
  Names names;
  std::map<int, std::string> buffers, scalars, variables;
  std::map<Element, std::string> registers;
  std::set<Element> declared;
  const Statement *currentOwner = nullptr;
  std::string text;
  std::size_t indent = 1;
  bool usesFrame = false;
};

} // namespace

KernelText printKernel(const Entry &entry, const Kernel &kernel) { return KernelPrinter(entry, kernel).print(); }

} // namespace netc::codegen
