#include "compiler/codegen/highway/highway.h"

#include "compiler/codegen/highway/kernel_printer.h"
#include "compiler/codegen/lines.h"
#include "compiler/codegen/literals.h"
#include "compiler/codegen/model_tables.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/in_parallel.h"
#include "compiler/support/targets.h"
#include "compiler/support/version.h"

#include <boost/algorithm/string/replace.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace netc::codegen {

using loop::Entry;
using loop::Kernel;
using loop::Program;

namespace {

constexpr std::string_view prologue = R"(// {source} compiled by {version}; do not edit.
//
// Each section below holds the kernels of one instruction set; the table at the end lists them, and the runtime
// (netc/model.h) picks. Compile as C++17 with optimization; no -march flag is needed.
//
// To read a kernel: its comment has the formula, the range of each index, the line of the .net file that
// asked for it and the rule that made it, and the schedule: the index along the 16 lanes of a vector, the
// order of the loops, the tile of results that registers hold. `begin` and `end` are the calling thread's
// share of the outermost loop. Parameters and the optimizer's states lie in the frame's `store`, in blocks
// of 16 where kernels want them so, everything else in its `workspace`, where a place is used again as soon
// as what lay there is dead; so several names may have one address, as a state and its next value always
// have. Offsets are bytes; `netc --emit=memory` draws them. `nb` counts blocks of 16 samples: a tensor
// whose samples lie along the lanes is [N/16][...][16]. x.grad is the loss's derivative by x; x.samples is
// what each sample adds to x, x.rows is x with a sample in a row, x.packed a copy as its reader wants it,
// x_4 one of several in an unrolled loop. @lr and @count are scalars of the call.

#if defined(__FAST_MATH__)
#error "this file does not work under -ffast-math: its sums would no longer give the same bits everywhere"
#endif
// Multiplies and adds stay apart; fused ones are written as MulAdd. These pragmas see to it, whatever flags g++
// gets; clang's -ffp-contract=fast, which is not its default, would override them and change the bits.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "{header}"

#include <netc/abi.h>

#include <cstdint>
#include <limits>
)";

constexpr std::string_view rule =
    "// ----------------------------------------------------------------------------------------------------------\n";

/// "NETC_SIMD_X86_64_V4"
std::string simdTarget(const std::string &target) {
  std::string macro = "NETC_SIMD_" + identifier(target);
  for (char &c : macro) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return macro;
}

/// Names within the namespace of the program's section, by entry and kernel.
std::vector<std::vector<std::string>> functionNames(const std::vector<Program> &programs, int program) {
  auto names = kernelSymbols(programs, program);
  if (programs.size() > 1)
    for (auto &ofEntry : names)
      for (std::string &n : ofEntry) n.resize(n.size() - targetSuffix(programs[program]).size() - 1);
  return names;
}

/// Prints the sections of one architecture, one for each program, and the tables that name their kernels.
class ModelPrinter {
public:
  ModelPrinter(const std::vector<Program> &programs, const Reference &reference)
      : programs(programs), reference(reference), shared(sharedKernels(programs)) {
    for (std::size_t p = 0; p < programs.size(); ++p) names.push_back(functionNames(programs, static_cast<int>(p)));
  }

  void print(std::string &to) {
    printSections(to);
    printTables(to);
  }

private:
  void printSections(std::string &out) const {
    std::vector<std::pair<int, KernelIndex>> kernels; // with their programs
    for (std::size_t p = 0; p < programs.size(); ++p)
      for (std::size_t e = 0; e < programs[p].entries.size(); ++e)
        for (std::size_t k = 0; k < programs[p].entries[e].kernels.size(); ++k)
          kernels.push_back({static_cast<int>(p), {static_cast<int>(e), static_cast<int>(k)}});
    std::vector<std::string> functions(kernels.size());
    onAllProcessors(kernels.size(), [&](std::size_t i) { functions[i] = function(kernels[i].first, kernels[i].second); });
    std::size_t next = 0;
    for (int p = 0; p < static_cast<int>(programs.size()); ++p) {
      const std::string target = programs[p].target.empty() ? "native" : programs[p].target, space = targetSuffix(programs[p]);
      out += fmt::format("\n{}// {}\n{}\n#define NETC_SIMD_TARGET {}\n#include <netc/simd.h>\n\n", rule, target, rule,
                         simdTarget(target));
      out += fmt::format("HWY_BEFORE_NAMESPACE();\nnamespace {{\nnamespace {} {{\n\n"
                         "using namespace netc::simd::HWY_NAMESPACE;\n",
                         space);
      for (; next < kernels.size() && kernels[next].first == p; ++next) out += functions[next];
      out += fmt::format("\n}} // namespace {}\n}} // namespace\nHWY_AFTER_NAMESPACE();\n", space);
    }
  }

  /// A kernel as a function, or the comment that names the one it shares.
  std::string function(int program, KernelIndex k) const {
    const auto name = [&](KernelIndex of) -> const std::string & { return names[program][of.entry][of.kernel]; };
    const KernelIndex function = shared[program].functionOf(k);
    if (function != k) return fmt::format("\n// {} is {}.\n", name(k), name(function));
    const Entry &entry = programs[program].entries[k.entry];
    const Kernel &kernel = entry.kernels[k.kernel];
    std::string text = "\n";
    for (const std::string &line : kernel.comment) text += comment(line);
    const KernelText code = printKernel(entry, kernel, shared[program].placesRead(k));
    return text + fmt::format("void {}({}) {{\n{}}}\n", name(k), code.parameters, code.body);
  }

  void printTables(std::string &out) const {
    const std::vector<Table> tables = modelTables(programs, shared, reference);
    out += fmt::format("\n{}// The model\n{}\nnamespace {{\n\n", rule, rule);
    std::string_view known;
    for (std::size_t i = 0; i + 1 < tables.size(); ++i) {
      const std::string_view fields = columns(tables[i].cType);
      if (fields != known && !fields.empty()) out += comment(fmt::format("{}: {}", tables[i].cType, fields));
      known = fields;
      const bool pointers = tables[i].cType.back() == '*';
      const std::string type = pointers ? tables[i].cType + "const " : "const " + tables[i].cType + " ";
      const std::string table = fmt::format("{}{}[] = {{{}}};", type, tables[i].name,
                                            !tables[i].values.empty()  ? numbers(tables[i].values)
                                            : !tables[i].words.empty() ? numbers(tables[i].words)
                                                                       : rows(tables, i));
      out += (isList(tables[i]) ? wrapped(table, 4) : table) + '\n';
    }
    const Table &model = tables.back();
    out += fmt::format("\n}} // namespace\n\n{}", comment(fmt::format("NetcModel: {}", columns("NetcModel"))));
    out += wrapped(fmt::format("extern \"C\" const NetcModel {} = {};", model.name, record(tables, model.rows[0])), 4);
    out += '\n';
  }

  /// The fields of a record of netc/abi.h, for who reads its rows.
  static std::string_view columns(std::string_view type) {
    if (type == "NetcTensor")
      return "name, role, type, rank, shape, batch, classes, class names, init, its two values, place in the store, values";
    if (type == "NetcScalarOp") return "code, value";
    if (type == "NetcScalar") return "name, operations and their number";
    if (type == "NetcResult") return "name, kind, type, rank, shape, batch";
    if (type == "NetcStage")
      return "name, kernel, parallel iterations per block, per full block, per sample and besides, flops, depth first, turns, places";
    if (type == "NetcEntry")
      return "name, bytes of workspace, of each part, scalars and their number, results and their number, stages and their number, "
             "first stage of the commit, samples of an update";
    if (type == "NetcTarget") return "name, entries and their number";
    if (type == "NetcModel")
      return "version, name, fingerprint, largest batch, bytes of the store, tensors and their number, targets and "
             "their number, reference";
    if (type == "NetcReferenceEntry") return "name, formulas, scalars and their number";
    if (type == "NetcReference") return "entries and their number";
    return "";
  }

  static bool isList(const Table &t) { return !t.rows.empty() && t.rows[0].size() == 1; }

  static std::string number(float v) { return fmt::format("{:a}f", v); } // in hexadecimal, which is exact
  static std::string number(std::int64_t v) { return intLiteral(v); }
  template <class T> static std::string numbers(const std::vector<T> &values) {
    constexpr std::size_t perLine = 8;
    std::string text;
    for (std::size_t i = 0; i < values.size(); ++i) text += (i % perLine ? " " : "\n    ") + number(values[i]) + ',';
    return text + '\n';
  }

  std::string rows(const std::vector<Table> &tables, std::size_t i) const {
    const Table &t = tables[i];
    const bool scalar = isList(t);
    std::string text;
    for (std::size_t r = 0; r < t.rows.size(); ++r) {
      if (scalar) text += (r ? ", " : "") + field(tables, t.rows[r][0]);
      else text += '\n' + wrapped("    " + record(tables, t.rows[r]) + ",", 6);
    }
    if (!scalar) text += '\n';
    return text;
  }
  std::string record(const std::vector<Table> &tables, const std::vector<Field> &fields) const {
    std::string text;
    for (const Field &f : fields) text += (text.empty() ? "" : ", ") + field(tables, f);
    return "{" + text + "}";
  }
  std::string field(const std::vector<Table> &tables, const Field &f) const {
    if (auto *i = std::get_if<std::int64_t>(&f)) return intLiteral(*i);
    if (auto *d = std::get_if<double>(&f)) return doubleLiteral(*d);
    if (auto *s = std::get_if<std::string>(&f)) return stringLiteral(*s);
    if (auto *t = std::get_if<TableRef>(&f)) return tables[t->table].name;
    if (auto *k = std::get_if<KernelRef>(&f))
      return fmt::format("{}::{}", targetSuffix(programs[k->program]), names[k->program][k->function.entry][k->function.kernel]);
    return "nullptr";
  }

  const std::vector<Program> &programs;
  const Reference &reference;
  const std::vector<SharedKernels> shared;                        // by program
  std::vector<std::vector<std::vector<std::string>>> names; // by program, entry and kernel
};

/// The programs by their architecture, in the order in which the first of each comes.
std::vector<std::pair<const Architecture *, std::vector<Program>>> byArchitecture(std::vector<Program> programs) {
  std::vector<std::pair<const Architecture *, std::vector<Program>>> groups;
  for (Program &p : programs) {
    const Architecture *own = findTarget(p.target).architecture;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto &g) { return g.first == own; });
    if (group == groups.end()) group = groups.insert(group, {own, {}});
    group->second.push_back(std::move(p));
  }
  return groups;
}

} // namespace

std::string highway(std::vector<Program> programs, const std::string &headerName,
                    const std::string &sourceName, const Reference &reference) {
  std::string text(prologue), names;
  boost::replace_all(text, "{source}", sourceName);
  boost::replace_all(text, "{version}", version());
  boost::replace_all(text, "{header}", headerName);
  std::string_view condition = "#if";
  for (const auto &[architecture, own] : byArchitecture(std::move(programs))) {
    text += fmt::format("\n{} defined({}) // {}\n", condition, architecture->macro, architecture->name);
    ModelPrinter(own, reference).print(text);
    names += fmt::format("{}{}", names.empty() ? "" : " and ", architecture->name);
    condition = "#elif";
  }
  text += fmt::format("\n#else\n#error \"this file was made for {}; netc --target names others\"\n#endif\n", names);
  return text;
}

} // namespace netc::codegen
