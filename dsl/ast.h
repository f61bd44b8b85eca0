// The syntax tree of a .net file: plain data, exactly what was written. Pipes are already calls.
#pragma once

#include "compiler/support/location.h"

#include <memory>
#include <string>
#include <vector>

namespace netc::dsl {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Argument {
  std::string name; // empty: by position
  Location location;
  ExprPtr value;
};

/// One index of a reduction: `k` or `k < 3`; or a pack of them, `u...` or `u < K...`.
struct Binder {
  std::string name;
  Location location;
  ExprPtr bound; // null: inferred
  bool pack = false;
};

struct Expr {
  enum class Kind {
    Number,
    Text,
    Name,
    Call,      // text(args) [as label]
    Subscript, // args[0] [ args[1], ... ]
    Unary,     // text: "-" or "not"
    Binary,    // text: + - * / ^ == != < <= > >= and or
    Reduce,    // text(binders) args[0]
    Bracket,   // [args...]: a condition as 1 or 0, or a tensor literal
    Expand,    // args[0]...: once for each element of the packs in it; an item of a list
    Chain,     // |> f(a) |> g: a layer; args[0]: the calls, the innermost with an Input as its first argument
    Input,     // what is piped into a Chain
    Locals,    // { a = ...; b = ...; value }: args, all but the last with names
  };
  Kind kind = Kind::Number;
  Location location;
  std::string text;
  double number = 0;
  std::vector<Argument> args;
  std::vector<Binder> binders;
  std::string label; // Call: the name given by `as`; {} in it stands for the next of labelParts
  Location labelLocation;
  std::vector<std::shared_ptr<const Expr>> labelParts;
  int depth = 1;
  bool packs = false; // an Expand or a pack of indices is in it

  const Expr &operand(std::size_t i) const { return *args[i].value; }
};

using Shape = std::vector<ExprPtr>;

/// `u8[N, 1, 28, 28]`, `class(10)[N]`, `class("ant", "bee")[N]`.
struct Type {
  std::string name;
  Location location;
  ExprPtr classes;
  std::vector<std::string> classNames;
  Shape shape;
};

/// Parameters by their paths: `*` stands for any characters.
struct Pattern {
  std::string text;
  Location location;
};

/// One optimizer of a plan and the parameters that it trains; without patterns all that earlier parts left.
struct PlanPart {
  ExprPtr optimizer;
  std::vector<Pattern> patterns;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind {
    Model,
    Const,   // name = value
    Input,   // name: type
    Target,  // name: type
    Output,  // name [= value]
    Loss,    // [name =] value
    Metric,  // name = value
    Train,   // [name:] parts [, every = value]
    Param,   // name: shape ~ init
    State,   // name: shape | like NAME [~ init]
    Next,    // name = value
    If,      // value, then, otherwise
    Require, // value, message
    Repeat,  // value, then; [name: the number of the repetition]
    Data,    // [name], then: a call for each step
    Define,  // name = value
    Indexed, // name[subscripts][: shape] = value [else elseValue], or += value
    Value,   // value
  };
  Kind kind = Kind::Value;
  Location location; // of the first word
  std::string name;
  Location nameLocation;
  ExprPtr value;
  Type type;             // Input, Target
  Shape shape;           // Param, State, Indexed
  bool hasShape = false; // [] is a shape too
  std::string like;      // State
  Location likeLocation;
  ExprPtr init;
  Shape subscripts;
  bool accumulates = false; // +=
  ExprPtr elseValue;
  std::string message; // Require; each {} in it holds the next of messageParts
  std::vector<std::shared_ptr<const Expr>> messageParts;
  std::vector<PlanPart> parts; // Train
  std::string text;            // Train: as written, less the word itself
  Block then, otherwise;
};

struct Parameter {
  std::string name;
  Location location;
  bool hasShape = false; // x: [N, C, H, W]: a tensor, whose extents bind names
  Shape shape;
  ExprPtr fallback; // null: required
};

/// layer, fn, init and optimizer declarations.
struct Callable {
  enum class Kind { Layer, Function, Init, Optimizer };
  Kind kind = Kind::Layer;
  std::string name;
  Location location;
  std::vector<Parameter> parameters;
  Block body;    // Layer, Optimizer
  ExprPtr value; // Function, Init
  std::vector<ExprPtr> derivatives; // Function: empty, or one for each parameter, or for each without a default
  bool prelude = false;
};

/// import "layers.net"
struct Import {
  std::string path; // as written
  Location location;
};

struct SourceFile {
  std::string name;
  std::vector<Import> imports;
  Block statements;
  std::vector<Callable> callables;
};

/// Indented text, one node a line (--emit=ast).
std::string print(const SourceFile &);
/// An expression as it could be written, on one line.
std::string print(const Expr &);
std::string_view name(Callable::Kind);
/// Where the text of an expression begins; a binary one's own location is that of its operator.
const Location &startOf(const Expr &);

} // namespace netc::dsl
