#include "test/fuzz/random_formula.h"

namespace netc::fuzz {

using graph::Body;

namespace {

/// uniform() of the entry's key, numbered by all indices in a random order.
int randomNumber(Body &b, int rank, Random &r) {
  Affine number(r.below(4));
  std::vector<int> order(rank);
  for (int p = 0; p < rank; ++p)
    order[p] = p;
  r.shuffle(order);
  for (int p : order)
    number = number * r.between(2, 9) + Affine::var(p);
  return b.call(Fn::Uniform, b.scalar(keyLow, DType::I32), b.scalar(keyHigh, DType::I32), b.index(number));
}

int leaf(Body &b, const std::vector<int> &reads, int rank, Random &r) {
  const int kind = r.below(100);
  if (kind < 70)
    return r.pick(reads);
  if (kind < 75)
    return randomNumber(b, rank, r);
  if (kind < 85 && rank > 0)
    return b.index(Affine::var(r.below(rank), r.between(1, 2)) - Affine(r.below(4)));
  if (kind < 90)
    return b.scalar(rate);
  return b.constant(r.pick(std::vector<double>{0.5, -1.25, 3, 0.1}));
}

/// Functions of one argument, with the argument kept where they are tame.
int unary(Body &b, int x, Random &r) {
  switch (r.below(15)) {
  case 0: return b.call(Fn::Relu, x);
  case 1: return b.call(Fn::Tanh, x);
  case 2: return b.call(Fn::Sigmoid, x);
  case 3: return b.call(Fn::Softplus, x);
  case 4: return b.call(Fn::Exp, b.call(Fn::Tanh, x));
  case 5: return b.call(Fn::Log, b.call(Fn::Add, b.constant(1.5), b.call(Fn::Mul, x, x)));
  case 6: return b.call(Fn::Sqrt, b.call(Fn::Add, b.constant(0.25), b.call(Fn::Abs, x)));
  case 7: return b.call(Fn::Sin, b.call(Fn::Tanh, x));
  case 8: return b.call(Fn::Cos, b.call(Fn::Sigmoid, x));
  case 9: return b.call(Fn::Erf, x);
  case 10: return b.call(Fn::Abs, x);
  case 11: return b.call(Fn::Neg, x);
  case 12: return b.call(Fn::Floor, b.call(Fn::Mul, b.constant(2.5), b.call(Fn::Tanh, x)));
  case 13: return b.call(Fn::Pow, b.call(Fn::Add, b.constant(0.5), b.call(Fn::Sigmoid, x)), b.constant(2.5));
  default: return b.call(Fn::Log, b.call(Fn::Add, b.constant(1), b.call(Fn::Exp, b.call(Fn::Tanh, x))));
  }
}

int binary(Body &b, int x, int y, Random &r) {
  switch (r.below(10)) {
  case 0:
  case 1: return b.call(Fn::Add, x, y);
  case 2: return b.call(Fn::Sub, x, y);
  case 3:
  case 4: return b.call(Fn::Mul, x, y);
  case 5: return b.call(Fn::Div, x, b.call(Fn::Add, b.constant(1.5), b.call(Fn::Mul, y, y)));
  case 6: return b.call(Fn::Maximum, x, y);
  case 7: return b.call(Fn::Minimum, x, y);
  case 8: return b.call(Fn::Fma, x, y, b.constant(-0.5));
  default: {
    const Fn compare = r.pick(std::vector<Fn>{Fn::Lt, Fn::Le, Fn::Eq, Fn::Ne});
    int c = b.call(compare, x, r.chance(50) ? y : b.constant(0.25));
    if (r.chance(25))
      c = b.call(r.chance(50) ? Fn::And : Fn::Or, c, b.call(Fn::Not, b.call(Fn::Lt, y, b.constant(0))));
    return b.call(Fn::Select, c, x, r.chance(50) ? y : b.constant(-0.75));
  }
  }
}

} // namespace

int randomExpression(Body &b, const std::vector<int> &reads, int depth, int rank, Random &r) {
  if (depth == 0 || r.chance(10))
    return leaf(b, reads, rank, r);
  if (r.chance(45))
    return unary(b, randomExpression(b, reads, depth - 1, rank, r), r);
  const int x = randomExpression(b, reads, depth - 1, rank, r);
  return binary(b, x, randomExpression(b, reads, depth - 1, rank, r), r);
}

} // namespace netc::fuzz
