// Statements in order, places, names and messages.
#include "dsl/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::dsl {

Elaborator::Elaborator(const Library &library, Diagnostics &diag, const std::vector<Setting> &settings,
                       std::int64_t batch, bool training)
    : library(library), diag(diag), settings(settings), training(training) {
  out.graph.batch = batch;
}

Elaborated Elaborator::run(const SourceFile &file) {
  try {
    checkSettings(file);
    for (const Statement &s : file.statements)
      if (const auto k = s.kind; k != Statement::Kind::Model && k != Statement::Kind::Train && k != Statement::Kind::Repeat &&
                                k != Statement::Kind::Data)
        statedNames.emplace(s.name, s.nameLocation);
    runBlock(file.statements);
    if (training) elaboratePlans();
    else if (diag.hasErrors()) checkPlans(); // they are not elaborated then
  } catch (const Abandoned &) {
  } catch (const RequirementFailed &) { // of the model itself
  }
  result.trains = !planStatements.empty();
  result.graph = std::move(out.graph);
  return std::move(result);
}

// --- places and messages
// ----------------------------------------------------------------------------------------

/// The call of the user's file that led into the prelude; null outside it.
const Elaborator::Frame *Elaborator::outermostPrelude() const {
  const Frame *found = nullptr;
  for (const Frame *f = frame; f; f = f->caller)
    if (f->callable && f->callable->prelude) found = f;
  return found;
}

Location Elaborator::place(const Location &at) const {
  const Frame *f = outermostPrelude();
  return f ? f->callSite : at;
}

void Elaborator::report(const Location &at, const std::string &message) {
  const Frame *f = outermostPrelude();
  const bool inside = f && at.file == f->callable->location.file;
  const std::string text = inside ? fmt::format("in '{}': {}", f->callable->name, message) : message;
  const Location where = inside ? f->callSite : at;
  // Once a place and call: an optimizer's body is elaborated for each parameter, whose shapes the message may name.
  if (!reported.insert(where.str() + at.str() + frame->callSite.str()).second) return;
  diag.error(where, text);
  if (inside) diag.note(at, "the prelude says so here");
}

void Elaborator::note(const Location &at, const std::string &message) {
  if (reported.insert("note" + at.str() + message).second) diag.note(at, message);
}

std::string Elaborator::origin() const {
  return frame->callable ? frame->callable->name : "model";
}

std::string Elaborator::qualified(const std::string &name) const {
  return frame->path.empty() ? name : frame->path + "." + name;
}

Label Elaborator::label(const std::string &name, const Location &at) const {
  return {qualified(name), place(at), origin()};
}

Label Elaborator::temporary(const std::string &suffix, const Location &at) const {
  const std::string stem = context && !context->hint.empty() ? context->hint : qualified("t");
  return {stem + suffix, place(at), origin()};
}

std::string Elaborator::suggestion(const std::string &word, bool callable) const {
  std::vector<std::string> names;
  for (const auto &[name, c] : library)
    names.push_back(name);
  for (const FnRow &r : allFunctions())
    if (r.signature == Signature::Real && r.symbol.empty()) names.emplace_back(r.name);
  names.insert(names.end(), builtins().begin(), builtins().end());
  for (const char *n : {"sum", "mean", "max", "min", "prod", "argmax", "argmin", "logsumexp"}) names.emplace_back(n);
  if (!callable) {
    names.clear();
    for (const auto &[name, v] : frame->names)
      names.push_back(name);
    for (const auto &[name, v] : frame->arguments)
      names.push_back(name);
    if (frame != &model)
      for (const auto &[name, v] : model.names)
        if (v.isNumber() || v.isBoolean()) names.push_back(name);
    if (word.find('.') != std::string::npos)
      for (const graph::Tensor &t : out.graph.tensors)
        if (t.inStore()) names.push_back(t.name);
    for (const char *n : {"training", "epoch", "step", "steps", "N", "pi"})
      names.emplace_back(n);
  }
  std::string near = foreignName(word);
  if (near.empty() && word.size() > 2) // of one letter everything is near
    near = nearest(callable ? word.substr(word.rfind('.') + 1) : word, names);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

// --- statements
// -------------------------------------------------------------------------------------------------

/// The value of a block is that of its last statement.
std::optional<Value> Elaborator::runBlock(const Block &block) {
  std::optional<Value> last;
  bool failed = false;
  const Statement *before = nullptr;
  for (const Statement &s : block) {
    spend(s.location);
    last = runStatement(s);
    const bool wrong = last && last->isError();
    if (wrong && before && s.kind == Statement::Kind::Value && before->location.column < s.location.column)
      forfeit(*before); // the line above was to go on here
    failed = failed || wrong;
    before = &s;
  }
  return failed ? Value::error() : last;
}

/// What a block that cannot be run would have declared is silent from now on.
void Elaborator::forfeit(const Block &block) {
  for (const Statement &s : block)
    forfeit(s);
}

void Elaborator::forfeit(const Statement &s) {
  using K = Statement::Kind;
  const bool stored = s.kind == K::Param || s.kind == K::State;
  if (stored) failedPaths.insert(qualified(s.name));
  if (stored || s.kind == K::Define || s.kind == K::Indexed) frame->names[s.name] = Value::error();
  if (s.kind == K::Indexed) frame->clauses[s.name] = -1;
  if (s.value) excuse(*s.value);
  forfeit(s.then);
  forfeit(s.otherwise);
}

/// The layers that an expression would have called: their parameters are not declared.
void Elaborator::excuse(const Expr &e) {
  if (e.kind == Expr::Kind::Call) failedCallees.insert(e.text);
  if (!e.label.empty()) failedPaths.insert(qualified(e.label));
  for (const Argument &a : e.args)
    excuse(*a.value);
}

std::optional<Value> Elaborator::runStatement(const Statement &s) {
  const std::size_t before = out.graph.tensors.size();
  switch (s.kind) {
  case Statement::Kind::Define: {
    Value v = evaluateRoot(*s.value, qualified(s.name));
    bind(s.name, s.nameLocation, std::move(v), before);
    return frame->names[s.name];
  }
  case Statement::Kind::Indexed:
    if (inOptimizer) {
      report(s.location,
             "an optimizer treats every parameter alike: write whole tensors, as in v = momentum * v + g");
      return std::nullopt;
    }
    defineIndexed(s);
    return frame->names[s.name];
  case Statement::Kind::Value: {
    Value v = evaluateRoot(*s.value, frame->path);
    if (frame == &model && !v.isError())
      return fail(s.location, "this expression is not used: give it a name, or write output, loss or metric");
    return v;
  }
  case Statement::Kind::If:
    return conditional(s);
  case Statement::Kind::Require:
    return require(s), std::nullopt;
  case Statement::Kind::Repeat:
    return repeat(s);
  case Statement::Kind::Param:
    return declareParam(s), std::nullopt;
  case Statement::Kind::State:
    return declareState(s), std::nullopt;
  case Statement::Kind::Next:
    return declareNext(s), std::nullopt;
  default:
    return runModelStatement(s);
  }
}

std::optional<Value> Elaborator::runModelStatement(const Statement &s) {
  if (frame != &model) {
    report(s.location, fmt::format("this statement belongs to the model, not into {} '{}'",
                                   name(frame->callable->kind), frame->callable->name));
    return std::nullopt;
  }
  switch (s.kind) {
  case Statement::Kind::Model:
    if (!result.model.empty()) report(s.nameLocation, "a file holds one model: this is the second 'model'");
    if (s.name.find('.') != std::string::npos)
      report(s.nameLocation, "the name of a model has no dots: it becomes a C++ namespace");
    result.model = s.name;
    break;
  case Statement::Kind::Const:
    declareConst(s);
    break;
  case Statement::Kind::Input:
  case Statement::Kind::Target:
    declareInput(s);
    break;
  case Statement::Kind::Output:
    declareOutput(s);
    break;
  case Statement::Kind::Loss:
  case Statement::Kind::Metric:
    declareMeasure(s);
    break;
  case Statement::Kind::Train:
    addPlan(s);
    break;
  case Statement::Kind::Data:
    declareData(s);
    break;
  default:
    break;
  }
  return std::nullopt;
}

std::optional<Value> Elaborator::conditional(const Statement &s) {
  const Value c = evaluateRoot(*s.value, {});
  if (c.isBoolean()) return runBlock(c.number != 0 ? s.then : s.otherwise);
  if (!c.isError()) {
    report(startOf(*s.value),
           fmt::format("the condition of 'if' must be known at compile time, found {}", describe(c)));
    if (c.isTensor()) note(startOf(*s.value), "to choose when the model runs, write where(condition, a, b)");
  }
  forfeit(s.then);
  forfeit(s.otherwise);
  return Value::error();
}

namespace {

void definedNames(const Block &block, std::vector<std::string> &names) {
  for (const Statement &s : block) {
    if (s.kind == Statement::Kind::Define || s.kind == Statement::Kind::Indexed) names.push_back(s.name);
    definedNames(s.then, names);
    definedNames(s.otherwise, names);
  }
}

} // namespace

/// The block several times over; each time its names get new values, made from the last ones.
std::optional<Value> Elaborator::repeat(const Statement &s) {
  constexpr std::int64_t most = 1000;
  const std::optional<std::int64_t> count = integer(*s.value, "the number of repetitions");
  if (count && (*count < 0 || *count > most))
    report(startOf(*s.value), fmt::format("a block repeats 0 to {} times, found {}", most, *count));
  if (!count || *count < 0 || *count > most) return forfeit(s.then), Value::error();
  std::vector<std::string> names;
  definedNames(s.then, names);
  if (!s.name.empty() && !define(s.name, s.nameLocation)) return Value::error();
  if (!s.name.empty()) frame->repetitions.insert(s.name);
  std::optional<Value> last;
  for (std::int64_t k = 0; k < *count; ++k) {
    for (const std::string &n : names)
      frame->defined.erase(n), frame->clauses.erase(n);
    if (!s.name.empty()) frame->names[s.name] = Value::ofNumber(static_cast<double>(k));
    last = runBlock(s.then);
  }
  if (!s.name.empty()) // it lives in the block only
    frame->names.erase(s.name), frame->defined.erase(s.name), frame->repetitions.erase(s.name);
  return last;
}

void Elaborator::require(const Statement &s) {
  const Value c = evaluateRoot(*s.value, {});
  if (c.isError() && frame == &model) return;
  if (c.isError()) throw RequirementFailed{};
  const std::optional<double> known = c.isBoolean() ? c.number : c.isTensor() ? constantValue(c.lazy) : std::nullopt;
  if (known ? *known != 0 : inOptimizer && c.isTensor()) return; // a rate that follows step or epoch
  const bool decided = known || outermostPrelude();
  const std::string message =
      decided ? filledIn(s) : fmt::format("the condition of 'require' must be known at compile time, found {}", describe(c));
  if (frame == &model || outermostPrelude()) {
    report(decided ? s.location : startOf(*s.value), message);
  } else {
    report(frame->callSite, fmt::format("in '{}': {}", frame->callable->name, message));
    note(s.location, "this is required here");
  }
  if (decided || frame != &model) throw RequirementFailed{};
}

/// The message of `require`, with the values of its {}.
std::string Elaborator::filledIn(const Statement &require) {
  std::string text;
  auto part = require.messageParts.begin();
  for (std::size_t at = 0; at < require.message.size(); ++at) {
    if (require.message[at] != '{') {
      text += require.message[at];
      continue;
    }
    const Value v = evaluateRoot(**part++, {});
    const std::optional<double> number = v.isTensor() ? constantValue(v.lazy) : std::nullopt; // lr, which can be overridden
    text += number ? brief(Value::ofNumber(*number)) : brief(v);
    at = require.message.find('}', at);
  }
  return text;
}

bool Elaborator::define(const std::string &name, const Location &at) {
  const auto [it, fresh] = frame->defined.emplace(name, at);
  if (fresh) {
    if (frame == &model &&
        (name == "N" || name == "training" || name == "epoch" || name == "step" || name == "steps"))
      report(at, fmt::format("'{}' has a meaning of its own: choose another name", name));
    return true;
  }
  report(at, fmt::format("'{}' is defined already", name));
  note(it->second, "the first definition stands here");
  return false;
}

/// A name for a value. Tensors become formulas; a formula that the compiler has just named takes the user's
/// name.
void Elaborator::bind(const std::string &name, const Location &at, Value v, std::size_t tensorsBefore) {
  if (!define(name, at)) return;
  if (name.find('.') != std::string::npos) {
    report(at, "a name with a dot belongs to a layer's parameter: choose another");
    v = Value::error();
  }
  if (v.kind == Value::Kind::Program && v.text.empty()) v.text = qualified(name);
  if (v.kind == Value::Kind::List) v = listValue(v, qualified(name), at);
  if (v.isTensor() && v.lazy.dtype() != DType::Bool &&
      !(v.lazy.shape.empty() && v.lazy.root().kind == graph::Node::Kind::Scalar)) {
    const int t = settle(std::move(v), label(name, at), at);
    v = t < 0 ? Value::error() : Value::ofLazy(out.read(t));
    if (t >= static_cast<int>(tensorsBefore) && fixedNames.insert(t).second) {
      const auto last = frame->named.find(name);
      if (last != frame->named.end() && out.graph.tensors[last->second].name == qualified(name)) out.yieldName(last->second, t);
      out.rename(t, qualified(name));
      frame->named[name] = t;
    }
  }
  frame->names[name] = std::move(v);
}

int Elaborator::settle(Value v, const Label &l, const Location &at) {
  std::optional<Lazy> lazy = toLazy(v, at);
  if (!lazy || !prepare(*lazy, at)) return -1;
  if (lazy->shape.empty() && !freeIndices(*lazy).empty()) {
    report(at, "this depends on an index, but a whole tensor or number is needed here");
    return -1;
  }
  return out.materialize(*lazy, l);
}

} // namespace netc::dsl
