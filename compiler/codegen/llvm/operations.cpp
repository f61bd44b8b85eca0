// KernelCode: the primitives of the function table, on 16 lanes.
#include "compiler/codegen/llvm/kernel_code.h"

#include "compiler/support/diagnostics.h"

#include <llvm/IR/IntrinsicsX86.h>

#include <array>
#include <limits>
#include <numeric>

namespace netc::codegen {

using namespace loop;

namespace {

llvm::Constant *laneNumbers(llvm::LLVMContext &context, std::int64_t step) {
  std::array<std::uint32_t, lanes> values;
  for (int l = 0; l < lanes; ++l)
    values[l] = static_cast<std::uint32_t>(step * l);
  return llvm::ConstantDataVector::get(context, values);
}

} // namespace

void KernelCode::emit(const Compute &compute) {
  std::vector<llvm::Value *> args;
  for (const Operand &arg : compute.args)
    args.push_back(read(arg));
  if (constantRegisters.isFoldable(compute)) // LLVM would fold vectors without flushing denormals
    args[0] = b.CreateIntrinsic(llvm::Intrinsic::arithmetic_fence, {args[0]->getType()}, {args[0]});
  assign(compute.dst, compute.op ? apply(*compute.op, args) : args.front());
}

llvm::Value *KernelCode::compare(Fn op, llvm::Value *x, llvm::Value *y) {
  const bool real = x->getType()->isFPOrFPVectorTy();
  using P = llvm::CmpInst::Predicate;
  P predicate = P::BAD_FCMP_PREDICATE;
  if (op == Fn::Lt) predicate = real ? P::FCMP_OLT : P::ICMP_SLT;
  if (op == Fn::Le) predicate = real ? P::FCMP_OLE : P::ICMP_SLE;
  if (op == Fn::Eq) predicate = real ? P::FCMP_OEQ : P::ICMP_EQ;
  if (op == Fn::Ne) predicate = real ? P::FCMP_UNE : P::ICMP_NE;
  return b.CreateCmp(predicate, x, y);
}

/// Out of range, and for NaN, the smallest integer, as the machine's instruction gives it; fptosi alone would
/// give poison.
llvm::Value *KernelCode::truncateToInt(llvm::Value *x) {
  auto *type = llvm::FixedVectorType::get(b.getInt32Ty(), lanes);
  if (set.avx512()) {
    constexpr int currentRounding = 4; // _MM_FROUND_CUR_DIRECTION: exceptions masked as elsewhere
    return b.CreateIntrinsic(
        llvm::Intrinsic::x86_avx512_mask_cvttps2dq_512, {},
        {x, llvm::Constant::getNullValue(type), b.getInt16(0xffff), b.getInt32(currentRounding)});
  }
  constexpr float limit = 2147483648.0F; // 2^31
  auto *low = b.CreateFCmpOGE(x, llvm::ConstantFP::get(x->getType(), -limit));
  auto *high = b.CreateFCmpOLT(x, llvm::ConstantFP::get(x->getType(), limit));
  auto *inRange = b.CreateAnd(low, high);
  auto *safe = b.CreateSelect(inRange, x, llvm::Constant::getNullValue(x->getType()));
  auto *smallest = llvm::ConstantInt::getSigned(type, std::numeric_limits<std::int32_t>::min());
  return b.CreateSelect(inRange, b.CreateFPToSI(safe, type), smallest);
}

llvm::Value *KernelCode::apply(Fn op, const std::vector<llvm::Value *> &a) {
  auto *reals = llvm::FixedVectorType::get(b.getFloatTy(), lanes);
  auto *ints = llvm::FixedVectorType::get(b.getInt32Ty(), lanes);
  switch (op) {
  case Fn::Add: return b.CreateFAdd(a[0], a[1]);
  case Fn::Sub: return b.CreateFSub(a[0], a[1]);
  case Fn::Mul: return b.CreateFMul(a[0], a[1]);
  case Fn::Div: return b.CreateFDiv(a[0], a[1]);
  case Fn::Neg: return b.CreateFNeg(a[0]);
  case Fn::Sqrt: return b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, a[0]);
  case Fn::Fma: return b.CreateIntrinsic(llvm::Intrinsic::fma, {reals}, {a[0], a[1], a[2]});
  case Fn::Lt:
  case Fn::Le:
  case Fn::Eq:
  case Fn::Ne: return compare(op, a[0], a[1]);
  case Fn::Select: return b.CreateSelect(a[0], a[1], a[2]);
  case Fn::And:
  case Fn::IAnd: return b.CreateAnd(a[0], a[1]);
  case Fn::Or:
  case Fn::IOr: return b.CreateOr(a[0], a[1]);
  case Fn::Not: return b.CreateNot(a[0]);
  case Fn::IXor: return b.CreateXor(a[0], a[1]);
  case Fn::IAdd: return b.CreateAdd(a[0], a[1]);
  case Fn::ISub: return b.CreateSub(a[0], a[1]);
  case Fn::IMul: return b.CreateMul(a[0], a[1]);
  case Fn::Shl: return b.CreateShl(a[0], a[1]);
  case Fn::Shr: return b.CreateAShr(a[0], a[1]);
  case Fn::ToReal: return b.CreateSIToFP(a[0], reals);
  case Fn::ToInt: return truncateToInt(a[0]);
  case Fn::BitsToInt: return b.CreateBitCast(a[0], ints);
  case Fn::BitsToReal: return b.CreateBitCast(a[0], reals);
  default: internalError("kernel '" + kernel.name + "': '" + std::string(row(op).name) + "' is not a primitive");
  }
}

void KernelCode::emit(const LaneIndex &index) {
  auto *first = b.CreateVectorSplat(lanes, b.CreateTrunc(affine(index.base), b.getInt32Ty()));
  assign(index.dst, b.CreateAdd(first, laneNumbers(context, index.step)));
}

llvm::Value *KernelCode::laneMask(const Affine &active) {
  if (active.isConstant()) {
    std::vector<llvm::Constant *> bits;
    for (int l = 0; l < lanes; ++l)
      bits.push_back(b.getInt1(l < active.constant()));
    return llvm::ConstantVector::get(bits);
  }
  // Clamped before it is narrowed; the comparison itself is on 32 bits, one instruction on AVX-512.
  llvm::Value *count = affine(active);
  count = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, count, b.getInt64(lanes));
  count = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, count, b.getInt64(0));
  auto *all = b.CreateVectorSplat(lanes, b.CreateTrunc(count, b.getInt32Ty()));
  return b.CreateICmpSLT(laneNumbers(context, 1), all, "mask");
}

void KernelCode::emit(const LaneMask &mask) { assign(mask.dst, laneMask(mask.active)); }

} // namespace netc::codegen
