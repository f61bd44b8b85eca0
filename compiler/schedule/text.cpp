// The text form of schedules (grammar in schedule.h).
#include "compiler/schedule/schedule.h"

#include "compiler/loop/loop.h"
#include "compiler/support/lexer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

namespace netc::schedule {

namespace {

std::string list(const std::vector<std::string> &names) {
  return fmt::format("({})", fmt::join(names, ", "));
}

std::string list(const std::vector<Step> &steps) {
  std::vector<std::string> all;
  for (const Step &s : steps)
    all.push_back(s.by == 1 ? s.index : fmt::format("{} by {}", s.index, s.by));
  return list(all);
}

} // namespace

std::string print(const Layout &l) {
  const std::string order = l.blocked.empty() ? "plain" : fmt::format("blocked ({})", fmt::join(l.blocked, ", "));
  return l.padded == 0 ? order : fmt::format("{} padded {}", order, l.padded);
}

namespace {

std::string print(const Placement &p) {
  switch (p.kind) {
  case Placement::Kind::Workspace:
    return fmt::format("{} at {}", print(p.layout), p.offset);
  case Placement::Kind::Part:
    return fmt::format("{} part {}", print(p.layout), p.offset);
  case Placement::Kind::Turn:
    return fmt::format("{} turn at {}", print(p.layout), p.offset);
  case Placement::Kind::InPlace:
    return fmt::format("in {}", p.of);
  case Placement::Kind::Register:
    return p.layout.blocked.empty() ? "register" : print(p.layout) + " register";
  case Placement::Kind::Output:
    return fmt::format("output {}", p.offset);
  }
  internalError("placement without kind");
}

class Parser {
 public:
  explicit Parser(TokenStream &in) : in(in) {}

  std::vector<Schedule> file() {
    std::vector<Schedule> all;
    while (!in.atEnd())
      all.push_back(schedule());
    return all;
  }

 private:
  bool ok() const { return !in.failed(); }
  std::string name() { return in.expectIdentifier("a name"); }

  /// A hyphenated name: x86-64-v4.
  std::string targetName() {
    std::string s = name();
    while (in.accept("-")) {
      if (in.peek().firstOnLine) in.errorExpected("the rest of the target's name");
      else s += "-" + in.next().text;
    }
    return s;
  }

  std::vector<std::string> names() {
    std::vector<std::string> all;
    in.expect("(");
    while (ok() && !in.at(")")) {
      all.push_back(name());
      if (!in.accept(",")) break;
    }
    in.expect(")");
    return all;
  }

  std::vector<Step> steps() {
    std::vector<Step> all;
    in.expect("(");
    while (ok() && !in.at(")")) {
      Step s{name()};
      const Token &at = in.peek(1);
      if (in.accept("by")) s.by = in.expectInteger("a step");
      if (s.by < 1) in.error(at.location, fmt::format("a step must be positive, found {}", s.by));
      all.push_back(std::move(s));
      if (!in.accept(",")) break;
    }
    in.expect(")");
    return all;
  }

  /// A line; after an error, goes on at the next one.
  void statement(const std::function<void()> &line) {
    in.begin();
    line();
    if (in.failed()) in.recover();
  }

  bool atSection() const { // of which the closing brace before it was forgotten
    return in.peek().firstOnLine && in.peek(1).kind != Token::Kind::End && in.peek(1).text != ":" &&
           (in.at("numeric") || in.at("memory") || in.at("run") || in.at("schedule"));
  }

  /// Reads a section's head or a schedule's; after an error, goes on at that head if it stands further down.
  bool head(const char *title) {
    if (!in.at(title)) {
      in.begin();
      in.errorExpected(fmt::format("'{}'", title));
      in.recover();
      while (!in.atEnd() && !atSection())
        in.begin(), in.recover();
    }
    return in.accept(title);
  }

  void section(const char *title, const std::function<void()> &line) {
    if (!head(title)) return;
    in.openBlock();
    while (!in.at("}") && !in.atEnd() && !atSection())
      statement(line);
    in.begin();
    in.expect("}");
    in.resume();
  }

  Schedule schedule() {
    Schedule s;
    open = false;
    if (head("schedule"))
      statement([&] {
        s.location = in.peek().location;
        s.entry = name();
        in.expect("target");
        s.target = targetName();
      });
    else if (in.atEnd() || in.at("schedule"))
      return s;
    section("numeric", [&] {
      Numeric n;
      n.location = in.peek().location;
      n.formula = name();
      for (const Numeric &other : s.numeric)
        if (other.formula == n.formula) in.error(n.location, fmt::format("'{}' has its order already", n.formula));
      in.expect(":");
      in.expect("order");
      n.order = steps();
      if (in.accept("lanes")) n.lanes = name();
      s.numeric.push_back(std::move(n));
    });
    section("memory", [&] {
      const Location at = in.peek().location;
      const std::string tensor = name();
      if (s.memory.contains(tensor)) in.error(at, fmt::format("'{}' has its place already", tensor));
      in.expect(":");
      (s.memory[tensor] = placement()).location = at;
    });
    s.commit = -1;
    section("run", [&] { runLine(s); });
    if (s.commit < 0) s.commit = static_cast<int>(s.run.size());
    return s;
  }

  Placement placement() {
    Placement p;
    if (in.accept("in")) return {Placement::Kind::InPlace, {}, 0, name()};
    if (in.accept("output")) return {Placement::Kind::Output, {}, in.expectInteger("a slot"), {}};
    if (in.accept("blocked")) {
      in.expect("(");
      do
        p.layout.blocked.push_back(static_cast<int>(in.expectInteger("a dimension")));
      while (ok() && in.accept(","));
      in.expect(")");
    } else if (!in.at("register"))
      in.expect("plain");
    const Location padding = in.peek(1).location;
    if (in.accept("padded")) p.layout.padded = in.expectInteger("a number of elements");
    if (p.layout.padded < 0) in.error(padding, fmt::format("rows cannot be padded by {} elements", p.layout.padded));
    if (in.accept("register")) {
      p.kind = Placement::Kind::Register;
      return p;
    }
    if (in.accept("part"))
      p.kind = Placement::Kind::Part;
    else {
      if (in.accept("turn")) p.kind = Placement::Kind::Turn;
      in.expect("at");
    }
    p.offset = in.expectInteger("a byte offset");
    return p;
  }

  void runLine(Schedule &s) {
    if (in.accept("commit")) {
      s.commit = static_cast<int>(s.run.size());
      open = false;
      return;
    }
    if (const bool turns = in.at("turns") && in.peek(1).text != ":"; in.accept(turns ? "turns" : "tile")) {
      s.run.push_back({tileHead(turns ? loop::lanes - 1 : loop::lanes), turns, {}});
      while (!in.at("}") && !in.atEnd() && !atSection() && !in.at("commit"))
        statement([&] { s.run.back().leaves.push_back(leaf()); });
      in.expect("}");
      open = false;
      return;
    }
    if (!open) s.run.push_back({});
    open = true;
    s.run.back().leaves.push_back(leaf());
  }

  std::int64_t tileHead(std::int64_t most) {
    name();
    in.expect("by");
    const Token size = in.peek();
    const std::int64_t samples = in.expectInteger("a number of samples");
    if (samples < 1 || samples > most) in.error(size.location, fmt::format("expected 1 to {} samples, found '{}'", most, size.text));
    in.openBlock();
    return samples;
  }

  Leaf leaf() {
    Leaf l;
    l.location = in.peek().location;
    if (in.at("fill") && in.peek(1).kind == Token::Kind::Identifier) {
      in.next();
      l.fill = true;
      l.formula = name();
      return l;
    }
    l.formula = name();
    if (in.accept("/")) l.clause = static_cast<int>(in.expectInteger("a clause number"));
    in.expect(":");
    do
      option(l);
    while (ok() && in.accept(","));
    return l;
  }

  void option(Leaf &l) {
    if (in.accept("collapse"))
      l.collapse.push_back(names());
    else if (in.accept("vector"))
      l.vector = name();
    else if (in.accept("order"))
      l.order = steps();
    else if (in.accept("unroll"))
      l.unroll = names();
    else if (in.accept("parallel"))
      l.parallel = name();
    else if (in.accept("with"))
      l.with = names();
    else if (in.accept("then"))
      l.then = names();
    else if (in.accept("tile")) {
      in.expect("(");
      do {
        const std::string index = name();
        const Location at = in.peek().location;
        const std::int64_t size = in.expectInteger("a tile size");
        if (size < 1) in.error(at, fmt::format("a tile size must be positive, found {}", size));
        l.tile.push_back({index, size});
      } while (ok() && in.accept(","));
      in.expect(")");
    } else {
      unknownOption();
    }
  }

  void unknownOption() {
    static const std::vector<std::string> options = {"collapse", "vector", "order", "unroll", "parallel", "then", "tile"};
    if (in.peek().kind != Token::Kind::Identifier || in.peek().firstOnLine)
      return in.errorExpected("a scheduling option");
    in.error(fmt::format("unknown scheduling option '{}'{}", in.peek().text, didYouMean(in.peek().text, options)));
  }

  TokenStream &in;
  bool open = false; // the last group is an untiled one that takes more leaves
};

} // namespace

std::string print(const Leaf &l) {
  if (l.fill) return "fill " + l.formula;
  std::vector<std::string> parts;
  for (const auto &group : l.collapse)
    parts.push_back("collapse " + list(group));
  if (!l.vector.empty()) parts.push_back("vector " + l.vector);
  parts.push_back("order " + list(l.order));
  if (!l.tile.empty()) {
    std::vector<std::string> tiles;
    for (auto &[name, size] : l.tile)
      tiles.push_back(fmt::format("{} {}", name, size));
    parts.push_back("tile " + list(tiles));
  }
  if (!l.unroll.empty()) parts.push_back("unroll " + list(l.unroll));
  if (!l.parallel.empty()) parts.push_back("parallel " + l.parallel);
  if (!l.with.empty()) parts.push_back("with " + list(l.with));
  if (!l.then.empty()) parts.push_back("then " + list(l.then));
  return fmt::format("{}{}: {}", l.formula, l.clause ? fmt::format("/{}", l.clause) : "",
                     fmt::join(parts, ", "));
}

std::string print(const Schedule &s) {
  std::string out = fmt::format("schedule {} target {}\nnumeric {{\n", s.entry, s.target);
  for (const Numeric &n : s.numeric)
    out += fmt::format("  {}: order {}{}\n", n.formula, list(n.order),
                       n.lanes.empty() ? "" : " lanes " + n.lanes);
  out += "}\nmemory {\n";
  for (auto &[name, place] : s.memory)
    out += fmt::format("  {}: {}\n", name, print(place));
  out += "}\nrun {\n";
  for (std::size_t i = 0; i <= s.run.size(); ++i) {
    if (static_cast<int>(i) == s.commit && i < s.run.size()) out += "  commit\n";
    if (i == s.run.size()) break;
    const std::int64_t tile = s.run[i].tile;
    if (tile > 0) out += fmt::format("  {} n by {} {{\n", s.run[i].turns ? "turns" : "tile", tile);
    for (const Leaf &l : s.run[i].leaves)
      out += fmt::format("{}{}\n", tile > 0 ? "    " : "  ", print(l));
    if (tile > 0) out += "  }\n";
  }
  return out + "}\n";
}

std::vector<Schedule> parse(const std::string &text, const std::string &fileName, Diagnostics &diag) {
  TokenStream in(tokenize(text, diag.addSource(fileName, text), diag), diag);
  return Parser(in).file();
}

} // namespace netc::schedule
