#include "compiler/graph/parse_formula.h"

#include "compiler/graph/expression.h"

#include <fmt/format.h>
#include <map>

namespace netc::graph {

namespace {

using Tokens = std::vector<Token>;

bool is(const Token &t, std::string_view text) {
  return t.text == text && (t.kind == Token::Kind::Identifier || t.kind == Token::Kind::Symbol);
}

/// The token range [begin, end) as a stream of its own, ended by the token that follows it.
TokenStream stream(const Tokens &tokens, std::size_t begin, std::size_t end, Diagnostics &diag) {
  Tokens part(tokens.begin() + begin, tokens.begin() + end);
  Token last;
  last.location = tokens[std::min(end, tokens.size() - 1)].location;
  part.push_back(last);
  return TokenStream(std::move(part), diag);
}

class ClauseParser {
public:
  ClauseParser(const Graph &g, Combine op, Diagnostics &diag, NamesInError &unknown)
      : g(g), op(op), diag(diag), unknown(unknown) {}

  /// The names of the domain stand behind the body that uses them, so it is parsed first.
  Clause parse(TokenStream body, TokenStream domain) {
    parseDomain(domain);
    if (domain.accept("where"))
      do {
        clause.guards.push_back(affine(domain));
        domain.expect(">=");
        const Token zero = domain.peek();
        if (domain.expectInteger("0") != 0)
          domain.error(zero.location, fmt::format("expected 0, found '{}': guards compare with 0", zero.text));
      } while (!diag.hasErrors() && domain.accept(","));
    if (!diag.hasErrors() && !domain.atEnd())
      domain.errorExpected("',', 'where' or the next clause");
    if (!diag.hasErrors())
      parseBody(body);
    return std::move(clause);
  }

  bool isExcused() const { return excused; }

private:
  void parseDomain(TokenStream &in) {
    if (in.accept("(")) {
      in.expect(")");
      return;
    }
    do {
      Index i;
      i.name = in.expectIdentifier("an index name");
      in.expect("<");
      i.extent = parseExtent(in, g.batch);
      clause.domain.push_back(std::move(i));
    } while (!diag.hasErrors() && in.accept(","));
  }

  Affine affine(TokenStream &in) {
    return parseAffine(in, [&](std::string_view name) {
      for (std::size_t p = 0; p < clause.domain.size(); ++p)
        if (clause.domain[p].name == name)
          return static_cast<int>(p);
      return -1;
    });
  }

  std::vector<Affine> map(TokenStream &in) {
    std::vector<Affine> maps;
    in.expect("[");
    while (!diag.hasErrors() && !in.at("]")) {
      if (!maps.empty())
        in.expect(",");
      maps.push_back(affine(in));
    }
    in.expect("]");
    return maps;
  }

  int atom(TokenStream &in, const Token &name) {
    if (is(name, "@"))
      return scalar(in);
    if (in.at("[") && !in.peek().firstOnLine) // a bracket that begins a line is the clause's output
      return read(in, name);
    if (in.at("("))
      return name.text == "index" ? index(in) : -1;
    const auto let = lets.find(name.text);
    return let == lets.end() ? -1 : let->second;
  }

  int index(TokenStream &in) {
    in.expect("(");
    const Affine a = affine(in);
    in.expect(")");
    return clause.body.index(a);
  }

  int scalar(TokenStream &in) {
    const Token at = in.peek();
    const std::string name = in.expectIdentifier("the name of a run-time scalar");
    for (std::size_t s = 0; s < g.scalars.size(); ++s)
      if (g.scalars[s].name == name)
        return clause.body.scalar(static_cast<int>(s), typeOf(g.scalars[s].program));
    std::vector<std::string> known;
    for (const RuntimeScalar &s : g.scalars)
      known.push_back(s.name);
    return reportUnknown(at, fmt::format("unknown run-time scalar '{}'{}", name, didYouMean(name, known)));
  }

  int read(TokenStream &in, const Token &name) {
    const int t = g.find(name.text);
    if (t < 0)
      return reportUnknown(name, unknownTensor(g, name.text));
    return clause.body.read(t, g.tensors[t].dtype, map(in));
  }

  int reportUnknown(const Token &name, const std::string &message) {
    excused = !unknown.firstMention(name.text);
    diag.error(name.location, message); // ends the clause in any case
    return -1;
  }

  void parseBody(TokenStream &in) {
    const AtomParser atoms = [this](TokenStream &s, const Token &name) { return atom(s, name); };
    while (in.accept("let")) {
      const std::string local = in.expectIdentifier("a name");
      in.expect("=");
      const int n = parseExpression(in, clause.body, atoms);
      if (n < 0)
        return;
      lets[local] = n;
    }
    clause.out = map(in);
    parseAssignment(in);
    if (diag.hasErrors())
      return;
    clause.body.root = parseExpression(in, clause.body, atoms);
    if (!diag.hasErrors() && !in.atEnd())
      in.errorExpected("an operator or 'over'");
    if (!diag.hasErrors())
      clause.body.compact();
  }

  void parseAssignment(TokenStream &in) {
    switch (op) {
    case Combine::Assign: in.expect("="); return;
    case Combine::Sum: in.expect("+="); return;
    case Combine::Prod: in.expect("*") && in.expect("="); return;
    case Combine::Max:
    case Combine::Min:
    case Combine::ArgMax:
    case Combine::ArgMin: in.expect(name(op)) && in.expect("="); return;
    }
  }

  const Graph &g;
  Combine op;
  Diagnostics &diag; // of this clause alone, so that one error ends the clause
  Clause clause;
  NamesInError &unknown;
  bool excused = false; // by a mistake elsewhere
  std::map<std::string, int, std::less<>> lets;
};

/// The position of this clause's "over", which a domain or "()" follows.
std::size_t findOver(const Tokens &t, std::size_t from) {
  for (std::size_t k = from; k + 2 < t.size(); ++k)
    if (is(t[k], "over") && (is(t[k + 2], "<") || (is(t[k + 1], "(") && is(t[k + 2], ")"))))
      return k;
  return t.size();
}

std::size_t findNextClause(const Tokens &t, std::size_t from) {
  for (std::size_t k = from; k < t.size(); ++k)
    if (is(t[k], "[") || is(t[k], "let") || is(t[k], "}"))
      return k;
  return t.size();
}

} // namespace

Extent parseExtent(TokenStream &in, std::int64_t batch) {
  if (in.accept("N"))
    return {batch, true};
  const Token at = in.peek();
  const std::int64_t size = in.expectInteger("an extent (a number or N)");
  if (size < 0 || size > std::int64_t(1) << 28)
    in.error(at.location, fmt::format("extent {} is out of range", size));
  return {size, false};
}

std::string unknownTensor(const Graph &g, const std::string &name) {
  std::vector<std::string> known;
  for (const Tensor &x : g.tensors)
    known.push_back(x.name);
  return fmt::format("unknown tensor '{}'{}", name, didYouMean(name, known));
}

void parseClauses(const Graph &g, Formula &f, const Tokens &tokens, Diagnostics &diag, NamesInError &unknown) {
  for (std::size_t begin = 0; begin + 1 < tokens.size();) {
    const std::size_t over = findOver(tokens, begin);
    if (over == tokens.size()) {
      diag.error(tokens[begin].location, "expected 'over' and a domain in this clause");
      return;
    }
    const std::size_t end = findNextClause(tokens, over);
    Diagnostics own;
    ClauseParser parser(g, f.op, own, unknown);
    f.clauses.push_back(parser.parse(stream(tokens, begin, over, own), stream(tokens, over + 1, end, own)));
    if (own.hasErrors() && !parser.isExcused()) // the first one: what follows comes from it
      diag.error(own.entries().front().location, own.entries().front().message);
    begin = end;
  }
}

} // namespace netc::graph
