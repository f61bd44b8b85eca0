#include "reference.h"

#include "netc/random.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace netc {
namespace {

constexpr std::int64_t rowLength = 64;
using Row = double[rowLength];

double minimumOf(double a, double b) {
  return b < a || b != b ? b : a;
}
double maximumOf(double a, double b) {
  return a < b || b != b ? b : a;
}
std::int64_t integral(double v) {
  return static_cast<std::int64_t>(v);
}
double wrapped(std::int64_t v) { // to two's complement 32 bits
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(v));
}
double uniformOf(double low, double high, double element) {
  const auto bits = [](double v) { return static_cast<std::uint64_t>(static_cast<std::uint32_t>(integral(v))); };
  return static_cast<double>(unitReal(threefry(bits(high) << 32 | bits(low), bits(element))));
}

/// y = function(a, b, c), each along a row.
void apply(std::int64_t function, double *y, const double *a, const double *b, const double *c, std::int64_t n) {
#define ROW(name, value)                                                                                     \
  case NETC_FN_##name:                                                                                       \
    for (std::int64_t k = 0; k < n; ++k) y[k] = (value);                                                     \
    return;
  switch (function) {
    ROW(ADD, a[k] + b[k])
    ROW(SUB, a[k] - b[k])
    ROW(MUL, a[k] * b[k])
    ROW(DIV, a[k] / b[k])
    ROW(NEG, -a[k])
    ROW(SQRT, std::sqrt(a[k]))
    ROW(FMA, std::fma(a[k], b[k], c[k]))
    ROW(LT, a[k] < b[k])
    ROW(LE, a[k] <= b[k])
    ROW(EQ, a[k] == b[k])
    ROW(NE, a[k] != b[k])
    ROW(SELECT, a[k] != 0 ? b[k] : c[k])
    ROW(AND, a[k] != 0 && b[k] != 0)
    ROW(OR, a[k] != 0 || b[k] != 0)
    ROW(NOT, a[k] == 0)
    ROW(IADD, wrapped(integral(a[k]) + integral(b[k])))
    ROW(ISUB, wrapped(integral(a[k]) - integral(b[k])))
    ROW(IMUL, wrapped(integral(a[k]) * integral(b[k])))
    ROW(IAND, static_cast<double>(integral(a[k]) & integral(b[k])))
    ROW(IOR, static_cast<double>(integral(a[k]) | integral(b[k])))
    ROW(IXOR, static_cast<double>(integral(a[k]) ^ integral(b[k])))
    ROW(SHL, wrapped(integral(a[k]) * (std::int64_t{1} << integral(b[k]))))
    ROW(SHR, static_cast<double>(integral(a[k]) >> integral(b[k])))
    ROW(TO_REAL, a[k])
    ROW(TO_INT, std::trunc(a[k]))
    ROW(ABS, std::fabs(a[k]))
    ROW(MINIMUM, minimumOf(a[k], b[k]))
    ROW(MAXIMUM, maximumOf(a[k], b[k]))
    ROW(FLOOR, std::floor(a[k]))
    ROW(RELU, a[k] < 0 ? 0 : a[k])
    ROW(EXP, std::exp(a[k]))
    ROW(EXPM1, std::expm1(a[k]))
    ROW(LOG, std::log(a[k]))
    ROW(LOG1P, std::log1p(a[k]))
    ROW(LOG1MEXP, a[k] > -0.69314718055994530942 ? std::log(-std::expm1(a[k])) : std::log1p(-std::exp(a[k])))
    ROW(POW, std::pow(a[k] == 0 ? 0 : a[k], b[k]))
    ROW(TANH, std::tanh(a[k]))
    ROW(SIGMOID, 1 / (1 + std::exp(-a[k])))
    ROW(SOFTPLUS, maximumOf(a[k], 0) + std::log1p(std::exp(-std::fabs(a[k]))))
    ROW(SILU, a[k] / (1 + std::exp(-a[k])))
    ROW(SIN, std::sin(a[k]))
    ROW(COS, std::cos(a[k]))
    ROW(ERF, std::erf(a[k]))
    ROW(ERFC, std::erfc(a[k]))
    ROW(GELU, 0.5 * a[k] * std::erfc(-a[k] * 0.70710678118654752440))
    ROW(UNIFORM, uniformOf(a[k], b[k], c[k]))
    ROW(GIVEN, a[k])
  }
#undef ROW
  std::fill(y, y + n, std::numeric_limits<double>::quiet_NaN()); // a function of bits, which no formula has
}

/// What an element is before any point hits it.
double identity(std::int64_t op) {
  return op == NETC_PROD ? 1 : 0;
}

bool wins(std::int64_t op, double value, double best) {
  const bool smaller = op == NETC_MIN || op == NETC_ARGMIN;
  return value != value ? best == best : smaller ? value < best : value > best;
}

} // namespace

/// One evaluation of a clause: rows along its last index.
class Reference::ClauseRun {
 public:
  /// `hit`, `best`: one an element of the target.
  ClauseRun(Reference &all, const Formula &formula, const Clause &clause, std::vector<char> &hit, std::vector<double> &best)
      : all(all), formula(formula), clause(clause), hit(hit), best(best), index(clause.extents.size(), 0),
        rows(clause.nodes.size() * rowLength) {
    for (std::size_t i = 0; i < clause.nodes.size(); ++i) // the same in every row
      if (const Node &node = clause.nodes[i]; node.kind == NETC_NODE_CONST || node.kind == NETC_NODE_SCALAR)
        std::fill(row(i), row(i) + rowLength, node.kind == NETC_NODE_CONST ? node.value : all.scalars[static_cast<std::size_t>(node.id)]);
  }

  void run() {
    for (const std::int64_t extent : clause.extents)
      if (extent <= 0) return;
    do {
      std::int64_t begin = 0, end = clause.extents.back();
      limit(begin, end);
      for (std::int64_t i = begin; i < end; i += rowLength) runRow(i, std::min(rowLength, end - i));
    } while (advance());
  }

 private:
  bool advance() {
    for (std::size_t p = index.size() - 1; p-- > 0;) {
      if (++index[p] < clause.extents[p]) return true;
      index[p] = 0;
    }
    return false;
  }

  /// The value where the last index is 0.
  std::int64_t start(const Affine &a) const {
    std::int64_t value = a.constant;
    for (std::size_t p = 0; p + 1 < index.size(); ++p) value += a.factors[p] * index[p];
    return value;
  }

  /// To the points of the row at which all guards hold.
  void limit(std::int64_t &begin, std::int64_t &end) const {
    for (const Affine &guard : clause.guards) {
      const std::int64_t now = start(guard), step = guard.factors.back();
      if (step == 0 && now < 0) end = 0;
      if (step > 0 && now < 0) begin = std::max(begin, (-now + step - 1) / step);
      if (step < 0) end = now < 0 ? 0 : std::min(end, now / -step + 1);
    }
  }

  void runRow(std::int64_t from, std::int64_t n) {
    for (std::size_t i = 0; i < clause.nodes.size(); ++i) fill(i, from, n);
    const double *value = row(clause.nodes.size() - 1);
    const std::int64_t step = clause.place.factors.back(), number = clause.ordinal.factors.back();
    std::int64_t place = start(clause.place) + step * from, ordinal = start(clause.ordinal) + number * from;
    if (formula.op >= NETC_MAX) {
      for (std::int64_t k = 0; k < n; ++k, place += step, ordinal += number)
        choose(static_cast<std::size_t>(place), value[k], static_cast<double>(ordinal));
      return;
    }
    combineRow(&all.tensors[formula.target].values[static_cast<std::size_t>(place)], step, value, n);
    if (formula.hasOtherwise)
      for (std::int64_t k = 0; k < n; ++k) hit[static_cast<std::size_t>(place + step * k)] = 1;
  }

  template <class Operation> static auto rounded(Operation operation) {
    return [operation](double a, double b) { return static_cast<double>(static_cast<float>(operation(a, b))); };
  }

  void combineRow(double *target, std::int64_t step, const double *value, std::int64_t n) const {
    const auto product = [](double a, double b) { return a * b; };
    const auto sum = [](double a, double b) { return a + b; };
    if (formula.op == NETC_ASSIGN) fold(target, step, value, n, [](double, double v) { return v; });
    else if (formula.op == NETC_PROD) all.single ? fold(target, step, value, n, rounded(product)) : fold(target, step, value, n, product);
    else all.single ? fold(target, step, value, n, rounded(sum)) : fold(target, step, value, n, sum);
  }

  template <class Operation>
  static void fold(double *target, std::int64_t step, const double *value, std::int64_t n, Operation operation) {
    if (step != 0) {
      for (std::int64_t k = 0; k < n; ++k) target[step * k] = operation(target[step * k], value[k]);
      return;
    }
    double result = *target;
    for (std::int64_t k = 0; k < n; ++k) result = operation(result, value[k]);
    *target = result;
  }

  void fill(std::size_t i, std::int64_t from, std::int64_t n) {
    const Node &node = clause.nodes[i];
    double *y = row(i);
    switch (node.kind) {
    case NETC_NODE_CONST:
    case NETC_NODE_SCALAR:
      return;
    case NETC_NODE_INDEX:
    case NETC_NODE_READ: {
      const std::int64_t step = node.affine.factors.back(), begin = start(node.affine) + step * from;
      if (node.kind == NETC_NODE_READ)
        read(y, &all.tensors[static_cast<std::size_t>(node.id)].values[static_cast<std::size_t>(begin)], step, n);
      else
        for (std::int64_t k = 0; k < n; ++k) y[k] = static_cast<double>(begin + step * k);
      return;
    }
    default:
      const auto argument = [&](std::size_t a) { return a < node.arguments.size() ? row(node.arguments[a]) : nullptr; };
      apply(node.id, y, argument(0), argument(1), argument(2), n);
    }
    if (all.single && node.type == NETC_F32)
      for (std::int64_t k = 0; k < n; ++k) y[k] = static_cast<float>(y[k]);
  }

  static void read(double *y, const double *values, std::int64_t step, std::int64_t n) {
    if (step == 1) std::copy(values, values + n, y);
    else if (step == 0) std::fill(y, y + n, *values);
    else
      for (std::int64_t k = 0; k < n; ++k) y[k] = values[step * k];
  }

  /// One point of a maximum, a minimum or their places.
  void choose(std::size_t place, double value, double ordinal) {
    double &target = all.tensors[formula.target].values[place];
    const bool first = !hit[place];
    hit[place] = 1;
    switch (formula.op) {
    case NETC_MAX:
    case NETC_MIN:
      if (first || wins(formula.op, value, target)) target = value;
      return;
    default:
      if (!first && !wins(formula.op, value, best[place]) && !(value == best[place] && ordinal < target)) return;
      best[place] = value;
      target = ordinal;
    }
  }

  double *row(std::size_t node) { return rows.data() + static_cast<std::ptrdiff_t>(node) * rowLength; }

  Reference &all;
  const Formula &formula;
  const Clause &clause;
  std::vector<char> &hit;
  std::vector<double> &best;
  std::vector<std::int64_t> index;
  std::vector<double> rows;
};

void Reference::evaluate(const Formula &formula) {
  std::vector<double> &values = tensors[formula.target].values;
  std::fill(values.begin(), values.end(), identity(formula.op));
  std::vector<char> hit(values.size(), 0);
  std::vector<double> best(formula.op >= NETC_ARGMAX ? values.size() : 0);
  for (const Clause &clause : formula.clauses) ClauseRun(*this, formula, clause, hit, best).run();
  if (!formula.hasOtherwise) return;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!hit[i]) values[i] = formula.otherwise;
}

void Reference::evaluate() {
  for (const Formula &formula : formulas) evaluate(formula);
}

void Reference::evaluateLosses() {
  for (const Formula &formula : formulas)
    if (formula.forLoss && !formula.held) evaluate(formula);
}

double Reference::work() const {
  double operations = 0;
  for (const Formula &formula : formulas)
    for (const Clause &clause : formula.clauses) {
      double points = static_cast<double>(clause.nodes.size() + 2);
      for (const std::int64_t extent : clause.extents) points *= static_cast<double>(extent);
      operations += points;
    }
  return operations;
}

// --- reading

Reference::Reference(const NetcReferenceEntry &entry, std::int64_t count, const ScalarInputs &inputs, bool single)
    : at(entry.words), count(count), single(single) {
  for (std::int64_t i = 0; i < entry.scalarCount; ++i) {
    const NetcScalar &scalar = entry.scalars[i];
    const std::int64_t last = scalar.ops[scalar.opCount - 1].code;
    const std::uint32_t bits = scalarBits(scalar, inputs);
    float rounded;
    std::memcpy(&rounded, &bits, sizeof rounded);
    const bool isKey = last == NETC_KEY_LOW || last == NETC_KEY_HIGH;
    scalars.push_back(isKey ? static_cast<double>(static_cast<std::int32_t>(bits)) : static_cast<double>(rounded));
  }
  for (std::size_t n = number(); n > 0; --n) tensors.push_back(tensor());
  for (std::size_t n = number(); n > 0; --n) formulas.push_back(formula());
  results = numbers();
  losses = numbers();
  next = pairs();
  gradients = pairs();
}

double Reference::real() {
  const std::int64_t bits = word();
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

Reference::Affine Reference::affine(std::size_t rank) {
  Affine a{word(), std::vector<std::int64_t>(rank, 0)};
  for (std::size_t n = number(); n > 0; --n) {
    const std::size_t index = number();
    a.factors[index] = word();
  }
  return a;
}

Reference::Tensor Reference::tensor() {
  Tensor t{word(), word(), {}};
  const bool batch = word() != 0;
  std::size_t elements = 1;
  for (std::size_t d = 0, rank = number(); d < rank; ++d) {
    const std::size_t extent = number();
    elements *= d == 0 && batch ? static_cast<std::size_t>(count) : extent;
  }
  t.values.resize(elements);
  for (std::size_t i = 0, n = number(); i < n; ++i) t.values[i] = real();
  return t;
}

Reference::Formula Reference::formula() {
  Formula f{number(), word(), word() != 0, word() != 0, word() != 0, 0, {}};
  if (f.hasOtherwise) f.otherwise = real();
  for (std::size_t n = number(); n > 0; --n) f.clauses.push_back(clause());
  return f;
}

Reference::Clause Reference::clause() {
  Clause c;
  const std::size_t rank = number();
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t extent = word();
    c.extents.push_back(word() ? count : extent);
  }
  for (std::size_t n = number(); n > 0; --n) c.guards.push_back(affine(rank));
  c.place = affine(rank);
  c.ordinal = affine(rank);
  for (std::size_t n = number(); n > 0; --n) c.nodes.push_back(node(rank));
  return c;
}

Reference::Node Reference::node(std::size_t rank) {
  Node n{word(), word()};
  switch (n.kind) {
  case NETC_NODE_CONST:
    n.value = real();
    if (single && n.type == NETC_F32) n.value = static_cast<float>(n.value);
    break;
  case NETC_NODE_INDEX:
    n.affine = affine(rank);
    break;
  case NETC_NODE_SCALAR:
    n.id = word();
    break;
  case NETC_NODE_READ:
    n.id = word();
    n.affine = affine(rank);
    break;
  default:
    n.id = word();
    for (std::size_t left = number(); left > 0; --left) n.arguments.push_back(number());
  }
  return n;
}

std::vector<std::size_t> Reference::numbers() {
  std::vector<std::size_t> list;
  for (std::size_t n = number(); n > 0; --n) list.push_back(number());
  return list;
}

std::vector<Reference::Pair> Reference::pairs() {
  std::vector<Pair> list;
  for (std::size_t n = number(); n > 0; --n) {
    const std::size_t first = number();
    list.push_back({first, number()});
  }
  return list;
}

} // namespace netc
