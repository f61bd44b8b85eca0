// Initialisers.
#include "dsl/elaborator.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace netc::dsl {

namespace {

struct Fans {
  double in = 0, out = 0;
};

/// As PyTorch counts them: the second extent and all after it feed one output.
Fans fans(const Extents &shape) {
  if (shape.size() < 2) return {};
  double taps = 1;
  for (std::size_t d = 2; d < shape.size(); ++d)
    taps *= static_cast<double>(shape[d].size);
  return {static_cast<double>(shape[1].size) * taps, static_cast<double>(shape[0].size) * taps};
}

} // namespace

std::optional<graph::Initializer> Elaborator::initializer(const Expr &e, const Extents &shape) {
  using K = graph::Initializer::Kind;
  if (e.kind != Expr::Kind::Call && e.kind != Expr::Kind::Name) {
    report(e.location, "expected an initialiser such as zeros, uniform(0.1) or normal(0.01)");
    return std::nullopt;
  }
  if (const auto it = library.find(e.text); it != library.end() && it->second->kind == Callable::Kind::Init)
    return userInitializer(e, *it->second, shape);
  std::vector<double> x;
  for (const Argument &a : e.args) {
    const std::optional<double> v = number(*a.value, "an argument of an initialiser");
    if (!v) return std::nullopt;
    if (!a.name.empty())
      return report(a.location, fmt::format("{} takes its arguments by position", e.text)), std::nullopt;
    if (!std::isfinite(*v))
      return report(a.location, fmt::format("an initialiser needs finite numbers, found {}", *v)),
             std::nullopt;
    x.push_back(*v);
  }
  if (e.text == "uniform" && !x.empty() && x.back() < (x.size() == 1 ? 0 : x[0]))
    return report(e.location, fmt::format("the upper bound of uniform is below the lower one, found {}", fmt::join(x, ", "))), std::nullopt;
  if (e.text == "normal" && !x.empty() && x.back() < 0)
    return report(e.location, fmt::format("the standard deviation of normal must not be negative, found {}", x.back())), std::nullopt;
  if (e.text == "zeros" && x.empty()) return graph::Initializer{K::Constant, 0, 0};
  if (e.text == "ones" && x.empty()) return graph::Initializer{K::Constant, 1, 0};
  if (e.text == "constant" && x.size() == 1) return graph::Initializer{K::Constant, x[0], 0};
  if (e.text == "uniform" && x.size() == 1) return graph::Initializer{K::Uniform, -x[0], x[0]};
  if (e.text == "uniform" && x.size() == 2) return graph::Initializer{K::Uniform, x[0], x[1]};
  if (e.text == "normal" && x.size() == 1) return graph::Initializer{K::Normal, 0, x[0]};
  if (e.text == "normal" && x.size() == 2) return graph::Initializer{K::Normal, x[0], x[1]};
  constexpr std::pair<const char *, const char *> forms[] = {{"zeros", "zeros"}, {"ones", "ones"}, {"constant", "constant(x)"},
      {"uniform", "uniform(bound) or uniform(from, to)"}, {"normal", "normal(deviation) or normal(mean, deviation)"}};
  for (const auto &[known, form] : forms)
    if (e.text == known)
      return report(e.location, fmt::format("wrong number of arguments for {}: expected {}, found {}", e.text, form, x.size())),
             std::nullopt;
  std::vector<std::string> names = {"zeros", "ones", "constant", "uniform", "normal"};
  for (const auto &[n, c] : library)
    if (c->kind == Callable::Kind::Init) names.push_back(n);
  const std::string near = nearest(e.text, names);
  report(e.location, fmt::format("unknown initialiser '{}'{}", e.text,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  return std::nullopt;
}

std::optional<graph::Initializer> Elaborator::userInitializer(const Expr &e, const Callable &c,
                                                              const Extents &shape) {
  Frame callee = entered(e, &c);
  if (!bindArguments(e, c, callee, /*whole=*/true)) return std::nullopt;
  if (const Fans f = fans(shape); f.in > 0) {
    callee.arguments["fan_in"] = Value::ofNumber(f.in);
    callee.arguments["fan_out"] = Value::ofNumber(f.out);
  } else {
    report(e.location,
           fmt::format("{} needs a tensor of at least two dimensions, found {}", c.name, str(shape)));
    return std::nullopt;
  }
  frame = &callee;
  const std::optional<graph::Initializer> init = initializer(*c.value, shape);
  frame = callee.caller;
  return init;
}

} // namespace netc::dsl
