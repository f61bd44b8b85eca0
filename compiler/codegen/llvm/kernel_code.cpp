#include "compiler/codegen/llvm/kernel_code.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>
#include <netc/abi.h>

#include <cstddef>

namespace netc::codegen {

using namespace loop;

KernelCode::KernelCode(llvm::Function &function, const Entry &entry, const Kernel &kernel, const PlacesRead &placesRead,
                       const InstructionSet &set, ConstantBuffers &constants)
    : context(function.getContext()), function(function), entry(entry), kernel(kernel), placesRead(placesRead), set(set),
      constantRegisters(entry, kernel), constants(constants), b(context), top(context),
      variables(kernel.variables.size(), nullptr), scalars(entry.scalars.size(), nullptr),
      bases(entry.buffers.size(), nullptr) {}

void KernelCode::build() {
  auto *first = llvm::BasicBlock::Create(context, "entry", &function);
  auto *body = llvm::BasicBlock::Create(context, "body", &function);
  top.SetInsertPoint(llvm::BranchInst::Create(body, first)); // `top` stays before this branch
  b.SetInsertPoint(body);
  computeAliasScopes();
  declareRegisters();
  loadFrame();
  if (kernel.parallel < 0) {
    emit(kernel.body);
  } else {
    emitLoop(kernel.parallel, function.getArg(1), function.getArg(2), 1, [&] { emit(kernel.body); });
  }
  b.CreateRetVoid();
}

void KernelCode::declareRegisters() {
  for (const Register &reg : kernel.registers) {
    std::int64_t size = 1;
    for (std::int64_t dim : reg.dims)
      size *= dim;
    llvm::Type *element = reg.type == DType::F32    ? top.getFloatTy()
                          : reg.type == DType::Bool ? llvm::Type::getInt1Ty(context)
                                                    : llvm::Type::getInt32Ty(context);
    auto *type = llvm::FixedVectorType::get(element, lanes);
    auto &places = registers.emplace_back();
    for (std::int64_t i = 0; i < size; ++i)
      places.push_back(
          top.CreateAlloca(type, nullptr, size == 1 ? reg.name : fmt::format("{}.{}", reg.name, i)));
  }
}

llvm::Value *KernelCode::frameField(int field, llvm::Type *type, const char *name) {
  constexpr std::int64_t fieldBytes = 8; // every field of NetcFrame
  return invariantLoad(type, top.CreateConstInBoundsGEP1_64(top.getInt8Ty(), function.getArg(0), field * fieldBytes), name);
}

llvm::Value *KernelCode::invariantLoad(llvm::Type *type, llvm::Value *address, const llvm::Twine &name) {
  auto *load = top.CreateLoad(type, address, name);
  load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context, {}));
  return load;
}

llvm::Value *KernelCode::placeRead(const std::map<int, int> &positions, int index) {
  const auto at = positions.find(index);
  if (at == positions.end()) return nullptr;
  return invariantLoad(top.getInt64Ty(), top.CreateConstInBoundsGEP1_64(top.getInt64Ty(), places, at->second), "place");
}

void KernelCode::loadFrame() {
  static_assert(offsetof(NetcFrame, scalars) == 32 && offsetof(NetcFrame, count) == 40 && offsetof(NetcFrame, places) == 48 &&
                offsetof(NetcFrame, part) == 56 && offsetof(NetcFrame, turn) == 64);
  store = frameField(0, top.getPtrTy(), "store");
  workspace = frameField(1, top.getPtrTy(), "workspace");
  part = frameField(7, top.getPtrTy(), "part");
  inputs = frameField(2, top.getPtrTy(), "inputs");
  outputs = frameField(3, top.getPtrTy(), "outputs");
  scalarTable = frameField(4, top.getPtrTy(), "scalars");
  places = frameField(6, top.getPtrTy(), "places");
  auto *count = frameField(5, top.getInt64Ty(), "count");
  variables[Count] = count;
  constexpr int log2Lanes = 4;
  static_assert(1 << log2Lanes == lanes);
  variables[Blocks] = top.CreateLShr(top.CreateAdd(count, top.getInt64(lanes - 1)), log2Lanes, "blocks");
  variables[Turn] = frameField(8, top.getInt64Ty(), "turn");
  variables[FullBlocks] = top.CreateLShr(count, log2Lanes, "fullBlocks");
}

llvm::BasicBlock *KernelCode::newBlock(const char *name) {
  return llvm::BasicBlock::Create(context, name, &function);
}

void KernelCode::emit(const Block &block) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (auto *reduce = std::get_if<Reduce>(&block[i]->node); reduce && !totals.count(reduce)) reduceTogether(block, i);
    std::visit([this](const auto &node) { emit(node); }, block[i]->node);
  }
}

template <class Body>
void KernelCode::emitLoop(int var, llvm::Value *lower, llvm::Value *upper, std::int64_t step, Body body) {
  auto *loop = newBlock("loop");
  auto *done = newBlock("done");
  auto *before = b.GetInsertBlock();
  b.CreateCondBr(b.CreateICmpSLT(lower, upper), loop, done);
  b.SetInsertPoint(loop);
  auto *phi = b.CreatePHI(b.getInt64Ty(), 2, kernel.variables[var]);
  phi->addIncoming(lower, before);
  llvm::Value *outer = variables[var];
  variables[var] = phi;
  body();
  variables[var] = outer;
  auto *next = b.CreateNSWAdd(phi, b.getInt64(step));
  phi->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpSLT(next, upper), loop, done);
  b.SetInsertPoint(done);
}

void KernelCode::emit(const For &loop) {
  auto bound = [&](const std::vector<Affine> &bounds, llvm::Intrinsic::ID choose) {
    llvm::Value *result = affine(bounds.front());
    for (std::size_t i = 1; i < bounds.size(); ++i)
      result = b.CreateBinaryIntrinsic(choose, result, affine(bounds[i]));
    return result;
  };
  llvm::Value *lower = bound(loop.lower, llvm::Intrinsic::smax);
  llvm::Value *upper = bound(loop.upper, llvm::Intrinsic::smin);
  emitLoop(loop.var, lower, upper, loop.step, [&] { emit(loop.body); });
}

void KernelCode::emit(const If &statement) {
  llvm::Value *condition = b.getTrue();
  for (const Affine &a : statement.conditions)
    condition = b.CreateAnd(condition, b.CreateICmpSGE(affine(a), b.getInt64(0)));
  auto *then = newBlock("then");
  auto *done = newBlock("done");
  b.CreateCondBr(condition, then, done);
  b.SetInsertPoint(then);
  emit(statement.body);
  b.CreateBr(done);
  b.SetInsertPoint(done);
}

llvm::AllocaInst *KernelCode::place(const RegisterRef &ref) {
  const Register &reg = kernel.registers[ref.reg];
  std::int64_t flat = 0;
  for (std::size_t i = 0; i < ref.index.size(); ++i) {
    if (!ref.index[i].isConstant())
      internalError(
          fmt::format("kernel '{}': register '{}' has a variable index; the pass 'unroll' has not run",
                      kernel.name, reg.name));
    flat = flat * reg.dims[i] + ref.index[i].constant();
  }
  return registers[ref.reg].at(flat);
}

llvm::Value *KernelCode::scalar(int index) {
  if (!scalars[index]) {
    const bool integer = typeOf(entry.scalars[index].program) == DType::I32;
    llvm::Type *type = integer ? static_cast<llvm::Type *>(top.getInt32Ty()) : top.getFloatTy();
    llvm::Value *number = placeRead(placesRead.scalars, index);
    auto *address = top.CreateInBoundsGEP(type, scalarTable, number ? number : top.getInt64(index));
    scalars[index] = top.CreateVectorSplat(lanes, invariantLoad(type, address, entry.scalars[index].name));
  }
  return scalars[index];
}

llvm::Value *KernelCode::read(const Operand &operand) {
  if (operand.kind == Operand::Kind::Scalar) return scalar(operand.scalar);
  if (operand.kind == Operand::Kind::Register) {
    auto *from = place(operand.reg);
    return b.CreateLoad(from->getAllocatedType(), from);
  }
  llvm::Value *value = nullptr;
  if (operand.type == DType::F32)
    value = llvm::ConstantFP::get(context, llvm::APFloat(static_cast<float>(operand.value)));
  else if (operand.type == DType::Bool)
    value = b.getInt1(operand.value != 0);
  else
    value = b.getInt32(static_cast<std::uint32_t>(static_cast<std::int64_t>(operand.value)));
  return b.CreateVectorSplat(lanes, value);
}

void KernelCode::assign(const RegisterRef &dst, llvm::Value *value) { b.CreateStore(value, place(dst)); }

llvm::Value *KernelCode::linear(const Affine &a, std::int64_t scale) {
  llvm::Value *sum = nullptr;
  for (const auto &[var, coefficient] :
       a.terms()) { // outer loops come first: their part of the sum is shared
    llvm::Value *term = variables[var];
    if (coefficient * scale != 1) term = b.CreateNSWMul(term, b.getInt64(coefficient * scale));
    sum = sum ? b.CreateNSWAdd(sum, term) : term;
  }
  return sum;
}

llvm::Value *KernelCode::affine(const Affine &a) {
  llvm::Value *sum = linear(a, 1);
  if (!sum) return b.getInt64(a.constant());
  return a.constant() ? b.CreateNSWAdd(sum, b.getInt64(a.constant())) : sum;
}

} // namespace netc::codegen
