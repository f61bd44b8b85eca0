#include "compiler/codegen/model_tables.h"

#include "netc/abi.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace netc::codegen {

using loop::Entry;
using loop::Program;
using loop::Tensor;

std::string identifier(std::string_view name) {
  std::string id;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c));
    if (plain) id += c;
    else if (id.empty() || id.back() != '_') id += '_'; // two underscores in a row are reserved
  }
  if (id.empty() || std::isdigit(static_cast<unsigned char>(id[0]))) id.insert(0, "n");
  return id;
}

std::string targetSuffix(const Program &p) {
  const std::string target = p.target.empty() ? "native" : p.target;
  return identifier(target.substr(target.rfind('-') + 1));
}

std::string modelSymbol(const Program &p) { return identifier(p.name) + "_model"; }

std::vector<std::vector<std::string>> kernelSymbols(const std::vector<Program> &programs, int program) {
  const Program &p = programs[program];
  std::set<std::string> taken;
  std::vector<std::vector<std::string>> symbols;
  for (const loop::Entry &entry : p.entries) {
    auto &ofEntry = symbols.emplace_back();
    for (const loop::Kernel &kernel : entry.kernels) {
      const std::string base = identifier(entry.name + "_" + kernel.name);
      std::string symbol = base;
      for (int n = 2; !taken.insert(symbol).second; ++n) symbol = fmt::format("{}_{}", base, n);
      ofEntry.push_back(programs.size() > 1 ? symbol + "_" + targetSuffix(p) : symbol);
    }
  }
  return symbols;
}

namespace {

/// FNV-1a over "name:type[shape];" of each parameter and state.
std::string fingerprint(const Program &p) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const Tensor &t : p.tensors) {
    if (t.role != Tensor::Role::Param && t.role != Tensor::Role::State) continue;
    for (const unsigned char c : fmt::format("{}:{}[{}];", t.name, name(t.type), fmt::join(t.shape, ",")))
      h = (h ^ c) * 0x100000001b3u;
  }
  return fmt::format("{:016x}", h);
}

Field integer(std::size_t n) { return static_cast<std::int64_t>(n); }
template <class Enum> Field code(Enum e) { return static_cast<std::int64_t>(e); }

class TableBuilder {
public:
  TableBuilder(const std::vector<Program> &programs, const std::vector<SharedKernels> &shared, const Reference &reference)
      : programs(programs), shared(shared), reference(reference) {}

  std::vector<Table> build() {
    const Program &p = programs[0];
    const Field tensors = tensorTable(p);
    std::vector<std::vector<Field>> targets;
    for (std::size_t i = 0; i < programs.size(); ++i)
      targets.push_back({programs[i].target.empty() ? "native" : programs[i].target, entryTable(i),
                         integer(programs[i].entries.size())});
    const Field targetRef = add("targets", "NetcTarget", targets), referenceRef = referenceTable();
    tables.push_back({modelSymbol(p),
                      "NetcModel",
                      {{std::int64_t{NETC_ABI_VERSION}, p.name, fingerprint(p), p.batch, p.storeBytes, tensors,
                        integer(p.tensors.size()), targetRef, integer(programs.size()), referenceRef}}});
    return std::move(tables);
  }

private:
  /// A reference to a table with these rows; equal tables are printed once, an empty one is a null pointer.
  Field add(const std::string &wanted, const std::string &cType, std::vector<std::vector<Field>> rows) {
    if (rows.empty()) return Null{};
    for (std::size_t i = 0; i < tables.size(); ++i)
      if (tables[i].cType == cType && sameRows(tables[i].rows, rows)) return TableRef{static_cast<int>(i)};
    return addNamed(wanted, {{}, cType, std::move(rows)});
  }

  Field addNamed(const std::string &wanted, Table table) {
    table.name = wanted;
    for (int n = 2; !names.insert(table.name).second; ++n) table.name = fmt::format("{}_{}", wanted, n);
    tables.push_back(std::move(table));
    return TableRef{static_cast<int>(tables.size()) - 1};
  }

  static bool sameField(const Field &a, const Field &b) {
    if (a.index() != b.index()) return false;
    return std::visit(
        [&](const auto &x) {
          using T = std::decay_t<decltype(x)>;
          const T &y = std::get<T>(b);
          if constexpr (std::is_same_v<T, KernelRef>)
            return x.program == y.program && x.function == y.function;
          else if constexpr (std::is_same_v<T, TableRef>) return x.table == y.table;
          else if constexpr (std::is_same_v<T, Null>) return true;
          else return x == y;
        },
        a);
  }
  static bool sameRows(const std::vector<std::vector<Field>> &a, const std::vector<std::vector<Field>> &b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto &x, auto &y) {
      return std::equal(x.begin(), x.end(), y.begin(), y.end(), sameField);
    });
  }

  Field shapeTable(const std::vector<std::int64_t> &shape) {
    std::vector<std::vector<Field>> rows;
    for (const std::int64_t extent : shape) rows.push_back({extent});
    return add(fmt::format("shape{}", fmt::join(shape, "x")), "int64_t", std::move(rows));
  }

  Field layoutTable(const Tensor &t) {
    std::vector<std::vector<Field>> rows;
    for (const loop::Digit &d : storeDigits(t)) rows.push_back({d.extent}), rows.push_back({d.stride});
    return add(identifier(t.name) + "Layout", "int64_t", std::move(rows));
  }

  Field tensorTable(const Program &p) {
    std::vector<std::vector<Field>> rows;
    for (const Tensor &t : p.tensors) {
      const Field shape = shapeTable(t.shape);
      std::vector<std::vector<Field>> classNames;
      for (const std::string &n : t.classNames) classNames.push_back({n});
      const Field classes = add(identifier(t.name) + "ClassNames", "const char *", std::move(classNames));
      const Field values = t.values.empty() ? Null{} : addNamed(identifier(t.name) + "Values", {{}, "float", {}, t.values});
      rows.push_back({t.name, code(t.role), code(t.type), integer(t.shape.size()), shape, integer(t.batch),
                      std::int64_t{t.classes}, classes, code(t.init), t.initA, t.initB, t.store, values,
                      integer(storeDigits(t).size()), layoutTable(t)});
    }
    return add("tensors", "NetcTensor", std::move(rows));
  }

  Field scalarTable(const std::string &entry, const std::vector<RuntimeScalar> &scalars) {
    std::vector<std::vector<Field>> rows;
    for (const RuntimeScalar &s : scalars) {
      std::vector<std::vector<Field>> ops;
      for (const ScalarOp &op : s.program) ops.push_back({code(op.code), op.value});
      const Field program = add(identifier(entry + "_" + s.name + "_ops"), "NetcScalarOp", std::move(ops));
      rows.push_back({s.name, program, integer(s.program.size())});
    }
    return add(identifier(entry) + "Scalars", "NetcScalar", std::move(rows));
  }

  Field referenceTable() {
    std::vector<std::vector<Field>> rows;
    for (const ReferenceEntry &e : reference) {
      const Field words = addNamed(identifier(e.name) + "Formulas", {{}, "int64_t", {}, {}, e.words});
      rows.push_back({e.name, words, scalarTable(e.name, e.scalars), integer(e.scalars.size())});
    }
    const Field entries = add("referenceEntries", "NetcReferenceEntry", std::move(rows));
    return reference.empty() ? Null{} : add("reference", "NetcReference", {{entries, integer(reference.size())}});
  }

  Field resultTable(const Entry &e) {
    std::vector<std::vector<Field>> rows;
    for (const loop::Result &r : e.results)
      rows.push_back({r.name, code(r.kind), code(r.type), integer(r.shape.size()), shapeTable(r.shape), integer(r.batch)});
    return add(identifier(e.name) + "Results", "NetcResult", std::move(rows));
  }

  Field stageTable(int program, int entry, const std::string &suffix) {
    const Entry &e = programs[program].entries[entry];
    std::vector<std::vector<Field>> rows;
    for (std::size_t k = 0; k < e.kernels.size(); ++k) {
      const loop::Kernel &kernel = e.kernels[k];
      const Affine extent = kernel.parallel < 0 ? Affine(1) : kernel.parallelExtent;
      const KernelIndex index{entry, static_cast<int>(k)};
      std::vector<std::vector<Field>> places;
      for (const std::int64_t place : shared[program].places(index)) places.push_back({place});
      const Field placeRow = add(identifier(e.name + "_" + kernel.name) + "Places" + suffix, "int64_t", std::move(places));
      rows.push_back({kernel.name, KernelRef{program, shared[program].functionOf(index)}, extent.coefficient(loop::Blocks),
                      extent.coefficient(loop::FullBlocks), extent.coefficient(loop::Count), extent.constant(),
                      kernel.flops, std::int64_t{kernel.depthFirst}, kernel.turns, placeRow});
    }
    return add(identifier(e.name) + "Stages" + suffix, "NetcStage", std::move(rows));
  }

  Field entryTable(int program) {
    const Program &p = programs[program];
    const std::string suffix = programs.size() > 1 ? "_" + targetSuffix(p) : "";
    std::vector<std::vector<Field>> rows;
    for (std::size_t i = 0; i < p.entries.size(); ++i) {
      const Entry &e = p.entries[i];
      const Field scalars = scalarTable(e.name, e.scalars), results = resultTable(e);
      const Field stages = stageTable(program, static_cast<int>(i), suffix);
      rows.push_back({e.name, e.workspaceBytes, e.partBytes, scalars, integer(e.scalars.size()), results, integer(e.results.size()),
                      stages, integer(e.kernels.size()), std::int64_t{e.commit}, e.every});
    }
    return add("entries" + suffix, "NetcEntry", std::move(rows));
  }

  const std::vector<Program> &programs;
  const std::vector<SharedKernels> &shared;
  const Reference &reference;
  std::vector<Table> tables;
  std::set<std::string> names;
};

} // namespace

std::vector<Table> modelTables(const std::vector<Program> &programs, const std::vector<SharedKernels> &shared, const Reference &reference) {
  return TableBuilder(programs, shared, reference).build();
}

} // namespace netc::codegen
