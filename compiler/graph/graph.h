// The graph IR: indexed formulas over tensors with static shapes. Everything netc computes, forward, backward
// and the optimizer, is a list of these and nothing else.
//
// A formula says, for each of its clauses:   T[out(d)] op= body(d)   for d in domain where guards, otherwise e
//
//  - A domain is a box of named indices, each 0 <= i < extent. A batch index runs over 0 <= n < count, where the
//    run-time count is at most the planned extent.
//  - A point at which a guard (an affine expression >= 0) fails does not exist: it reads nothing and
//    contributes nothing.
//  - `out` and every read's map are affine in the domain indices: no div, no mod.
//  - op: assign (each output element is hit at most once), or a combine of all points that hit it. In what order
//    floats are added is the schedule's numeric plan, not the graph's; the evaluator uses lexicographic order.
//    argmax/argmin give the ordinal of the first winning point: the mixed-radix number of the reduction indices
//    (those domain indices that `out` does not use) in domain order; only one clause then.
//  - Clauses of a formula hit disjoint elements. Elements hit by no point get `otherwise`; without it they
//    must not exist. sum/prod of no points is 0/1 and needs no otherwise.
//  - No formula reads its own result. Formulas stand in order: each reads only what stands before it.
//
// Text form (.graph), one module a file; # starts a comment; print -> parse -> print is the identity:
//
//   module lenet5 batch 64                                                   # or: batch 64 winograd4, see Module
//   input  image: u8[N, 1, 28, 28] data "random_crop(size = 28, padding = 2, fill = 0)"   # or without, see support/transform.h
//   target label: i32[N] class 10                       # or: class "ant", "bee"
//   param  conv1.weight: f32[6, 1, 5, 5] ~ uniform(-0.2, 0.2)
//   state  conv1.weight.v: f32[6, 1, 5, 5] ~ constant(0)
//   constant sobel: f32[2, 2] = {1, 2, -1, -2}
//
//   entry trainStep {                                                         # or: entry accumulate every 64 {
//     plan "head: sgd(lr = 0.01) on head.*"                                   # the training plan, as written
//     scalar lr = 0.03 * pow(0.4, epoch)
//     gradient conv1.weight.grad: f32[6, 1, 5, 5] of conv1.weight           # placeholder, until differentiated
//     sum conv1.t: f32[N, 6, 28, 28] at "lenet5.net":10:12 origin "conv" {
//       [n, o, i, j] += p[n, c, i + u, j + v] * conv1.weight[o, c, u, v]
//         over n < N, o < 6, i < 28, j < 28, c < 1, u < 5, v < 5
//         where i + u - 2 >= 0, ...                                          # only when there are guards
//     }
//     assign p: f32[N, 1, 32, 32] otherwise 0 { ... }
//     output probability = head.probability      loss loss = total      metric accuracy = acc
//     next conv1.weight = conv1.weight.next
//   }
//
// A body with shared nodes prints `let t1 = ...` lines before the `[...] +=` line. In bodies an affine expression
// stands as `index(2*i + u)` (type i32), a run-time scalar as `@lr`, calls as name(args) or infix by Fn symbol.
//
// uniform(@low, @high, index(...)) is a random number: a function of a key, which run-time scalars give anew in each
// step, and of the element's number. So it may be computed any number of times, anywhere.
#pragma once

#include "compiler/support/affine.h"
#include "compiler/support/function_ref.h"
#include "compiler/support/functions.h"
#include "compiler/support/location.h"
#include "compiler/support/scalar_program.h"

#include <optional>
#include <string>
#include <vector>

namespace netc::graph {

struct Extent {
  std::int64_t size = 1; // planned maximum when batch
  bool batch = false;    // prints as N; all batch extents of a module are equal
  bool operator==(const Extent &) const = default;
};

/// How a parameter or state begins. Random kinds draw element i from the counter-based generator keyed by the
/// seed and the tensor's name, so the values do not depend on layout or schedule.
struct Initializer {
  enum class Kind { Constant, Uniform, Normal } kind = Kind::Constant;
  double a = 0, b = 0; // Constant: a. Uniform: [a, b). Normal: mean a, standard deviation b.
  bool operator==(const Initializer &) const = default;
};

enum class TensorKind {
  Input,    // given by the caller for predict, evaluate and trainStep
  Target,   // given by the caller for evaluate and trainStep
  Param,    // in the store; trained
  State,    // in the store; not trained
  Constant, // values in the program
  Gradient, // placeholder for the loss's gradient for tensor `of`; `differentiate` turns it into a Local
  Local,    // the result of exactly one formula of the entry
};

struct Tensor {
  std::string name; // a path: "conv1.weight"; unique in its entry
  DType dtype = DType::F32;
  std::vector<Extent> shape; // empty: one element
  TensorKind kind = TensorKind::Local;
  Initializer init;                    // Param, State
  std::vector<double> values;          // Constant, in logical (row-major) order
  int of = -1;                         // Gradient: whose
  int classes = 0;                     // Target class(k): values 0..k-1, checked before a step
  std::vector<std::string> classNames; // empty or `classes` names
  std::string data;                    // Input: the transforms that prepare it, as text; empty: none
  std::vector<int> blocked = {};       // Param, State: how the schedule has the store hold it (schedule/plan_store.cpp); not in the text
  Location location;
  Location written = {}; // in the .graph file that declares it; unknown in what netc made

  bool inStore() const { return kind == TensorKind::Param || kind == TensorKind::State; }
  /// Declared once a module and shared by its entries.
  bool shared() const { return kind <= TensorKind::Constant; }
};

/// One node of a body. Argument numbers are smaller than the node's own.
struct Node {
  enum class Kind { Const, Index, Scalar, Read, Call } kind = Kind::Const;
  DType dtype = DType::F32;    // of the result; a Read of u8 has dtype I32; integers need an explicit ToReal
  double value = 0;            // Const (exact for I32 and Bool)
  Affine affine;               // Index, over domain positions
  int id = -1;                 // Scalar: in Graph::scalars; Read: tensor
  std::vector<Affine> map;     // Read: one a dimension, over domain positions
  Fn fn = Fn::Add;             // Call
  std::vector<int> args;       // Call
  bool operator==(const Node &) const = default;
};

/// An expression DAG. `add` never stores the same node twice, so equal subexpressions are shared.
struct Body {
  std::vector<Node> nodes;
  int root = -1;

  int add(Node);
  int constant(double value, DType = DType::F32);
  int index(Affine); // i32
  int scalar(int id, DType = DType::F32);
  /// A read has the tensor's dtype, U8 widened to I32.
  int read(int tensor, DType tensorType, std::vector<Affine> map);
  /// Types are checked; arguments of a Real signature that are I32 get ToReal, Bool gets Select(x, 1, 0).
  int call(Fn, std::vector<int> args);
  int call(Fn f, int a) { return call(f, std::vector<int>{a}); }
  int call(Fn f, int a, int b) { return call(f, std::vector<int>{a, b}); }
  int call(Fn f, int a, int b, int c) { return call(f, std::vector<int>{a, b, c}); }
  /// Copies the part of `from` below node n into this body, indices replaced by `subst` (position -> affine over
  /// this body's domain; empty: they stay); returns the new node. `replace(node number of from)` may give a node of
  /// this body to stand in its place (-1: copy).
  int copy(const Body &from, int n, FunctionRef<Affine(int)> subst = {},
           FunctionRef<int(int)> replace = {});
  /// Drops nodes that the root does not reach and renumbers.
  void compact();
  bool operator==(const Body &) const = default;
};

struct Index {
  std::string name; // unique in its clause
  Extent extent;
  bool operator==(const Index &) const = default;
};

struct Clause {
  std::vector<Index> domain;
  std::vector<Affine> guards; // each must be >= 0
  std::vector<Affine> out;    // one a dimension of the target
  Body body;

  /// Positions of the domain that `out` does not use, in order: the reduction indices.
  std::vector<int> reduction() const;
  bool operator==(const Clause &) const = default;
};

enum class Combine { Assign, Sum, Prod, Max, Min, ArgMax, ArgMin };
std::string_view name(Combine);
/// The value is a position among the points, not one of theirs.
constexpr bool givesOrdinals(Combine op) { return op == Combine::ArgMax || op == Combine::ArgMin; }

struct Formula {
  int target = -1; // a Local tensor
  Combine op = Combine::Assign;
  std::vector<Clause> clauses;
  std::optional<double> otherwise;
  DType accumulator = DType::F32;
  Location location;     // what it comes from
  Location written = {}; // as of a tensor
  std::string origin; // who made it: "conv", "gradient of y for w, rule mul"
};

/// Where to report what is wrong with a tensor or formula: in the text that the user gave.
template <class T> const Location &placeOf(const T &x) { return x.written.known() ? x.written : x.location; }

struct Result {
  enum class Kind { Output, Loss, Metric } kind;
  std::string name;
  int tensor;
};

/// A store update: at the end of the step, `state` takes the value of `value`. All commit together.
struct Next {
  int state;
  int value;
};

/// A window of samples that only the end of the epoch closes.
inline constexpr std::int64_t everyEpoch = -1;

/// One entry point (predict, evaluate, trainStep; or accumulate and apply; support/entry_name.h): complete in itself.
struct Graph {
  std::string name;
  /// Of accumulate: the samples over which it sums up gradients before apply is due, or everyEpoch; else 0. The
  /// `count` of apply is the number of all these samples; it reads no input.
  std::int64_t every = 0;
  std::string plan; // of trainStep or accumulate: the training plan, as written
  std::int64_t batch = 1;      // the planned extent N
  std::vector<Tensor> tensors; // the shared ones first, the same in every entry of a module
  std::vector<RuntimeScalar> scalars;
  std::vector<Formula> formulas;
  std::vector<Result> results;
  std::vector<Next> next;
  Location written = {}; // as of a tensor

  int find(std::string_view tensorName) const; // -1: none
  int addTensor(Tensor);                       // makes a Local's name unique by ".2", ".3", ...
  int addScalar(std::string name, std::vector<ScalarOp> program); // an equal one is reused
  Formula *definition(int tensor);             // null: none
  const Formula *definition(int tensor) const;
  /// Number of tensors shared by all entries.
  int sharedCount() const;
};

/// Some clause of the formula reads the tensor.
bool reads(const Formula &, int tensor);
/// By tensor: the formulas that read it, by their positions, in order.
std::vector<std::vector<int>> readers(const Graph &);

/// Drops the formulas marked by their position, and their targets; renumbers the tensors. Nothing may read
/// them.
void dropFormulas(Graph &, const std::vector<char> &marked);

struct Module {
  std::string name;
  std::int64_t batch = 1;
  std::vector<Graph> entries;
  bool winograd4 = false; // --fast-math=winograd4: convolutions may take the faster filtering, which loses accuracy

  Graph *entry(std::string_view name);
  const Graph *entry(std::string_view name) const;
  /// trainStep or accumulate of the first training plan: an entry with losses and gradients. Null: the module does not train.
  const Graph *trainingEntry() const;
};

/// "image[n, c, 2*i + u]" and the like, for printers and messages.
std::string str(const Clause &, const Affine &);
/// The body as text in the .graph notation, without lets (shared nodes repeated).
std::string str(const Graph &, const Clause &, int node);

} // namespace netc::graph
