#include "compiler/loop/text.h"
#include "compiler/loop/walk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace netc::loop {

namespace {

/// Shortest text that reads back as the same number.
template <class T> std::string number(T v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  return fmt::format("{}", v);
}

template <class T> std::string numbers(const std::vector<T> &values) {
  std::string s;
  for (const T v : values) s += (s.empty() ? "" : ", ") + number(v);
  return s;
}

/// A constant of type f32 as it stands in code: always recognisable as a real.
std::string real(double v) {
  std::string s = number(static_cast<float>(v));
  if (s.find_first_of(".en") == std::string::npos) s += ".0";
  return s;
}

std::string extents(const std::vector<std::int64_t> &shape, bool batch) {
  std::string s = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) s += ", ";
    s += i == 0 && batch ? "N" : std::to_string(shape[i]);
  }
  return s + "]";
}

std::string quoted(const std::string &text) {
  std::string s = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') s += '\\';
    s += c;
  }
  return s + "\"";
}

/// Prints one kernel. Keeps the names of the loops around the place, so that equal names stay apart.
class KernelPrinter {
public:
  KernelPrinter(const Entry &entry, const Kernel &kernel, std::string &out)
      : entry(entry), k(kernel), out(out), shown(kernel.variables) {
    for (int v = 0; v < firstLoopVariable && v < static_cast<int>(shown.size()); ++v) around.push_back(shown[v]);
    RegisterNames names(kernel);
    for (const Register &r : kernel.registers) registers.push_back(isConstant(r.name) ? names.fresh(r.name) : r.name);
  }

  void print() {
    std::string head = "  kernel " + k.name;
    if (k.parallel >= 0) {
      enterVariable(k.parallel);
      head += fmt::format(" parallel {} < {}", variable(k.parallel), affine(k.parallelExtent));
    }
    if (k.turns > 0) head += fmt::format(" turns {}", k.turns);
    if (k.depthFirst) head += " then";
    if (k.flops != 0) head += " flops " + number(k.flops);
    out += head + " {\n";
    for (const std::string &line : k.comment) out += line.empty() ? "    |\n" : "    | " + line + "\n";
    printRegisters();
    printBlock(k.body, 2);
    out += "  }\n";
  }

private:
  /// As an operand such a name would be a constant.
  static bool isConstant(const std::string &name) {
    return name == "nan" || name == "inf" || name == "true" || name == "false";
  }
  std::string variable(int v) const {
    if (v < 0 || v >= static_cast<int>(shown.size())) return fmt::format("variable{}", v);
    return shown[v];
  }
  std::string affine(const Affine &a) const {
    return a.str([&](int v) { return variable(v); });
  }
  std::string ref(const RegisterRef &r) const {
    std::string s = r.reg >= 0 && r.reg < static_cast<int>(registers.size()) ? registers[r.reg]
                                                                             : fmt::format("register{}", r.reg);
    for (const Affine &i : r.index) s += "[" + affine(i) + "]";
    return s;
  }
  std::string buffer(int b) const {
    return b >= 0 && b < static_cast<int>(entry.buffers.size()) ? entry.buffers[b].name
                                                                : fmt::format("buffer{}", b);
  }
  std::string operand(const Operand &o) const {
    switch (o.kind) {
    case Operand::Kind::Register: return ref(o.reg);
    case Operand::Kind::Scalar:
      if (o.scalar < 0 || o.scalar >= static_cast<int>(entry.scalars.size())) return fmt::format("@scalar{}", o.scalar);
      return "@" + entry.scalars[o.scalar].name;
    case Operand::Kind::Constant: break;
    }
    if (o.type == DType::Bool) return o.value != 0 ? "true" : "false";
    if (o.type == DType::F32) return real(o.value);
    return fmt::format("i32({})", static_cast<std::int64_t>(o.value));
  }

  void enterVariable(int v) {
    if (v < 0 || v >= static_cast<int>(shown.size())) return;
    const std::string &base = k.variables[v];
    std::string name = base;
    for (int n = 1; std::find(around.begin(), around.end(), name) != around.end(); ++n)
      name = fmt::format("{}_{}", base, n);
    shown[v] = name;
    around.push_back(name);
  }

  /// Arrays are declared. A single register is declared only when its first assignment would not tell its type.
  void printRegisters() {
    std::vector<bool> told(k.registers.size(), false), declared(k.registers.size(), false);
    const auto see = [&](const RegisterRef &r) {
      if (r.reg >= 0 && r.reg < static_cast<int>(told.size()) && !told[r.reg]) declared[r.reg] = true;
    };
    forEachStatement(k.body, [&](const Statement &s) {
      forEachOperand(s, [&](const Operand &o) {
        if (o.kind == Operand::Kind::Register) see(o.reg);
      });
      const RegisterRef *d = destination(s);
      if (!d || d->reg < 0 || d->reg >= static_cast<int>(told.size())) return;
      if (!told[d->reg] && resultType(entry, k, s) != k.registers[d->reg].type) declared[d->reg] = true;
      told[d->reg] = true;
    });
    for (std::size_t i = 0; i < k.registers.size(); ++i) {
      const Register &r = k.registers[i];
      if (r.dims.empty() && told[i] && !declared[i]) continue;
      out += fmt::format("    reg {}: {}", registers[i], name(r.type));
      for (const std::int64_t d : r.dims) out += fmt::format("[{}]", d);
      out += "\n";
    }
  }

  void printBlock(const Block &block, int depth) {
    for (const StatementPtr &s : block) {
      out.append(2 * depth, ' ');
      std::visit([&](const auto &n) { printNode(n, depth); }, s->node);
    }
  }

  std::string active(const std::optional<Affine> &a) const { return a ? " active " + affine(*a) : ""; }

  void printNode(const Compute &n, int) {
    out += ref(n.dst) + " = ";
    if (n.op) out += std::string(row(*n.op).name) + "(";
    for (std::size_t i = 0; i < n.args.size(); ++i) out += (i > 0 ? ", " : "") + operand(n.args[i]);
    out += n.op ? ")\n" : "\n";
  }
  void printNode(const Load &n, int) {
    out += fmt::format("{} = load {}[{}]", ref(n.dst), buffer(n.buffer), affine(n.address));
    if (n.stride != 1) out += fmt::format(" stride {}", n.stride);
    out += active(n.active) + "\n";
  }
  void printNode(const Store &n, int) {
    out += fmt::format("store {}[{}]", buffer(n.buffer), affine(n.address));
    if (n.stride != 1) out += fmt::format(" stride {}", n.stride);
    out += " = " + operand(n.value) + active(n.active) + "\n";
  }
  void printNode(const LaneIndex &n, int) {
    out += fmt::format("{} = lanes {} step {}\n", ref(n.dst), affine(n.base), n.step);
  }
  void printNode(const LaneMask &n, int) { out += fmt::format("{} = mask {}\n", ref(n.dst), affine(n.active)); }
  void printNode(const Reduce &n, int) {
    static constexpr const char *ops[] = {"sum", "prod", "max", "min"};
    out += fmt::format("{} = reduce {} {}\n", ref(n.dst), ops[static_cast<int>(n.op)], operand(n.src));
  }

  std::string bounds(const std::vector<Affine> &list, const char *function) const {
    if (list.size() == 1) return affine(list[0]);
    std::string s = std::string(function) + "(";
    for (std::size_t i = 0; i < list.size(); ++i) s += (i > 0 ? ", " : "") + affine(list[i]);
    return s + ")";
  }
  void printNode(const For &n, int depth) {
    const std::string range = bounds(n.lower, "max") + " .. " + bounds(n.upper, "min");
    enterVariable(n.var);
    out += fmt::format("{} {} in {}", n.unroll ? "unroll" : "for", variable(n.var), range);
    if (n.step != 1) out += fmt::format(" step {}", n.step);
    printBody(n.body, depth);
    if (n.var >= 0 && n.var < static_cast<int>(shown.size())) around.pop_back();
  }
  void printNode(const If &n, int depth) {
    out += "if ";
    for (std::size_t i = 0; i < n.conditions.size(); ++i)
      out += (i > 0 ? ", " : "") + affine(n.conditions[i]) + " >= 0";
    printBody(n.body, depth);
  }
  void printBody(const Block &body, int depth) {
    out += " {\n";
    printBlock(body, depth + 1);
    out.append(2 * depth, ' ');
    out += "}\n";
  }

  const Entry &entry;
  const Kernel &k;
  std::string &out;
  std::vector<std::string> registers; // their names, by register
  std::vector<std::string> shown;     // by variable
  std::vector<std::string> around;    // of the run-time sizes and the loops around
};

void printTensor(const Tensor &t, std::string &out) {
  static constexpr const char *roles[] = {"input", "target", "param", "state"};
  out += fmt::format("tensor {} {}: {}{}", roles[static_cast<int>(t.role)], t.name, name(t.type),
                     extents(t.shape, t.batch));
  if (!t.classNames.empty()) {
    for (std::size_t i = 0; i < t.classNames.size(); ++i) out += (i > 0 ? ", " : " class ") + quoted(t.classNames[i]);
  } else if (t.classes > 0) {
    out += fmt::format(" class {}", t.classes);
  }
  if (!t.data.empty()) out += " data " + quoted(t.data);
  if (t.role == Tensor::Role::Param || t.role == Tensor::Role::State) {
    if (t.init == Tensor::Init::Constant) out += fmt::format(" ~ constant({})", number(t.initA));
    if (t.init == Tensor::Init::Uniform) out += fmt::format(" ~ uniform({}, {})", number(t.initA), number(t.initB));
    if (t.init == Tensor::Init::Normal) out += fmt::format(" ~ normal({}, {})", number(t.initA), number(t.initB));
    if (t.init == Tensor::Init::Values) out += " ~ values(" + numbers(t.values) + ")";
    out += fmt::format(" store {}", t.store);
    if (!t.blocked.empty()) out += fmt::format(" blocked ({})", fmt::join(t.blocked, ", "));
  }
  out += "\n";
}

void printBuffer(const Buffer &b, std::string &out) {
  out += fmt::format("  buffer {}: {}[{}] {}", b.name, name(b.type), b.size, name(b.space));
  if (b.space != Space::Constant) {
    out += fmt::format(" {}\n", b.place);
    return;
  }
  out += " [" + numbers(b.values) + "]\n";
}

void printEntry(const Entry &e, std::string &out) {
  out += fmt::format("entry {}", e.name);
  if (e.every) out += e.every < 0 ? " every epoch" : fmt::format(" every {}", e.every);
  out += fmt::format(" workspace {}", e.workspaceBytes);
  if (e.partBytes) out += fmt::format(" part {}", e.partBytes);
  if (e.commit != static_cast<int>(e.kernels.size())) out += fmt::format(" commit {}", e.commit);
  out += " {\n";
  if (!e.plan.empty()) out += fmt::format("  plan {}\n", quoted(e.plan));
  for (const RuntimeScalar &s : e.scalars) out += fmt::format("  scalar {} = {}\n", s.name, str(s.program));
  static constexpr const char *kinds[] = {"output", "loss", "metric"};
  for (const Result &r : e.results)
    out += fmt::format("  result {} {}: {}{}\n", kinds[static_cast<int>(r.kind)], r.name, name(r.type),
                       extents(r.shape, r.batch));
  for (const Buffer &b : e.buffers) printBuffer(b, out);
  for (const Kernel &k : e.kernels) {
    out += "\n";
    KernelPrinter(e, k, out).print();
  }
  out += "}\n";
}

} // namespace

std::string print(const Entry &e, const Kernel &k) {
  std::string out;
  KernelPrinter(e, k, out).print();
  return out;
}

std::string print(const Program &p) {
  std::string out = fmt::format("program {} batch {}", p.name, p.batch);
  if (p.storeBytes != 0) out += fmt::format(" store {}", p.storeBytes);
  if (!p.target.empty()) out += " target " + quoted(p.target);
  out += "\n";
  for (const Tensor &t : p.tensors) printTensor(t, out);
  for (const Entry &e : p.entries) {
    out += "\n";
    printEntry(e, out);
  }
  return out;
}

} // namespace netc::loop
