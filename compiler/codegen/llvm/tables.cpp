#include "compiler/codegen/llvm/module.h"

#include "compiler/support/diagnostics.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/DerivedTypes.h>

#include <map>

namespace netc::codegen {

namespace {

class TableCode {
 public:
  TableCode(llvm::Module &module, const std::function<llvm::Function *(const KernelRef &)> &kernel)
      : module(module), context(module.getContext()), kernel(kernel) {}

  void add(const Table &table, const std::string &symbol, llvm::GlobalValue::LinkageTypes linkage) {
    std::vector<llvm::Constant *> rows;
    for (const std::vector<Field> &row : table.rows) {
      std::vector<llvm::Constant *> fields;
      for (const Field &field : row)
        fields.push_back(std::visit([this](const auto &f) { return constant(f); }, field));
      rows.push_back(fields.size() == 1 ? fields.front() : llvm::ConstantStruct::getAnon(context, fields));
    }
    llvm::Constant *value = !table.values.empty()  ? llvm::ConstantDataArray::get(context, table.values)
                            : !table.words.empty() ? llvm::ConstantDataArray::get(context, table.words)
                                                   : allRows(rows);
    auto *global =
        new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true, linkage, value, symbol);
    global->setAlignment(llvm::Align(8));
    tables.push_back(global);
  }

 private:
  /// An array, or where rows differ in type (a null for a number, say) a structure, which lies in memory
  /// alike.
  llvm::Constant *allRows(const std::vector<llvm::Constant *> &rows) {
    for (llvm::Constant *row : rows)
      if (row->getType() != rows.front()->getType()) return llvm::ConstantStruct::getAnon(context, rows);
    if (rows.empty()) return llvm::ConstantStruct::getAnon(context, rows);
    return llvm::ConstantArray::get(llvm::ArrayType::get(rows.front()->getType(), rows.size()), rows);
  }
  llvm::Constant *constant(std::int64_t v) {
    return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(context), v);
  }
  llvm::Constant *constant(double v) { return llvm::ConstantFP::get(llvm::Type::getDoubleTy(context), v); }
  llvm::Constant *constant(const KernelRef &k) { return kernel(k); }
  llvm::Constant *constant(const TableRef &t) { return tables.at(t.table); }
  llvm::Constant *constant(const Null &) {
    return llvm::ConstantPointerNull::get(llvm::PointerType::getUnqual(context));
  }
  llvm::Constant *constant(const std::string &text) {
    llvm::GlobalVariable *&global = strings[text];
    if (!global) {
      llvm::Constant *bytes = llvm::ConstantDataArray::getString(context, text);
      global = new llvm::GlobalVariable(module, bytes->getType(), /*isConstant=*/true,
                                        llvm::GlobalValue::PrivateLinkage, bytes, "text");
      global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
      global->setAlignment(llvm::Align(1));
    }
    return global;
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
  const std::function<llvm::Function *(const KernelRef &)> &kernel;
  std::map<std::string, llvm::GlobalVariable *> strings;
  std::vector<llvm::GlobalVariable *> tables;
};

} // namespace

void addTables(llvm::Module &module, const std::vector<Table> &tables, const std::string &lastSymbol,
               const std::function<llvm::Function *(const KernelRef &)> &kernel) {
  TableCode code(module, kernel);
  for (const Table &table : tables) {
    const bool last = &table == &tables.back();
    code.add(table, last ? lastSymbol : table.name,
             last ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::InternalLinkage);
  }
}

} // namespace netc::codegen
