// What an expression of the language denotes while a model is elaborated.
#pragma once

#include "compiler/graph/graph.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace netc::dsl {

/// Affine variables below this are the dimensions of a whole tensor (`a + b`); from it on they number the
/// indices of index notation (`a[i] + b[i]`).
inline constexpr int firstIndex = 1 << 16;
/// The number of the element that a formula computes, as long as its indices are not known: in uniform().
inline constexpr int elementNumber = firstIndex - 1;

using Extents = std::vector<graph::Extent>;

/// A read that leaves its tensor somewhere; fine only under a guard.
struct UnsafeRead {
  Location location;
  std::string message;
};

/// `[c]`: the value counts only where the condition holds, and is 0 elsewhere.
struct Guard {
  int node;            // of the value's body, Bool
  bool affine = false; // then it equals: all of `inequalities` >= 0
  std::vector<Affine> inequalities;
};

/// A scalar expression over dimensions or indices that is not yet a formula.
struct Lazy {
  graph::Body body; // root: the value
  Extents shape;    // empty: a scalar, perhaps depending on indices
  std::vector<Guard> guards;
  std::optional<std::vector<Affine>> condition; // the root is Bool and equals this conjunction of e >= 0
  std::vector<UnsafeRead> unsafe;

  const graph::Node &root() const { return body.nodes[body.root]; }
  DType dtype() const { return root().dtype; }
};

struct LayerValue;

struct Value {
  enum class Kind {
    Error, // reported already; silences what follows from it
    Number,
    Boolean, // known at compile time
    Text,
    Batch,   // the symbolic extent N
    Program, // a run-time scalar
    Index,   // affine in indices
    Tensor,  // lazy
    List,    // a tensor literal: `values` of shape lazy.shape, numbers or `booleans`
    Pack,    // several extents or numbers: S in x: [N, C, S...]
    Layer,   // relu, or |> conv(8, 3) |> relu
  };
  Kind kind = Kind::Error;
  double number = 0; // Number, Boolean
  std::string text;  // Text; Program: a name for it
  std::vector<ScalarOp> program;
  Affine affine;
  Lazy lazy;
  std::vector<double> values;
  bool booleans = false; // List: true and false, as 1 and 0
  std::vector<Value> pack;
  std::shared_ptr<const LayerValue> layer;

  static Value error() { return {}; }
  static Value ofNumber(double);
  static Value ofBoolean(bool);
  static Value ofText(std::string);
  static Value ofBatch();
  static Value ofProgram(std::vector<ScalarOp>, std::string name = {});
  static Value ofIndex(Affine);
  static Value ofLazy(Lazy);
  static Value ofPack(std::vector<Value>);
  static Value ofLayer(LayerValue);

  bool isError() const { return kind == Kind::Error; }
  bool isNumber() const { return kind == Kind::Number; }
  bool isBoolean() const { return kind == Kind::Boolean; }
  bool isTensor() const { return kind == Kind::Tensor; }
  /// One that is decided at run time, perhaps for each element.
  bool isCondition() const { return isTensor() && lazy.dtype() == DType::Bool; }
  /// A number, or a run-time scalar.
  bool isScalarProgram() const {
    return kind == Kind::Number || kind == Kind::Program || kind == Kind::Batch;
  }
};

struct Expr;

/// A layer or function as a value.
struct LayerValue {
  std::string name;                    // its declaration's, or
  const Expr *chain = nullptr;         // calls, into which the argument is piped,
  std::map<std::string, Value> names;  // with what they read where the chain was written
};

/// Of a pack, or of a list of numbers: its elements; else none.
std::optional<std::vector<Value>> elements(const Value &);
/// Makes a condition 1 and 0 of a type.
void toNumber(Lazy &condition, DType);
/// Makes a condition a number that is 0 where it does not hold: x of x != 0, else 1 and 0.
void toNonZero(Lazy &condition);
/// The tensor that the value is, when it is nothing but a whole tensor; else -1.
int wholeTensor(const Lazy &);
/// "[N, 1, 28, 28]".
std::string str(const Extents &);
/// What it is, for messages: "the number 3", "f32[N, 10]".
std::string describe(const Value &);
/// The value itself where it is short: "3", "[3, 5]"; else as describe.
std::string brief(const Value &);
bool readsTensor(const Lazy &);
/// The indices (variables from firstIndex on) that the value depends on, ascending.
std::vector<int> freeIndices(const Lazy &);
/// Whether the value depends on elementNumber; and puts `by` in its place.
bool needsNumbers(const Lazy &);
void numberElements(Lazy &, const Affine &by);
/// Appends `from`'s program or number to `to`.
void append(std::vector<ScalarOp> &to, const Value &from);
/// A copy of the whole body of `from` below node n, dimensions and indices unchanged.
int copyNode(graph::Body &to, const graph::Body &from, int n);

} // namespace netc::dsl
