// The parser of .graph modules (grammar in graph.h): declarations and entries; formulas in parse_formula.cpp.
#include "compiler/graph/parse_formula.h"
#include "compiler/graph/text.h"
#include "compiler/support/lexer.h"
#include "compiler/support/transform.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::graph {

namespace {

constexpr Combine combines[] = {Combine::Assign, Combine::Sum,    Combine::Prod,  Combine::Max,
                                Combine::Min,    Combine::ArgMax, Combine::ArgMin};

class ModuleParser {
public:
  ModuleParser(const std::string &text, TokenStream in, Diagnostics &diag) : text(text), in(std::move(in)), diag(diag) {}

  Module parse() {
    in.begin();
    in.expect("module");
    module.name = in.expectIdentifier("the module's name");
    if (in.accept("batch")) {
      const Location at = in.peek().location;
      module.batch = in.expectInteger("the planned batch");
      if (module.batch < 1 || module.batch > std::int64_t(1) << 28) {
        in.error(at, fmt::format("batch {} is out of range, expected at least 1", module.batch));
        module.batch = 1;
      }
    }
    module.winograd4 = in.accept("winograd4");
    if (!in.failed() && !in.peek().firstOnLine)
      in.errorExpected("'batch', or the end of the line");
    if (in.failed())
      in.recover();
    while (!in.atEnd()) {
      const bool known = atDeclaration();
      statement([this] { declarationOrEntry(); });
      while (!known && !in.atEnd() && !atDeclaration()) // of an entry that was closed too early, say
        in.begin(), in.recover();
    }
    return std::move(module);
  }

private:
  struct Pending { // parsed when all names of the entry are known
    std::size_t formula;
    std::vector<Token> tokens;
  };

  /// Runs one statement; after an error, goes on at the next line.
  template <typename F> void statement(F &&body) {
    in.begin();
    body();
    if (in.failed())
      in.recover();
  }

  bool atDeclaration() const {
    return in.at("input") || in.at("target") || in.at("param") || in.at("state") || in.at("constant") || in.at("entry");
  }

  void declarationOrEntry() {
    if (in.accept("entry"))
      return entry();
    Tensor t;
    t.location = in.peek().location;
    if (in.accept("input"))
      t.kind = TensorKind::Input;
    else if (in.accept("target"))
      t.kind = TensorKind::Target;
    else if (in.accept("param"))
      t.kind = TensorKind::Param;
    else if (in.accept("state"))
      t.kind = TensorKind::State;
    else if (in.accept("constant"))
      t.kind = TensorKind::Constant;
    else
      return in.errorExpected("input, target, param, state, constant or entry");
    if (!module.entries.empty())
      in.error(t.location, "shared tensors are declared before the first entry");
    typed(t);
    rest(t);
    endOfLine();
    shared.push_back(std::move(t));
  }

  void endOfLine() {
    if (!in.failed() && !in.peek().firstOnLine && !in.at("}"))
      in.errorExpected("the end of the line");
  }

  /// Several of these may stand on a line.
  void endOfResult() {
    if (!in.at("output") && !in.at("loss") && !in.at("metric") && !in.at("next"))
      endOfLine();
  }

  /// "NAME: TYPE[EXTENTS]"
  void typed(Tensor &t) {
    t.name = in.expectIdentifier("a tensor name");
    if (t.name.empty())
      in.names().loseOne();
    in.expect(":");
    t.dtype = elementType();
    in.expect("[");
    while (!in.failed() && !in.at("]")) {
      if (!t.shape.empty())
        in.expect(",");
      t.shape.push_back(parseExtent(in, module.batch));
    }
    in.expect("]");
  }

  DType elementType() {
    const Token at = in.peek();
    const std::string type = in.expectIdentifier("an element type");
    const auto dtype = parseDType(type);
    if (!dtype)
      in.error(at.location, fmt::format("unknown type '{}', expected f32, i32, u8 or bool", type));
    return dtype.value_or(DType::F32);
  }

  void rest(Tensor &t) {
    if (t.kind == TensorKind::Target && in.accept("class"))
      classes(t);
    if (t.kind == TensorKind::Input && in.accept("data"))
      transforms(t);
    if (t.inStore() && in.accept("~"))
      initializer(t.init);
    if (t.kind != TensorKind::Constant)
      return;
    in.expect("=");
    in.expect("{");
    while (!in.failed() && !in.at("}")) {
      if (!t.values.empty())
        in.expect(",");
      t.values.push_back(in.expectNumber("a value"));
    }
    in.expect("}");
  }

  void transforms(Tensor &t) {
    const Location at = in.peek().location;
    t.data = in.expectString("the transforms of the input");
    std::string problem;
    if (!in.failed() && !parseTransforms(t.data, problem))
      in.error(at, problem);
  }

  void classes(Tensor &t) {
    if (in.peek().kind != Token::Kind::String) {
      t.classes = static_cast<int>(in.expectInteger("the number of classes, or their names"));
      return;
    }
    do
      t.classNames.push_back(in.expectString("a class name"));
    while (in.accept(","));
    t.classes = static_cast<int>(t.classNames.size());
  }

  void initializer(Initializer &i) {
    const Token kind = in.peek();
    const std::string name = in.expectIdentifier("an initializer");
    if (name == "uniform" || name == "normal")
      i.kind = name == "uniform" ? Initializer::Kind::Uniform : Initializer::Kind::Normal;
    else if (name != "constant")
      in.error(kind.location, fmt::format("unknown initializer '{}', expected constant, uniform or normal", name));
    in.expect("(");
    i.a = in.expectNumber("a number");
    if (i.kind != Initializer::Kind::Constant) {
      in.expect(",");
      i.b = in.expectNumber("a number");
    }
    in.expect(")");
  }

  void entry() {
    Graph g;
    g.written = in.peek().location;
    g.name = in.expectIdentifier("the entry's name");
    if (in.accept("every"))
      g.every = in.accept("epoch") ? everyEpoch : in.expectInteger("a number of samples or epoch");
    g.batch = module.batch;
    g.tensors = shared;
    pending.clear();
    ofs.clear();
    results.clear();
    nexts.clear();
    in.openBlock();
    while (!in.atEnd() && !in.at("}") && !in.at("entry"))
      statement([&] { entryStatement(g); });
    in.begin();
    in.expect("}");
    in.resume();
    resolve(g);
    for (const Pending &p : pending)
      parseClauses(g, g.formulas[p.formula], p.tokens, diag, in.names());
    module.entries.push_back(std::move(g));
  }

  void entryStatement(Graph &g) {
    const Token first = in.peek();
    if (in.accept("plan")) {
      g.plan = in.expectString("the plan's text");
      return;
    }
    for (Combine op : combines)
      if (in.accept(name(op)))
        return formula(g, op, first.location);
    if (in.accept("scalar"))
      return scalar(g);
    if (in.accept("gradient"))
      return gradient(g, first.location);
    if (in.accept("output"))
      return result(g, Result::Kind::Output);
    if (in.accept("loss"))
      return result(g, Result::Kind::Loss);
    if (in.accept("metric"))
      return result(g, Result::Kind::Metric);
    if (in.accept("next"))
      return next();
    in.errorExpected("a formula, scalar, gradient, output, loss, metric or next");
  }

  /// The text after "=" up to the end of the line belongs to the scalar programs' own parser.
  void scalar(Graph &g) {
    RuntimeScalar s;
    s.name = in.expectIdentifier("the scalar's name");
    if (s.name.empty())
      in.names().loseOne();
    in.expect("=");
    const Location at = in.peek().location;
    if (in.peek().firstOnLine)
      in.errorExpected("a scalar expression of count, step, epoch and steps");
    if (in.failed())
      return;
    try {
      s.program = parseScalarProgram(restOfLine(at));
    } catch (const UserError &) { // its carets would be about another text
      return in.error(at, "expected a scalar expression of count, step, epoch and steps");
    }
    while (!in.atEnd() && !in.peek().firstOnLine)
      in.next();
    g.scalars.push_back(std::move(s));
  }

  std::string restOfLine(const Location &at) const {
    std::size_t begin = 0;
    for (int line = 1; line < at.line; ++line)
      begin = text.find('\n', begin) + 1;
    begin += at.column - 1;
    return text.substr(begin, text.find_first_of("\n#", begin) - begin);
  }

  void gradient(Graph &g, const Location &at) {
    Tensor t;
    t.kind = TensorKind::Gradient;
    t.location = at;
    typed(t);
    in.expect("of");
    if (!in.failed())
      ofs.push_back({in.peek(), static_cast<int>(g.tensors.size())});
    in.expectIdentifier("a tensor name");
    endOfLine();
    g.tensors.push_back(std::move(t));
  }

  void result(Graph &, Result::Kind kind) {
    const std::string name = in.expectIdentifier("the result's name");
    in.expect("=");
    const Token tensor = in.peek();
    in.expectIdentifier("a tensor name");
    endOfResult();
    if (!in.failed())
      results.push_back({kind, name, tensor});
  }

  void next() {
    const Token state = in.peek();
    in.expectIdentifier("a parameter or state");
    in.expect("=");
    const Token value = in.peek();
    in.expectIdentifier("a tensor name");
    endOfResult();
    if (!in.failed())
      nexts.push_back({state, value});
  }

  void formula(Graph &g, Combine op, const Location &at) {
    Formula f;
    f.op = op;
    f.location = f.written = at;
    Tensor t;
    typed(t);
    attributes(f);
    t.location = f.location;
    t.written = at;
    f.target = static_cast<int>(g.tensors.size());
    g.tensors.push_back(std::move(t));
    in.openBlock();
    Pending p{g.formulas.size(), {}};
    while (!in.atEnd() && !in.at("}") && !atStatement())
      p.tokens.push_back(in.next());
    const bool closed = in.at("}");
    if (!closed) {
      in.begin();
      in.errorExpected("'}'");
      diag.note(at, "the formula that is still open begins here");
      return in.resume();
    }
    p.tokens.push_back(in.next());
    pending.push_back(std::move(p));
    g.formulas.push_back(std::move(f));
  }

  /// Between a formula's clauses: the next statement of the entry, or the next entry.
  bool atStatement() const {
    static constexpr std::string_view words[] = {"plan", "scalar", "gradient", "output", "loss", "metric", "next", "entry"};
    if (!in.peek().firstOnLine || in.peek(1).kind != Token::Kind::Identifier || in.peek(1).firstOnLine)
      return false;
    return std::any_of(std::begin(words), std::end(words), [this](std::string_view w) { return in.at(w); }) ||
           std::any_of(std::begin(combines), std::end(combines), [this](Combine op) { return in.at(name(op)); });
  }

  void attributes(Formula &f) {
    for (;;) {
      if (in.accept("otherwise")) {
        f.otherwise = in.expectNumber("a number");
      } else if (in.accept("accumulator")) {
        f.accumulator = elementType();
      } else if (in.accept("origin")) {
        f.origin = in.expectString("the origin");
      } else if (in.accept("at")) {
        f.location.file = std::make_shared<const std::string>(in.expectString("a file name"));
        in.expect(":");
        f.location.line = static_cast<int>(in.expectInteger("a line"));
        in.expect(":");
        f.location.column = static_cast<int>(in.expectInteger("a column"));
      } else {
        return;
      }
    }
  }

  /// References by name to tensors of the entry, which may stand before the tensor's formula.
  void resolve(Graph &g) {
    auto find = [&](const Token &name) {
      const int t = g.find(name.text);
      if (t < 0)
        in.errorUnknown(name, unknownTensor(g, name.text));
      in.resume();
      return t;
    };
    for (const auto &[name, tensor] : ofs)
      g.tensors[tensor].of = find(name);
    for (const PendingResult &r : results)
      if (const int t = find(r.tensor); t >= 0)
        g.results.push_back({r.kind, r.name, t});
    for (const auto &[state, value] : nexts) {
      const int s = find(state), v = find(value);
      if (s >= 0 && v >= 0)
        g.next.push_back({s, v});
    }
  }

  struct PendingResult {
    Result::Kind kind;
    std::string name;
    Token tensor;
  };
  const std::string &text;
  TokenStream in;
  Diagnostics &diag;
  Module module;
  std::vector<Tensor> shared;
  std::vector<Pending> pending;
  std::vector<std::pair<Token, int>> ofs;
  std::vector<PendingResult> results;
  std::vector<std::pair<Token, Token>> nexts;
};

} // namespace

Module parse(const std::string &text, const std::string &fileName, Diagnostics &diag) {
  auto file = diag.addSource(fileName, text);
  return ModuleParser(text, TokenStream(tokenize(text, std::move(file), diag), diag), diag).parse();
}

} // namespace netc::graph
