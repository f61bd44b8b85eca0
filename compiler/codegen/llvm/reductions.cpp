// The 16 lanes of a register combined, by halves: lane l of the lower half meets lane l of the upper half. Registers whose lanes are
// combined one after the other share the steps, which is a third of the work: the halves of two make one register, and so on.
#include "compiler/codegen/llvm/kernel_code.h"
#include "compiler/loop/walk.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace netc::codegen {

using namespace loop;

namespace {

/// Reductions that can be done where the first one stands, `from`: at most 16, of one kind, and what they read does not change before.
std::vector<const Reduce *> neighbours(const Block &block, std::size_t from) {
  std::vector<const Reduce *> result;
  std::set<int> changed; // registers
  for (std::size_t i = from; i < block.size() && result.size() < lanes; ++i) {
    if (bodyOf(*block[i])) break;
    if (auto *r = std::get_if<Reduce>(&block[i]->node)) {
      const Reduce &first = *std::get_if<Reduce>(&block[from]->node);
      const bool same = r->op == first.op && r->src.type == first.src.type && r->src.kind == Operand::Kind::Register;
      if (!same || changed.count(r->src.reg.reg)) break;
      result.push_back(r);
    }
    if (const RegisterRef *dst = destination(*block[i])) changed.insert(dst->reg);
  }
  std::size_t count = 1;
  while (2 * count <= result.size())
    count *= 2;
  result.resize(count);
  return result;
}

} // namespace

/// x holds the lanes with the smaller numbers.
llvm::Value *KernelCode::combine(Reduce::Op op, llvm::Value *x, llvm::Value *y) {
  const bool real = x->getType()->isFPOrFPVectorTy();
  switch (op) {
  case Reduce::Op::Sum: return real ? b.CreateFAdd(x, y) : b.CreateAdd(x, y);
  case Reduce::Op::Prod: return real ? b.CreateFMul(x, y) : b.CreateMul(x, y);
  case Reduce::Op::Max:
  case Reduce::Op::Min: break;
  }
  auto *better = op == Reduce::Op::Max ? compare(Fn::Lt, x, y) : compare(Fn::Lt, y, x);
  if (real) better = b.CreateOr(better, b.CreateFCmpUNO(y, y));
  return b.CreateSelect(better, y, x);
}

/// Those of both, in halves. Lanes stay within their 128 bits where that is possible: such a shuffle is cheap.
KernelCode::PartialSums KernelCode::merged(Reduce::Op op, const PartialSums &x, const PartialSums &y) {
  const std::size_t half = x.lanes[0].size() / 2;
  const int near = half > 2 ? lanes : 4;
  struct Value {
    int part; // which 128 bits it begins in
    std::size_t number;
    std::vector<int> from;
  };
  std::vector<Value> values;
  for (const PartialSums *p : {&x, &y})
    for (std::vector<int> from : p->lanes) {
      const int part = from[0] / near;
      for (int &lane : from)
        lane += p == &y ? lanes : 0;
      values.push_back({part, values.size(), from});
    }
  std::stable_sort(values.begin(), values.end(), [](const Value &a, const Value &b) { return a.part < b.part; });
  std::vector<int> lower, upper;
  PartialSums result;
  result.lanes.resize(values.size());
  for (const Value &v : values)
    for (std::size_t l = 0; l < half; ++l) {
      result.lanes[v.number].push_back(static_cast<int>(lower.size()));
      lower.push_back(v.from[l]);
      upper.push_back(v.from[half + l]);
    }
  result.vector = combine(op, b.CreateShuffleVector(x.vector, y.vector, lower), b.CreateShuffleVector(x.vector, y.vector, upper));
  return result;
}

/// In the lanes of the lower halves, which are all that is left of a single one.
KernelCode::PartialSums KernelCode::halved(Reduce::Op op, PartialSums sums) {
  const std::size_t half = sums.lanes[0].size() / 2, width = sums.lanes.size() == 1 ? half : lanes;
  std::vector<int> lower(width), upper(width, -1);
  std::iota(lower.begin(), lower.end(), 0);
  for (std::vector<int> &of : sums.lanes) {
    for (std::size_t l = 0; l < half; ++l)
      upper[of[l]] = of[half + l];
    of.resize(half);
  }
  sums.vector = combine(op, b.CreateShuffleVector(sums.vector, lower), b.CreateShuffleVector(sums.vector, upper));
  return sums;
}

void KernelCode::reduceTogether(const Block &block, std::size_t from) {
  const std::vector<const Reduce *> all = neighbours(block, from);
  std::vector<int> whole(lanes);
  std::iota(whole.begin(), whole.end(), 0);
  std::vector<PartialSums> sums;
  for (const Reduce *r : all)
    sums.push_back({read(r->src), {whole}});
  for (; sums.size() > 1; sums.resize(sums.size() / 2))
    for (std::size_t i = 0; i < sums.size() / 2; ++i)
      sums[i] = merged(all[0]->op, sums[2 * i], sums[2 * i + 1]);
  while (sums[0].lanes[0].size() > 1)
    sums[0] = halved(all[0]->op, sums[0]);
  for (std::size_t i = 0; i < all.size(); ++i)
    totals[all[i]] = b.CreateShuffleVector(sums[0].vector, std::vector<int>(lanes, sums[0].lanes[i][0]));
}

void KernelCode::emit(const Reduce &reduce) { assign(reduce.dst, totals.extract(&reduce).mapped()); }

} // namespace netc::codegen
