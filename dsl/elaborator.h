// Semantic analysis and elaboration: the syntax tree of a model becomes one graph with everything in it
// (outputs, losses, metrics and, for training, the optimizer). Compile-time values are computed on the way;
// every error is reported at the user's line, also when it arises inside a layer of the prelude.
#pragma once

#include "compiler/support/transform.h"
#include "dsl/ast.h"
#include "dsl/dsl.h"
#include "dsl/graph_writer.h"

#include <deque>
#include <map>
#include <set>

namespace netc::dsl {

/// Callables by name; the user's stand before the prelude's.
using Library = std::map<std::string, const Callable *, std::less<>>;

struct Setting {
  std::string name;
  ExprPtr value;
  Location location;
};

/// The model with the formulas of one training plan.
struct TrainingPlan {
  std::string name, text;     // text: as written
  graph::Graph graph;
  std::vector<int> gradients; // of the parameters that it trains, as its optimizers read them
  std::set<int> states;       // declared by its optimizers, not by the model
  /// As graph::Graph::every. If not 0, the graph's `next` sum up gradients, and the optimizers' stand here.
  std::int64_t every = 0;
  std::vector<graph::Next> applied;
};

/// One elaborated variant of the model.
struct Elaborated {
  graph::Graph graph; // every formula, every result, no plan
  std::vector<TrainingPlan> plans;
  std::string model;
  bool trains = false;
};

class Elaborator {
 public:
  Elaborator(const Library &library, Diagnostics &diag, const std::vector<Setting> &settings,
             std::int64_t batch, bool training);

  Elaborated run(const SourceFile &);

 private:
  // --- names and places
  // -------------------------------------------------------------------------------------
  struct Frame {
    const Callable *callable = nullptr; // null: the model itself
    std::string path;                   // "" or "conv1"
    Location callSite;
    Frame *caller = nullptr;
    std::map<std::string, Value> arguments, names;
    std::map<std::string, Location> defined;
    std::map<std::string, int> counters;
    std::map<std::string, int> named;   // the tensor that has got a name of the user's
    std::set<std::string> repetitions;  // the names of open repetitions, which live in their blocks only
    std::map<std::string, int> clauses; // definitions with a declared shape, which may get further clauses; -1: in error
    int depth = 0;
  };

  /// An occurrence of a tensor with subscripts.
  struct Use {
    int tensor = -1;
    std::vector<Affine> map;
    std::vector<Location> locations;
    bool guarded = false;
    bool isCondition = false;      // which does not hold where the tensor is 0
    std::optional<Value> constant; // an element that is known at compile time
  };

  /// The indices of one statement in index notation.
  struct Context {
    const Expr *root = nullptr;
    const Frame *frame = nullptr;
    std::string hint;                                 // name for the formulas that it needs
    std::vector<std::pair<std::string, int>> visible; // index name -> variable, innermost last
    std::map<const Expr *, std::vector<int>> reductions;
    std::map<const Expr *, Use> uses;
    std::vector<const Expr *> order; // of uses
    std::set<std::string> unknown; // names reported already
    bool failed = false;
    std::vector<std::pair<std::string, Value>> locals; // { a = ...; ... }, innermost last
    int subscriptDepth = 0;
  };

  void report(const Location &, const std::string &message);
  void note(const Location &, const std::string &message);
  Value fail(const Location &at, const std::string &message) { return report(at, message), Value::error(); }
  const Frame *outermostPrelude() const;
  Location place(const Location &) const;
  std::string origin() const;
  std::string qualified(const std::string &name) const;
  Label label(const std::string &name, const Location &) const;
  Label temporary(const std::string &suffix, const Location &) const;
  void spend(const Location &);
  const Value *findName(const std::string &) const;
  std::string suggestion(const std::string &word, bool callable) const;

  // --- expressions (evaluate.cpp)
  // ---------------------------------------------------------------------------
  Value evaluateRoot(const Expr &, const std::string &hint); // with indices of its own
  Value evaluate(const Expr &);
  Value evaluateName(const Expr &);
  Value unknownName(const Expr &);
  Value unknownIndex(const Expr &);
  Value unknownCallee(const Expr &);
  bool excused(const std::string &path) const;
  bool waits(const Value &, const Location &);
  Value evaluateBinary(const Expr &);
  Value evaluateUnary(const Expr &);
  Value evaluateBracket(const Expr &);
  Value literal(const Expr &);
  Value evaluateSubscript(const Expr &);
  Value evaluateLocals(const Expr &);
  Value evaluateReduce(const Expr &);
  Value logSumExp(const Lazy &, const std::vector<int> &reduced, const Location &);
  Value scaled(Value, const std::vector<int> &reduced, const Location &);
  std::optional<double> number(const Expr &, std::string_view what);
  std::optional<std::int64_t> integer(const Expr &, std::string_view what);
  std::optional<graph::Extent> extent(const Expr &);
  std::optional<Extents> extents(const Shape &, const Location &);

  // --- arithmetic on values (arithmetic.cpp)
  // ------------------------------------------------------------------
  Value apply(Fn, std::vector<Value>, const Location &);
  Value applyLazy(Fn, std::vector<Lazy>, const Location &);
  Value applyGuarded(Fn, std::vector<Lazy> &, const Location &);
  Value compare(const std::string &op, Value, Value, const Location &);
  Value logic(const std::string &op, Value, Value, const Location &);
  Value negate(Value, const Location &);
  Value power(Value, Value, const Location &);
  Value select(Value, Value, Value, const Location &);
  std::optional<Lazy> toLazy(const Value &, const Location &);
  std::optional<Lazy> toCondition(const Value &, const Location &);
  void resolveGuards(Lazy &, const Location &);
  bool prepare(Lazy &, const Location &); // ready to become a formula: no guards, all reads in range
  bool sameShape(std::vector<Lazy> &, Extents &, const Location &);
  std::optional<double> constantValue(const Lazy &) const;

  // --- index notation (index_notation.cpp, extents.cpp)
  // ---------------------------------------------------------
  void collect(const Expr &, bool guarded);
  void collectProduct(const Expr &, bool guarded);
  void collectSubscript(const Expr &, bool guarded);
  void collectLocals(const Expr &, bool guarded);
  bool mayName(const Argument &local);
  void keepCondition(const std::string &name, int tensor);
  std::optional<Value> constantElement(const Value &base, const Use &) const;
  void collectReduce(const Expr &, bool guarded);
  std::optional<Affine> subscript(const Expr &);
  bool isAffineBracket(const Expr &) const;
  void solveExtents();
  void agreeOnExtents();
  void fixExtent(int variable, graph::Extent, const std::string &by, const Location &);
  bool inferOne(int variable);
  std::optional<std::int64_t> largestExtent(int variable, const Use &, std::size_t dimension);
  void reportUnknownExtents();
  void checkBatchSubscripts();
  std::vector<int> contextIndices() const;
  void defineIndexed(const Statement &);
  void leftNames(const Expr &, bool alone, std::vector<const Expr *> &);
  void writeIndexed(const Statement &, const std::vector<Affine> &left, const Extents &shape, bool plain);
  void spoil(const Statement &);
  bool writableRange(const Statement &, const std::vector<Affine> &left, const Extents &shape);
  bool addClause(const Statement &, graph::Clause, std::optional<double> otherwise);

  // --- packs (packs.cpp)
  // ----------------------------------------------------------------------------------------
  struct PackScope;
  const Expr *withoutPacks(const Expr &);           // every `...` written out; null after an error
  const Statement *withoutPacks(const Statement &); // of one in index notation
  std::optional<std::vector<const Expr *>> listItems(const Shape &);
  Value evaluatePack(const Expr &, const std::string &hint);
  Value packBuiltin(const Expr &);
  bool packShape(const Parameter &, const Extents &, Frame &callee, std::vector<const Expr *> &items);
  bool solvePacks(PackScope &);
  std::optional<std::vector<Value>> elementsOf(const Value &) const;
  std::optional<std::vector<Value>> packNamed(const std::string &name) const;
  std::optional<std::size_t> rankOf(const Expr &base) const;

  // --- calls (calls.cpp)
  // ----------------------------------------------------------------------------------------
  Value evaluateCall(const Expr &);
  Value builtin(const Expr &);
  bool reportCall(const Callable &, const Location &, const std::string &what, const std::string &message);
  Value callScalar(const Expr &, Fn);
  Value callFunction(const Expr &, const Callable &);
  Value callLayer(const Expr &, const Callable &);
  Value stopGradient(const Expr &);
  Value withDerivatives(Value, const Expr &call, const Callable &);
  Value cast(const Expr &);
  Value divided(const Expr &);
  Value layerValue(const Expr &chain);
  const Value *layerNamed(const std::string &) const;
  Value callChain(const Expr &, const LayerValue &);
  Value uniform(const Expr &); // random_numbers.cpp
  Value numbered(Value, const Location &);
  std::optional<std::string> drawPath(const Expr &call);
  bool bindArguments(const Expr &, const Callable &, Frame &, bool whole);
  std::map<std::string, const Argument *> matchArguments(const Expr &, const Callable &, bool &ok);
  bool bindShape(const Parameter &, const Value &, Frame &, const Location &);
  std::string layerPath(const Expr &, const Callable &, bool &ok);
  std::optional<std::string> layerName(const Expr &);
  Value wholeArgument(const Expr &, const std::string &hint);
  Value wholeValue(Value, const Expr &, const std::string &hint);
  Frame entered(const Expr &, const Callable *);
  bool isLayer(const std::string &) const;

  // --- statements (statements.cpp, declarations.cpp)
  // --------------------------------------------------------------
  std::optional<Value> runBlock(const Block &);
  std::optional<Value> runStatement(const Statement &);
  std::optional<Value> runModelStatement(const Statement &);
  std::optional<Value> conditional(const Statement &);
  std::optional<Value> repeat(const Statement &);
  void require(const Statement &);
  std::string filledIn(const Statement &require);
  void forfeit(const Block &);
  void forfeit(const Statement &);
  void excuse(const Expr &);
  void bind(const std::string &name, const Location &, Value, std::size_t tensorsBefore);
  bool define(const std::string &name, const Location &);
  void declareConst(const Statement &);
  void declareInput(const Statement &);
  void declareParam(const Statement &);
  void declareState(const Statement &);
  void declareNext(const Statement &);
  int declareShared(graph::Tensor, const Location &);
  bool classes(const Type &, graph::Tensor &);
  void declareOutput(const Statement &);
  void declareMeasure(const Statement &); // loss and metric
  void addResult(graph::Result::Kind, const std::string &name, int tensor, const Location &);
  int settle(Value, const Label &, const Location &); // a tensor for a value; -1 after an error
  Value listValue(const Value &, const std::string &name, const Location &);
  int listTensor(const Value &, const std::string &name, const Location &);
  void checkSettings(const SourceFile &);

  // --- how pictures are prepared (data.cpp)
  // -------------------------------------------------------------------
  struct Step;
  void declareData(const Statement &);
  int pictureInput(const Statement &);
  void collectSteps(const Block &, std::vector<Step> &);
  std::optional<Transform> transform(const Expr &);
  std::optional<std::vector<double>> numbers(const Expr &);

  // --- initialisers (training.cpp)
  // -------------------------------------------------------------------
  std::optional<graph::Initializer> initializer(const Expr &, const Extents &);
  std::optional<graph::Initializer> userInitializer(const Expr &, const Callable &, const Extents &);

  // --- training plans (plans.cpp)
  // -------------------------------------------------------------------
  struct BoundPart {
    const Callable *optimizer = nullptr;
    Frame arguments;
  };
  void addPlan(const Statement &);
  void elaboratePlans();
  void checkPlans();
  void train(const Statement &);
  std::optional<BoundPart> bindPart(const PlanPart &);
  std::vector<int> assignParts(const Statement &, const std::vector<int> &params);
  void reportPattern(const Pattern &);
  std::int64_t every(const Statement &);
  int accumulated(int parameter, int gradient, std::vector<graph::Next> &sums);
  void separateUpdates(std::size_t modelNexts, const std::vector<graph::Next> &sums);
  void updateParameter(const BoundPart &, int parameter, int gradient);
  int declareGradient(int parameter, const Location &);
  Value gradientNorm();
  std::vector<int> trainedParameters() const;

  const Library &library;
  Diagnostics &diag;
  const std::vector<Setting> &settings;
  const bool training;
  GraphWriter out;
  Elaborated result;
  Frame model;
  Frame *frame = &model;
  Context *context = nullptr;
  std::set<std::string> reported;
  // What one mistake may make wrong in many places is reported at the first.
  std::set<std::string> unknownNames, unknownCallees;
  std::set<std::string> failedCallees;
  std::map<std::string, Location> statedNames; // of the model's statements, wherever they stand
  std::set<const Expr *> waitingChains;
  std::set<std::string> failedPaths; // of layers and parameters that an error has left undeclared
  std::set<std::pair<std::string, std::size_t>> wrongRanks; // tensor, number of subscripts
  std::set<std::string> blamed;                             // what calls of the user's own layers and functions had wrong
  std::set<std::string> resultNames;
  std::deque<ExprPtr> written; // expressions with their packs written out
  std::deque<Statement> writtenStatements;
  std::set<int> fixedNames; // Locals that carry a name of the user's
  std::vector<const Statement *> planStatements;
  TrainingPlan plan; // in work
  int normOfGradients = -1;
  bool inOptimizer = false;
  int steps = 0; // calls and statements so far
  int depth = 0; // of the evaluation
};

/// The argument of a frame that holds what is piped into a chain; no name that a program can write.
inline constexpr const char *chainInput = "|>";

/// The functions that are neither in the table nor declared: shape, where, ...
const std::vector<std::string> &builtins();
bool isBuiltin(const std::string &name);
/// One of these that answers about a whole tensor: shape, rank, ...
bool asksTensor(const std::string &name);

/// Unwinds everything: the model is too large to go on; the message has been reported.
struct Abandoned {};

/// Unwinds the layer whose `require` does not hold; the message has been reported.
struct RequirementFailed {};

/// Which netc name stands for a name of PyTorch or Keras ("Linear" -> "dense"); empty: none.
std::string foreignName(const std::string &);
/// How that is said in netc for which there is no name; empty: nothing to say.
std::string adviceFor(const std::string &);

} // namespace netc::dsl
