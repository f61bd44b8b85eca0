#include "compiler/loop/kernel_parser.h"
#include "compiler/loop/text.h"
#include "compiler/support/transform.h"

#include <fmt/format.h>

namespace netc::loop {

namespace {

/// Comment lines hold free text, which the tokenizer must not see: an empty string takes the place of each.
std::string withoutComments(const std::string &text, CommentLines &comments) {
  std::string out;
  out.reserve(text.size());
  int line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    std::size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    const std::size_t first = text.find_first_not_of(" \t", at);
    if (first < end && text[first] == '|') {
      const std::size_t begin = first + 1 < end && text[first + 1] == ' ' ? first + 2 : first + 1;
      comments[line] = text.substr(begin, end - begin);
      out.append(text, at, first - at);
      out += "\"\"";
    } else {
      out.append(text, at, end - at);
    }
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

class ProgramParser {
public:
  ProgramParser(const std::string &text, const std::string &fileName, Diagnostics &diag)
      : text(text), file(diag.addSource(fileName, text)),
        t(tokenize(withoutComments(text, comments), file, diag), diag) {}

  Program parse() {
    t.begin();
    t.expect("program");
    p.name = t.expectIdentifier("the program's name");
    t.expect("batch");
    const Location batchAt = t.peek().location;
    p.batch = t.expectInteger("the batch size");
    if (p.batch < 1) t.error(batchAt, fmt::format("batch is {}, expected at least 1", p.batch)), p.batch = 1;
    if (t.accept("store")) p.storeBytes = t.expectInteger("the store's size");
    if (t.accept("target")) p.target = t.expectString("the target's name");
    endOfLine(t);
    if (t.failed()) t.recover();
    while (!t.atEnd()) {
      t.begin();
      const bool known = t.at("tensor") || t.at("entry");
      if (t.accept("tensor")) parseTensor();
      else if (t.accept("entry")) parseEntry();
      else t.errorExpected("'tensor' or 'entry'");
      if (t.failed()) t.recover();
      while (!known && !t.atEnd() && !t.at("tensor") && !t.at("entry")) // of an entry that was closed too early, say
        t.begin(), t.recover();
    }
    return std::move(p);
  }

private:
  DType parseType() {
    const Token at = t.peek();
    const std::string type = t.expectIdentifier("a type");
    const auto found = parseDType(type);
    if (!found)
      t.error(at.location, fmt::format("unknown type '{}', expected f32, i32, u8 or bool", type));
    return found.value_or(DType::F32);
  }

  void parseExtents(std::vector<std::int64_t> &shape, bool &batch) { // [N, 1, 28, 28]
    t.expect("[");
    while (!t.atEnd() && !t.at("]")) {
      if (shape.empty() && t.accept("N")) {
        batch = true;
        shape.push_back(p.batch);
      } else {
        shape.push_back(t.expectInteger("an extent"));
      }
      if (!t.accept(",")) break;
    }
    t.expect("]");
  }

  void parseTensor() {
    Tensor x;
    if (t.accept("input")) x.role = Tensor::Role::Input;
    else if (t.accept("target")) x.role = Tensor::Role::Target;
    else if (t.accept("param")) x.role = Tensor::Role::Param;
    else if (t.accept("state")) x.role = Tensor::Role::State;
    else t.errorExpected("input, target, param or state");
    x.location = t.peek().location;
    x.name = t.expectIdentifier("the tensor's name");
    t.expect(":");
    x.type = parseType();
    parseExtents(x.shape, x.batch);
    if (t.accept("class")) parseClasses(x);
    if (t.accept("data")) parseData(x);
    if (t.accept("~")) parseInit(x);
    if (t.accept("store")) x.store = t.expectInteger("the byte offset");
    if (t.accept("blocked")) parseBlocked(x);
    endOfLine(t);
    p.tensors.push_back(std::move(x));
  }

  void parseBlocked(Tensor &x) {
    t.expect("(");
    do x.blocked.push_back(static_cast<int>(t.expectInteger("a dimension")));
    while (!t.failed() && t.accept(","));
    t.expect(")");
  }

  void parseData(Tensor &x) {
    const Location at = t.peek().location;
    x.data = t.expectString("the transforms of the input");
    std::string problem;
    if (!t.failed() && !parseTransforms(x.data, problem)) t.error(at, problem);
  }

  void parseClasses(Tensor &x) {
    if (t.peek().kind != Token::Kind::String) {
      x.classes = static_cast<int>(t.expectInteger("the number of classes"));
      return;
    }
    do x.classNames.push_back(t.expectString("a class name"));
    while (t.accept(","));
    x.classes = static_cast<int>(x.classNames.size());
  }

  void parseInit(Tensor &x) {
    const Token at = t.peek();
    constexpr const char *kinds = "constant, uniform, normal or values";
    const std::string kind = t.expectIdentifier(kinds);
    if (kind == "constant") x.init = Tensor::Init::Constant;
    else if (kind == "uniform") x.init = Tensor::Init::Uniform;
    else if (kind == "normal") x.init = Tensor::Init::Normal;
    else if (kind == "values") x.init = Tensor::Init::Values;
    else t.error(at.location, fmt::format("expected {}, found '{}'", kinds, kind));
    t.expect("(");
    if (x.init == Tensor::Init::Values) return parseValues(x);
    x.initA = t.expectNumber("a number");
    if (x.init != Tensor::Init::Constant && t.expect(",")) x.initB = t.expectNumber("a number");
    t.expect(")");
  }

  void parseValues(Tensor &x) {
    do x.values.push_back(static_cast<float>(t.expectNumber("a number")));
    while (t.accept(","));
    t.expect(")");
  }

  void parseEntry() {
    Entry e;
    e.location = t.peek().location;
    e.name = t.expectIdentifier("the entry's name");
    if (t.accept("every")) e.every = t.accept("epoch") ? -1 : t.expectInteger("a number of samples or epoch");
    if (t.accept("workspace")) e.workspaceBytes = t.expectInteger("the workspace's size");
    if (t.accept("part")) e.partBytes = t.expectInteger("the size of a part");
    e.commit = -1;
    if (t.accept("commit")) e.commit = static_cast<int>(t.expectInteger("a kernel's number"));
    t.openBlock();
    bool lost = false;
    while (!t.at("}") && !t.atEnd() && !(t.at("entry") && t.peek().firstOnLine)) {
      t.begin();
      const bool known = atEntryStatement();
      if (t.accept("plan")) e.plan = t.expectString("the plan's text");
      else if (t.accept("scalar")) parseScalar(e);
      else if (t.accept("result")) parseResult(e);
      else if (t.accept("buffer")) parseBuffer(e);
      else if (t.accept("kernel")) e.kernels.push_back(KernelParser(t, e, comments).parse());
      else t.errorExpected("scalar, result, buffer or kernel");
      if (t.failed()) t.recover();
      while (!known && !t.atEnd() && !atEntryStatement() && !t.at("entry")) // of a kernel that was closed too early, say
        t.begin(), t.recover(), lost = true;
    }
    t.begin();
    if (!t.accept("}") && !lost) t.expect("}");
    t.resume();
    if (e.commit < 0) e.commit = static_cast<int>(e.kernels.size());
    p.entries.push_back(std::move(e));
  }

  bool atEntryStatement() const {
    return t.at("plan") || t.at("scalar") || t.at("result") || t.at("buffer") || t.at("kernel");
  }

  void parseScalar(Entry &e) { // the rest of the line is a scalar program
    RuntimeScalar s;
    const Location nameAt = t.peek().location;
    s.name = t.expectIdentifier("the scalar's name");
    if (s.name.empty()) t.names().loseOne();
    t.expect("=");
    const Token at = t.peek();
    if (at.firstOnLine) t.errorExpected("an expression");
    if (t.failed()) return;
    try {
      s.program = parseScalarProgram(restOfLine(at.location));
    } catch (const UserError &e) { // "scalar:1:5: error: what" and the line with a caret: its place means nothing here
      const std::string text = e.what();
      const std::size_t colon = text.find("error: "), begin = colon == std::string::npos ? 0 : colon + 7;
      return t.error(at.location, text.substr(begin, text.find('\n', begin) - begin));
    }
    skipLine(t);
    for (const RuntimeScalar &other : e.scalars)
      if (other.name == s.name) return t.error(nameAt, fmt::format("scalar '{}' is declared twice", s.name));
    e.scalars.push_back(std::move(s));
  }

  std::string restOfLine(const Location &from) const {
    std::size_t begin = 0;
    for (int line = 1; line < from.line; ++line) begin = text.find('\n', begin) + 1;
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    begin += static_cast<std::size_t>(from.column) - 1;
    const std::string line = text.substr(begin, end - begin);
    return line.substr(0, line.find('#'));
  }

  void parseResult(Entry &e) {
    Result r;
    if (t.accept("output")) r.kind = Result::Kind::Output;
    else if (t.accept("loss")) r.kind = Result::Kind::Loss;
    else if (t.accept("metric")) r.kind = Result::Kind::Metric;
    else t.errorExpected("output, loss or metric");
    r.location = t.peek().location;
    r.name = t.expectIdentifier("the result's name");
    t.expect(":");
    r.type = parseType();
    parseExtents(r.shape, r.batch);
    endOfLine(t);
    e.results.push_back(std::move(r));
  }

  void parseBuffer(Entry &e) {
    Buffer b;
    b.location = t.peek().location;
    b.name = t.expectIdentifier("the buffer's name");
    if (b.name.empty()) t.names().loseOne();
    t.expect(":");
    b.type = parseType();
    t.expect("[");
    b.size = t.expectInteger("the number of elements");
    t.expect("]");
    static constexpr std::pair<const char *, Space> spaces[] = {{"input", Space::Input},
                                                                {"output", Space::Output},
                                                                {"store", Space::Store},
                                                                {"workspace", Space::Workspace},
                                                                {"part", Space::Part}};
    bool known = false;
    for (auto &[name, space] : spaces) {
      if (known || !t.accept(name)) continue;
      known = true;
      b.space = space;
      b.place = t.expectInteger(space == Space::Input || space == Space::Output ? "the slot" : "the byte offset");
    }
    if (!known && t.accept("constant")) {
      known = true;
      b.space = Space::Constant;
      t.expect("[");
      while (!t.atEnd() && !t.at("]")) {
        b.values.push_back(t.expectNumber("a number"));
        if (!t.accept(",")) break;
      }
      t.expect("]");
    }
    if (!known) t.errorExpected("input, output, store, workspace, part or constant");
    endOfLine(t);
    e.buffers.push_back(std::move(b));
  }

  const std::string &text;
  CommentLines comments;
  std::shared_ptr<const std::string> file;
  TokenStream t;
  Program p;
};

} // namespace

Program parse(const std::string &text, const std::string &fileName, Diagnostics &diag) {
  return ProgramParser(text, fileName, diag).parse();
}

} // namespace netc::loop
