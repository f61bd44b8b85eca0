#include "compiler/codegen/highway/kernel_printer.h"

#include "compiler/codegen/constant_registers.h"
#include "compiler/codegen/highway/kernel_uses.h"
#include "compiler/codegen/highway/simd_names.h"
#include "compiler/codegen/lines.h"
#include "compiler/codegen/literals.h"
#include "compiler/codegen/model_tables.h"
#include "compiler/codegen/names.h"
#include "compiler/loop/walk.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace netc::codegen {

using namespace loop;

namespace {

class KernelPrinter {
public:
  KernelPrinter(const Entry &entry, const Kernel &kernel, const PlacesRead &read)
      : entry(entry), kernel(kernel), read(read), slots(kernel), uses(usesOf(kernel, slots)), scopes(registerScopes(kernel)),
        constants(entry, kernel), registers(slots.count()), declared(slots.count(), false) {}

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
    takeRegisters([&](int slot) { return uses.writes[slot] > 0; });
    takeRegisters([&](int slot) { return uses.reads[slot]; });
  }

  template <class Named> void takeRegisters(Named named) {
    for (std::size_t r = 0, slot = 0; r < kernel.registers.size(); ++r)
      for (const std::size_t first = slot; slot < static_cast<std::size_t>(slots.firstOf(static_cast<int>(r) + 1)); ++slot)
        if (registers[slot].empty() && named(static_cast<int>(slot)))
          registers[slot] = names.take(elementName(kernel.registers[r], static_cast<std::int64_t>(slot - first)));
  }

  /// "acc_2_0"
  static std::string elementName(const Register &r, std::int64_t position) {
    std::string indices;
    for (auto d = r.dims.rbegin(); d != r.dims.rend(); position /= *d++) indices = fmt::format("_{}{}", position % *d, indices);
    return r.name + indices;
  }

  void printSizes() {
    constexpr const char *values[] = {"frame->count", "(frame->count + 15) / 16", "frame->count / 16", "frame->turn"};
    for (const int v : {Count, Blocks, FullBlocks, Turn}) {
      if (!uses.variables.count(v)) continue;
      usesFrame = true;
      line("const std::int64_t {} = {};", bind(v), values[v]);
    }
  }

  void printScalars() {
    for (auto &[s, name] : scalars) {
      usesFrame = true;
      const bool integer = typeOf(entry.scalars[s].program) == DType::I32;
      const std::string number = placeOf(read.scalars, s, s);
      if (integer) line("const std::int32_t {} = IntegerScalar(frame->scalars[{}]);", name, number);
      else line("const float {} = frame->scalars[{}];", name, number);
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
      line("auto *const {} = {};", name, pointer(buffer, placeOf(read.buffers, b, buffer.place), type));
    }
  }

  /// The place where kernels differ in it, else what it is.
  static std::string placeOf(const std::map<int, int> &positions, int index, std::int64_t place) {
    const auto at = positions.find(index);
    return at == positions.end() ? std::to_string(place) : fmt::format("frame->places[{}]", at->second);
  }

  static std::string pointer(const Buffer &b, const std::string &place, const std::string &type) {
    const auto offset = place == "0" ? std::string() : " + " + place;
    switch (b.space) {
    case Space::Input: return fmt::format("static_cast<{} *>(frame->inputs[{}])", type, place);
    case Space::Output: return fmt::format("static_cast<{} *>(frame->outputs[{}])", type, place);
    case Space::Store: return fmt::format("reinterpret_cast<{} *>(frame->store{})", type, offset);
    case Space::Workspace: return fmt::format("reinterpret_cast<{} *>(frame->workspace{})", type, offset);
    case Space::Part: return fmt::format("reinterpret_cast<{} *>(frame->part{})", type, offset);
    case Space::Constant: break;
    }
    internalError("a constant has no place");
  }

  void printConstants(const Buffer &b, const std::string &name) {
    // Whole vectors, of which a load may take a part: what compilers check is the address of the whole.
    const std::size_t padded = (b.values.size() + loop::lanes - 1) / loop::lanes * loop::lanes;
    line("alignas(64) static constexpr {} {}[{}] = {{", cType(b.type), name, padded);
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
    for (std::size_t i = 0; i < block.size(); ++i) {
      const Statement &s = *block[i];
      const bool otherwise = i + 1 < block.size() && isComplement(s, *block[i + 1]);
      for (std::size_t j = i; j <= i + otherwise; ++j) {
        if (const Block *inner = bodyOf(*block[j])) declareBefore(*inner, owner);
        else declareBefore(*block[j], owner);
      }
      currentOwner = owner;
      std::visit([&](const auto &node) { printNode(node, &s); }, s.node);
      if (otherwise) printElse(*block[++i]);
    }
    --indent;
  }

  /// True of `if a >= 0` and `if -a - 1 >= 0`: just one of them runs. (No body changes the variables of a condition.)
  static bool isComplement(const Statement &first, const Statement &second) {
    auto *a = std::get_if<If>(&first.node), *b = std::get_if<If>(&second.node);
    return a && b && a->conditions.size() == 1 && b->conditions.size() == 1 &&
           b->conditions[0] == a->conditions[0] * -1 - 1;
  }

  /// Registers of this scope that a nested block is the first to touch get a value before it.
  void declareBefore(const Block &nested, const Statement *owner) {
    for (const StatementPtr &s : nested) {
      if (const Block *inner = bodyOf(*s)) {
        declareBefore(*inner, owner);
        continue;
      }
      declareBefore(*s, owner);
      if (const RegisterRef *dst = destination(*s)) declare(*dst, owner);
    }
  }
  void declareBefore(const Statement &s, const Statement *owner) {
    forEachOperand(s, [&](const Operand &o) {
      if (o.kind == Operand::Kind::Register) declare(o.reg, owner);
    });
  }
  void declare(const RegisterRef &r, const Statement *owner) {
    if (scopes[r.reg] != owner) return;
    const int slot = slots.at(r);
    if (declared[slot]) return;
    declared[slot] = true;
    const DType type = kernel.registers[r.reg].type;
    const char *zero = type == DType::F32 ? "0.0f" : type == DType::Bool ? "false" : "0";
    line("{}{} {} = Set({});", unusedMark(slot), simdType(type), registers[slot], zero);
  }

  const char *unusedMark(int slot) const { return uses.reads[slot] ? "" : "[[maybe_unused]] "; }

  // --- statements
  void assign(const RegisterRef &dst, const std::string &value) {
    const int slot = slots.at(dst);
    const std::string &name = registers[slot];
    if (scopes[dst.reg] == currentOwner && !declared[slot]) {
      declared[slot] = true;
      const bool once = uses.writes[slot] == 1;
      line("{}{}{} {} = {};", unusedMark(slot), once ? "const " : "", simdType(kernel.registers[dst.reg].type), name,
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
    for (const Affine &a : i.conditions) conditions += (conditions.empty() ? "" : " && ") + condition(a);
    line("if ({}) {{", conditions.empty() ? "true" : conditions);
    printBody(i.body, self);
    line("}}");
  }
  void printElse(const Statement &complement) {
    text.pop_back(); // after the first body's bracket
    text += " else {\n";
    printBody(std::get<If>(complement.node).body, &complement);
    line("}}");
  }

  // --- expressions
  std::string operand(const Operand &o) const {
    switch (o.kind) {
    case Operand::Kind::Register: return registers[slots.at(o.reg)];
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
  /// a >= 0, with what is subtracted on the other side.
  std::string condition(const Affine &a) const {
    Affine more(std::max<std::int64_t>(a.constant(), 0)), less(std::max<std::int64_t>(-a.constant(), 0));
    for (auto &[v, k] : a.terms()) (k > 0 ? more : less) += Affine::var(v, k > 0 ? k : -k);
    if (more.isConstant()) return fmt::format("{} <= {}", index(less), index(more));
    if (less.isConstant()) return fmt::format("{} >= {}", index(more), index(less));
    return fmt::format("{} <= {}", index(less), index(more));
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
    const std::string statement = std::string(2 * indent, ' ') + fmt::format(format, std::forward<Args>(args)...);
    text += wrapped(statement, 2 * indent + 4) + '\n';
  }

  const Entry &entry;
  const Kernel &kernel;
  const PlacesRead &read;
  const Slots slots;
  const Uses uses;
  const std::vector<const Statement *> scopes;
  const ConstantRegisters constants;
  std::vector<std::string> registers; // their names, by slot
  std::vector<bool> declared;         // by slot
  Names names;
  std::map<int, std::string> buffers, scalars, variables;
  const Statement *currentOwner = nullptr;
  std::string text;
  std::size_t indent = 1;
  bool usesFrame = false;
};

} // namespace

KernelText printKernel(const Entry &entry, const Kernel &kernel, const PlacesRead &read) {
  return KernelPrinter(entry, kernel, read).print();
}

} // namespace netc::codegen
