// The loop IR: buffers, loops and operations on registers of 16 lanes. Both back ends print exactly this; the
// interpreter is its definition, bit for bit.
//
//  - A register holds 16 lanes of f32, i32 or bool, on every target (AVX2 uses two machine registers). There are no
//    scalar registers: a scalar is a broadcast load, or a store with one active lane.
//  - Operations are the primitives of the function table (support/functions.h), each correctly rounded, lane by
//    lane; nothing is contracted, reassociated or approximated. Denormals are flushed (FTZ and DAZ).
//  - Addresses are affine, in elements, over the loop variables and the run-time sizes below. Lane l of a load or store
//    with stride s touches element address + s*l: stride 1 is contiguous, 0 broadcasts (loads only), others gather.
//    With `active` a, lanes l >= a touch no memory; such lanes of a load are 0.
//  - Buffers of type u8 and bool load as i32 lanes and bool lanes; only f32 and i32 are computed with. A bool
//    is stored as a byte 0 or 1.
//  - A kernel runs its body once for each value of its parallel variable (once if there is none); these runs must not
//    conflict (no element written by one is touched by another), so any thread may run any of them. Kernels of an
//    entry run one after the other.
//  - A register array is indexed by affine expressions that must be constant after the `unroll` pass; the back ends
//    require that. Registers have no value before their first assignment; they live in the kernel's body.
//  - A loop runs var from max(lower) while var < min(upper), by step. Loops marked unroll have constant bounds once the
//    loops around them are unrolled.
//
// Text form (.loops); print -> parse -> print is the identity:
//
//   program lenet5 batch 64
//   tensor input image: u8[N, 1, 28, 28] data "random_crop(size = 28, padding = 2, fill = 0)"   (or without, as in graph.h)
//   tensor target label: i32[N] class 10
//   tensor param conv1.weight: f32[6, 1, 5, 5] ~ uniform(-0.2, 0.2) store 0
//   tensor param scale: f32[2] ~ values(0.5, 2) store 640           (or: ~ constant(0), ~ normal(0, 1))
//   tensor param w: f32[32, 64] ~ uniform(-1, 1) store 704 blocked (1, 0)
//   entry trainStep workspace 123456 commit 12 {                (or: entry accumulate every 64 workspace ...)
//     plan "sgd(lr = 0.1)"
//     scalar lr = 0.03 * pow(0.4, epoch)
//     result loss loss: f32[]
//     buffer image: u8[50176] input 0
//     buffer conv1.weight: f32[150] store 0
//     buffer x: f32[65536] workspace 1024
//     buffer tiles: f32[4096] part 0                             (entry ... workspace 123456 part 16384)
//     kernel conv1 parallel nb < blocks {                        (`parallel nb < blocks then`: depth first with the next;
//                                                                `parallel p < 4 turns 8 then`: by turns with the next)
//       | conv1.y[n, o, i, j] = ...                              (comment lines, printed above the kernel's code)
//       reg acc: f32[6][4]
//       for i in 0 .. 28 {
//         for u in max(0, 2 - i) .. min(5, 30 - i) {
//           unroll o in 0 .. 6 {
//             w0 = load conv1.weight[25*o + 5*u] stride 0
//             acc[o][0] = fma(x0, w0, acc[o][0])
//           }
//         }
//         if i - 2 >= 0, 29 - i >= 0 { ... }
//         t = load image[12544*nb + i] stride 784 active count - 16*nb
//         k = lanes 4*i step 1                                   (i32: 4*i + 1*lane)
//         m = mask count - 16*nb                                 (bool: lane < count - 16*nb)
//         s = reduce sum acc[0][0]                               (every lane gets the result)
//         c = 0.5   z = lt(t, @lr)   r = acc[0][0]               (constants, run-time scalars and moves)
//         store y[16*i] = s active 1
//       }
//     }
//   }
#pragma once

#include "compiler/support/affine.h"
#include "compiler/support/functions.h"
#include "compiler/support/location.h"
#include "compiler/support/scalar_program.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace netc::loop {

inline constexpr int lanes = 16;

/// Variables 0..3 are given at run time; loops use 4 and up.
enum RuntimeSize : int { Count = 0, Blocks = 1, FullBlocks = 2, Turn = 3, firstLoopVariable = 4 };
// Count: samples in this call. Blocks: ceil(count/16). FullBlocks: floor(count/16). Turn: of kernels that take turns, else 0.

struct RegisterRef {
  int reg = -1; // in Kernel::registers
  std::vector<Affine> index;
  bool operator==(const RegisterRef &) const = default;
};

struct Operand {
  enum class Kind { Register, Constant, Scalar } kind = Kind::Constant;
  RegisterRef reg;          // Register
  DType type = DType::F32;  // Constant; Scalar: that of its program, f32 or i32
  double value = 0;         // Constant; rounded to f32 when F32; 0 or 1 when Bool
  int scalar = -1;          // Scalar: in Entry::scalars, the same in all lanes
  bool operator==(const Operand &) const = default;
};

struct Statement;
using StatementPtr = std::shared_ptr<const Statement>; // trees are immutable and share what did not change
using Block = std::vector<StatementPtr>;

struct Compute { // dst = op(args); without op a move of args[0]
  RegisterRef dst;
  std::optional<Fn> op;
  std::vector<Operand> args;
};
struct Load {
  RegisterRef dst;
  int buffer = -1;
  Affine address;
  std::int64_t stride = 1;
  std::optional<Affine> active;
};
struct Store {
  int buffer = -1;
  Affine address;
  std::int64_t stride = 1; // never 0
  Operand value;
  std::optional<Affine> active;
};
struct LaneIndex { // i32: base + step*lane
  RegisterRef dst;
  Affine base;
  std::int64_t step = 1;
};
struct LaneMask { // bool: lane < active
  RegisterRef dst;
  Affine active;
};
/// All lanes of dst = the 16 lanes of src combined: v = v op v[lane ^ 8], then ^ 4, ^ 2, ^ 1. For Max and Min,
/// a op b = (a < b or b is NaN) ? b : a (for Min: b < a), where a is the lane with the smaller number.
struct Reduce {
  enum class Op { Sum, Prod, Max, Min };
  RegisterRef dst;
  Op op = Op::Sum;
  Operand src;
};
struct For {
  int var = -1;
  std::vector<Affine> lower, upper; // max of lower <= var < min of upper; one or more each
  std::int64_t step = 1;
  bool unroll = false;
  Block body;
};
struct If { // every condition >= 0
  std::vector<Affine> conditions;
  Block body;
};

struct Statement {
  std::variant<Compute, Load, Store, LaneIndex, LaneMask, Reduce, For, If> node;
  Location location = {}; // here and below: in the .loops file that a user wrote; unknown in what netc made
};
template <class Node> StatementPtr make(Node n, Location at = {}) {
  return std::make_shared<const Statement>(Statement{std::move(n), std::move(at)});
}

struct Register {
  std::string name; // unique in its kernel
  DType type = DType::F32;
  std::vector<std::int64_t> dims; // empty: one register
  Location location = {};
};

struct Kernel {
  std::string name; // an identifier once dots are replaced by '_'; unique in its entry
  std::vector<std::string> comment;  // formula, schedule, source line
  std::vector<std::string> variables; // names; the first four are "count", "blocks", "fullBlocks", "turn"
  std::vector<Register> registers;
  int parallel = -1; // variable, or -1
  Affine parallelExtent; // over the run-time sizes
  Block body;
  /// Each iteration is followed by the same iteration of the next kernel, which has the same parallel extent: a
  /// chain of such kernels runs depth first, block of samples by block.
  bool depthFirst = false;
  /// Above 0: the kernels of such a chain are run so often, one after the other, with their own parallel extents. Turn counts.
  std::int64_t turns = 0;
  double flops = 0;  // nominal: two a multiply-add of the formula, at full batch
  Location location = {};
};

/// Part: memory that an iteration finds with any content; the kernels of a chain hand it on in one iteration. There are
/// `parts` such areas, so that as many threads may run a chain.
enum class Space { Input, Output, Store, Workspace, Part, Constant };
inline constexpr std::int64_t parts = 8;
std::string_view name(Space); // as in the text form

struct Buffer {
  std::string name; // unique in its entry
  DType type = DType::F32;
  std::int64_t size = 0; // elements, at full batch
  Space space = Space::Workspace;
  std::int64_t place = 0;       // Input, Output: slot. Store, Workspace, Part: byte offset, a multiple of 64.
  std::vector<double> values;   // Constant
  Location location = {};
};

struct Result {
  enum class Kind { Output, Loss, Metric } kind = Kind::Output;
  std::string name;
  DType type = DType::F32;
  std::vector<std::int64_t> shape; // planned
  bool batch = false;              // the first extent is N
  Location location = {};
};

/// One entry point. Input slots are Program::tensors' inputs then targets, in order; output slots are `results`.
struct Entry {
  std::string name;
  std::int64_t every = 0; // of accumulate, as in the graph: samples before apply is due, -1: those of the epoch
  std::string plan;       // of trainStep or accumulate: the training plan, as written
  std::int64_t workspaceBytes = 0; // those of the parts are its end
  std::int64_t partBytes = 0;      // of each part
  std::int64_t sharedBytes() const { return workspaceBytes - parts * partBytes; } // what is not in parts
  std::vector<RuntimeScalar> scalars;
  std::vector<Result> results;
  std::vector<Buffer> buffers;
  std::vector<Kernel> kernels; // in order
  /// Kernels from this one on write the store; they run only when the loss is finite. kernels.size(): none does.
  int commit = 0;
  Location location = {};
};

/// What a caller sees of a tensor: the interface, in logical order.
struct Tensor {
  enum class Role { Input, Target, Param, State } role = Role::Input;
  std::string name;
  DType type = DType::F32;
  std::vector<std::int64_t> shape; // planned
  bool batch = false;              // the first extent is N
  int classes = 0;
  std::vector<std::string> classNames;
  std::string data; // Input: as graph::Tensor's
  enum class Init { Constant, Uniform, Normal, Values } init = Init::Constant; // Param, State
  double initA = 0, initB = 0;
  std::vector<float> values; // Values: all elements
  std::int64_t store = 0; // Param, State: byte offset in the store
  std::vector<int> blocked; // dimensions that the store holds in blocks of 16, as schedule.h's `blocked (1, 0)`; none: row-major
  Location location = {};
};

/// A digit of the number of an element of a parameter or state, in logical order: how many values it has, and by how many
/// elements it moves the place in the store.
struct Digit {
  std::int64_t extent = 1, stride = 1;
};
/// Most significant first; none: row-major.
std::vector<Digit> storeDigits(const Tensor &);

struct Program {
  std::string name;
  std::int64_t batch = 1;
  std::string target; // "x86-64-v4": what the kernels were tiled for
  std::int64_t storeBytes = 0;
  std::vector<Tensor> tensors; // inputs, targets, params, states
  std::vector<Entry> entries;

  const Entry *entry(std::string_view name) const;
  const Entry *trainingEntry() const; // trainStep or accumulate of the first plan; null: the program does not train
};

} // namespace netc::loop
