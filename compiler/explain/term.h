// Formulas as trees, the way people write them: reductions nest, products and sums have any number of parts.
#pragma once

#include "compiler/graph/graph.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace netc::explain {

struct Term;
using TermPtr = std::shared_ptr<const Term>;

struct Term {
  enum class Kind {
    Number,  // value
    Index,   // affine, over index numbers
    Name,    // name: N, step, epoch, steps
    Read,    // tensor[map]
    Call,    // fn(args); Uniform: name, the path of the call whose numbers these are
    Sum,     // args added up
    Product, // value * product of args[i] ^ powers[i]
    Bracket, // [args[0]]: 1 where the condition holds, else 0
    Reduce,  // op over `reduced` where each guard >= 0, of args[0]
  };
  Kind kind = Kind::Number;
  double value = 0;
  Affine affine;
  std::string name;
  int tensor = -1;
  std::vector<Affine> map, guards;
  Fn fn = Fn::Add;
  std::vector<TermPtr> args;
  std::vector<int> powers;
  graph::Combine op = graph::Combine::Sum;
  bool mean = false; // Reduce: a sum divided by N
  std::vector<int> reduced;
};

/// All indices of a derivation, by number; each is bound in one place.
using Indices = std::vector<graph::Index>;

TermPtr number(double);
TermPtr named(std::string);
TermPtr readOf(int tensor, std::vector<Affine> map);
TermPtr call(Fn, std::vector<TermPtr>);
TermPtr negated(const TermPtr &);
/// With other arguments.
TermPtr withArgs(const Term &, std::vector<TermPtr>);

/// Free indices replaced; bound ones get new numbers, so that the result may stand beside the original.
TermPtr substitute(const TermPtr &, const std::map<int, Affine> &, Indices &);

/// Equal terms have equal keys, whatever their bound indices are called.
std::string key(const Term &);

bool usesIndex(const Term &, int index);
/// Calls f for the term and all below it.
void visit(const Term &, const std::function<void(const Term &)> &f);
/// Each Read replaced by what f gives (null: stays).
TermPtr replaceReads(const TermPtr &, const std::function<TermPtr(const Term &read)> &f);

/// Node n of a clause whose domain positions are the given indices.
TermPtr fromNode(const graph::Graph &, const graph::Clause &, int n, const std::vector<int> &indices);

} // namespace netc::explain
