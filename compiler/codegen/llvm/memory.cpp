// KernelCode: loads and stores. Lanes that are not active never touch memory.
#include "compiler/codegen/llvm/kernel_code.h"

#include "compiler/loop/walk.h"

#include <fmt/format.h>
#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <set>

namespace netc::codegen {

using namespace loop;

namespace {

/// Lanes 0..result-1 are active; -1 when only the run tells.
int activeLanes(const std::optional<Affine> &active) {
  if (!active) return lanes;
  if (!active->isConstant()) return -1;
  return static_cast<int>(std::clamp<std::int64_t>(active->constant(), 0, lanes));
}

} // namespace

llvm::GlobalVariable *ConstantBuffers::find(const Buffer &buffer) {
  llvm::LLVMContext &context = module.getContext();
  auto convert = [&]<class T>(T) {
    std::vector<T> values(buffer.values.begin(), buffer.values.end());
    values.resize(buffer.size);
    return llvm::ConstantDataArray::get(context, values);
  };
  llvm::Constant *data = nullptr;
  if (buffer.type == DType::F32)
    data = convert(float());
  else if (buffer.type == DType::I32) {
    std::vector<std::uint32_t> values;
    for (double v : buffer.values)
      values.push_back(static_cast<std::uint32_t>(static_cast<std::int64_t>(v)));
    values.resize(buffer.size);
    data = llvm::ConstantDataArray::get(context, values);
  } else {
    data = convert(std::uint8_t());
  }
  llvm::GlobalVariable *&global = known[data];
  if (!global) {
    global = new llvm::GlobalVariable(module, data->getType(), /*isConstant=*/true,
                                      llvm::GlobalValue::PrivateLinkage, data, "constant." + buffer.name);
    global->setAlignment(llvm::Align(64));
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  }
  return global;
}

llvm::Type *KernelCode::memoryType(int buffer) {
  switch (entry.buffers[buffer].type) {
  case DType::F32: return b.getFloatTy();
  case DType::I32: return b.getInt32Ty();
  case DType::U8:
  case DType::Bool: break;
  }
  return b.getInt8Ty();
}

llvm::Align KernelCode::alignment(int buffer) const {
  return llvm::Align(static_cast<std::uint64_t>(byteSize(entry.buffers[buffer].type)));
}

void KernelCode::computeAliasScopes() {
  std::set<int> used;
  forEachStatement(kernel.body, [&](const Statement &statement) {
    if (auto *load = std::get_if<Load>(&statement.node)) used.insert(load->buffer);
    if (auto *store = std::get_if<Store>(&statement.node)) used.insert(store->buffer);
  });
  llvm::MDBuilder metadata(context);
  llvm::MDNode *domain = metadata.createAliasScopeDomain("buffers");
  std::map<int, llvm::Metadata *> scopes;
  for (int i : used) {
    const Buffer &x = entry.buffers[i];
    scopes[i] = metadata.createAliasScope(x.name, domain);
  }
  ownScope.resize(entry.buffers.size());
  otherScopes.resize(entry.buffers.size());
  for (int i : used) {
    std::vector<llvm::Metadata *> others;
    for (int j : used)
      if (!overlaps(entry.buffers[i], entry.buffers[j])) others.push_back(scopes[j]);
    ownScope[i] = llvm::MDNode::get(context, scopes[i]);
    if (!others.empty()) otherScopes[i] = llvm::MDNode::get(context, others);
  }
}

template <class Instruction> Instruction *KernelCode::annotate(Instruction *instruction, int buffer) {
  instruction->setMetadata(llvm::LLVMContext::MD_alias_scope, ownScope[buffer]);
  instruction->setMetadata(llvm::LLVMContext::MD_noalias, otherScopes[buffer]);
  return instruction;
}

/// Its place is a number of bytes.
static bool hasOffset(const Buffer &b) { return b.space == Space::Store || b.space == Space::Workspace || b.space == Space::Part; }

llvm::Value *KernelCode::base(int buffer) {
  const Buffer &x = entry.buffers[buffer];
  if (x.space == Space::Constant) return constants.find(x);
  llvm::Value *&known = bases[buffer];
  if (known) return known;
  llvm::Value *place = placeRead(placesRead.buffers, buffer);
  if (hasOffset(x)) {
    known = x.space == Space::Store ? store : x.space == Space::Part ? part : workspace;
    if (place) known = top.CreateInBoundsGEP(top.getInt8Ty(), known, place, x.name);
  } else {
    llvm::Value *slots = x.space == Space::Input ? inputs : outputs;
    known = invariantLoad(top.getPtrTy(), top.CreateInBoundsGEP(top.getPtrTy(), slots, place ? place : top.getInt64(x.place)), x.name);
  }
  return known;
}

/// The constant part comes last, in bytes, with the buffer's own offset when it is constant: it becomes the displacement of an
/// address.
llvm::Value *KernelCode::pointer(int buffer, const Affine &address, std::int64_t lane) {
  const Buffer &x = entry.buffers[buffer];
  const std::int64_t size = byteSize(x.type);
  std::int64_t offset = (address.constant() + lane) * size;
  if (hasOffset(x) && !placesRead.buffers.count(buffer)) offset += x.place;
  llvm::Value *result = base(buffer);
  if (llvm::Value *variable = linear(address, size)) result = b.CreateGEP(b.getInt8Ty(), result, variable);
  return offset ? b.CreateGEP(b.getInt8Ty(), result, b.getInt64(offset)) : result;
}

llvm::Value *KernelCode::pointers(int buffer, const Affine &address, std::int64_t stride) {
  std::vector<llvm::Constant *> offsets;
  for (int l = 0; l < lanes; ++l)
    offsets.push_back(b.getInt64(stride * l));
  return b.CreateGEP(memoryType(buffer), pointer(buffer, address), llvm::ConstantVector::get(offsets));
}

llvm::Value *KernelCode::loadBroadcast(const Load &load) {
  auto splat = [&] {
    auto *element = b.CreateAlignedLoad(memoryType(load.buffer), pointer(load.buffer, load.address),
                                        alignment(load.buffer));
    return b.CreateVectorSplat(lanes, annotate(element, load.buffer));
  };
  if (!load.active) return splat();
  auto *zero = llvm::Constant::getNullValue(llvm::FixedVectorType::get(memoryType(load.buffer), lanes));
  llvm::Value *all = nullptr;
  if (load.active->isConstant()) {
    all = splat();
  } else {
    auto *before = b.GetInsertBlock();
    auto *some = newBlock("some");
    auto *done = newBlock("done");
    b.CreateCondBr(b.CreateICmpSGE(affine(*load.active), b.getInt64(1)), some, done);
    b.SetInsertPoint(some);
    llvm::Value *loaded = splat();
    b.CreateBr(done);
    b.SetInsertPoint(done);
    auto *phi = b.CreatePHI(loaded->getType(), 2);
    phi->addIncoming(zero, before);
    phi->addIncoming(loaded, some);
    all = phi;
  }
  return b.CreateSelect(laneMask(*load.active), all, zero);
}

llvm::Value *KernelCode::loadElements(const Load &load, int count) {
  auto *type = llvm::FixedVectorType::get(memoryType(load.buffer), lanes);
  llvm::Value *result = llvm::Constant::getNullValue(type);
  if (count == lanes) result = llvm::PoisonValue::get(type);
  for (int l = 0; l < count; ++l) {
    auto *element = b.CreateAlignedLoad(
        memoryType(load.buffer), pointer(load.buffer, load.address, load.stride * l), alignment(load.buffer));
    result = b.CreateInsertElement(result, annotate(element, load.buffer), b.getInt64(l));
  }
  return result;
}

/// Elements a few apart: whole vectors from the first one to the last, the last vector ending with it, and of them what is asked for.
llvm::Value *KernelCode::loadStrided(const Load &load, int count) {
  auto *type = llvm::FixedVectorType::get(memoryType(load.buffer), lanes);
  const std::int64_t span = load.stride * (count - 1) + 1, vectors = (span + lanes - 1) / lanes;
  llvm::Value *result = nullptr;
  for (std::int64_t v = 0; v < vectors; ++v) {
    const std::int64_t begin = std::min(v * lanes, span - lanes);
    llvm::Value *part = annotate(
        b.CreateAlignedLoad(type, pointer(load.buffer, load.address, begin), alignment(load.buffer)), load.buffer);
    std::vector<int> from; // lanes of what is there, and behind them of this part
    for (int l = 0; l < lanes; ++l) {
      const std::int64_t element = load.stride * l;
      from.push_back(l >= count ? -1 : element < v * lanes ? l : element < begin + lanes ? static_cast<int>(lanes + element - begin) : -1);
    }
    result = b.CreateShuffleVector(result ? result : llvm::PoisonValue::get(type), part, from);
  }
  if (count == lanes) return result;
  return b.CreateSelect(laneMask(*load.active), result, llvm::Constant::getNullValue(type));
}

llvm::Value *KernelCode::loadMemory(const Load &load) {
  auto *type = llvm::FixedVectorType::get(memoryType(load.buffer), lanes);
  const int count = activeLanes(load.active);
  if (count == 0) return llvm::Constant::getNullValue(type);
  if (load.stride == 0) return loadBroadcast(load);
  if (load.stride == 1 && count == lanes)
    return annotate(b.CreateAlignedLoad(type, pointer(load.buffer, load.address), alignment(load.buffer)),
                    load.buffer);
  auto *zero = llvm::Constant::getNullValue(type);
  if (load.stride == 1)
    return annotate(b.CreateMaskedLoad(type, pointer(load.buffer, load.address), alignment(load.buffer),
                                       laneMask(*load.active), zero),
                    load.buffer);
  constexpr std::int64_t few = 4; // vectors that cost less than their elements one by one
  const std::int64_t span = load.stride * (count - 1) + 1;
  if (count > 0) return load.stride > 0 && span >= lanes && span <= few * lanes ? loadStrided(load, count) : loadElements(load, count);
  return annotate(b.CreateMaskedGather(type, pointers(load.buffer, load.address, load.stride),
                                       alignment(load.buffer), laneMask(*load.active), zero),
                  load.buffer);
}

void KernelCode::emit(const Load &load) {
  llvm::Value *value = loadMemory(load);
  const DType type = entry.buffers[load.buffer].type;
  if (type == DType::U8) value = b.CreateZExt(value, llvm::FixedVectorType::get(b.getInt32Ty(), lanes));
  if (type == DType::Bool) value = b.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType()));
  assign(load.dst, value);
}

/// Elements two apart: whole vectors, of which the elements between them are masked.
void KernelCode::storeStrided(const Store &store, llvm::Value *value, int count) {
  const std::int64_t span = store.stride * (count - 1) + 1;
  for (std::int64_t begin = 0; begin < span; begin += lanes) {
    std::vector<int> from;
    std::vector<llvm::Constant *> isStored;
    for (std::int64_t at = begin; at < begin + lanes; ++at) {
      const bool stored = at % store.stride == 0 && at < span;
      from.push_back(stored ? static_cast<int>(at / store.stride) : -1);
      isStored.push_back(b.getInt1(stored));
    }
    annotate(b.CreateMaskedStore(b.CreateShuffleVector(value, from), pointer(store.buffer, store.address, begin),
                                 alignment(store.buffer), llvm::ConstantVector::get(isStored)),
             store.buffer);
  }
}

void KernelCode::storeMemory(const Store &store, llvm::Value *value) {
  const int count = activeLanes(store.active);
  const llvm::Align align = alignment(store.buffer);
  if (store.stride == 1 && count == lanes) {
    annotate(b.CreateAlignedStore(value, pointer(store.buffer, store.address), align), store.buffer);
  } else if (store.stride == 1 && count != 1) {
    if (count == 0) return;
    annotate(b.CreateMaskedStore(value, pointer(store.buffer, store.address), align, laneMask(*store.active)),
             store.buffer);
  } else if (count < 0) {
    annotate(b.CreateMaskedScatter(value, pointers(store.buffer, store.address, store.stride), align,
                                   laneMask(*store.active)),
             store.buffer);
  } else if (store.stride == 2 && count > lanes / 2 && set.target.lanes == lanes) {
    storeStrided(store, value, count);
  } else {
    for (int l = 0; l < count; ++l)
      annotate(b.CreateAlignedStore(b.CreateExtractElement(value, b.getInt64(l)),
                                    pointer(store.buffer, store.address, store.stride * l), align),
               store.buffer);
  }
}

void KernelCode::emit(const Store &store) {
  llvm::Value *value = read(store.value);
  auto *type = llvm::FixedVectorType::get(memoryType(store.buffer), lanes);
  const DType bufferType = entry.buffers[store.buffer].type;
  if (bufferType == DType::Bool) value = b.CreateZExt(value, type);
  if (bufferType == DType::U8) value = b.CreateTrunc(value, type);
  storeMemory(store, value);
}

} // namespace netc::codegen
