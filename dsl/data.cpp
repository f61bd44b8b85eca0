// The data block: how `netc train` prepares the pictures of an input.
#include "dsl/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::dsl {

struct Elaborator::Step {
  Transform transform;
  Location location;
};

namespace {

/// u8[N, 1 or 3, height, width] or u8[N, height, width].
bool holdsPictures(const graph::Tensor &t) {
  const std::size_t rank = t.shape.size();
  return t.kind == graph::TensorKind::Input && t.dtype == DType::U8 &&
         (rank == 3 || (rank == 4 && (t.shape[1].size == 1 || t.shape[1].size == 3)));
}

PictureSize sizeOf(const graph::Tensor &t) {
  return {static_cast<long>(t.shape[t.shape.size() - 2].size), static_cast<long>(t.shape.back().size)};
}

} // namespace

void Elaborator::declareData(const Statement &s) {
  const int input = pictureInput(s);
  const int errors = diag.errorCount();
  std::vector<Step> steps;
  collectSteps(s.then, steps);
  if (input < 0 || diag.errorCount() > errors) return;
  std::vector<Transform> transforms;
  PictureSize size; // of files pictures have any
  for (const Step &step : steps) {
    std::string problem;
    size = sizeAfter(step.transform, size, problem);
    if (!problem.empty()) return report(step.location, problem);
    transforms.push_back(step.transform);
  }
  graph::Tensor &t = out.graph.tensors[static_cast<std::size_t>(input)];
  const PictureSize taken = sizeOf(t);
  if (size != PictureSize{} && size != taken)
    return report(steps.back().location, fmt::format("these steps give {} x {} pixels, but '{}' takes {} x {}", size.height, size.width,
                                                     t.name, taken.height, taken.width));
  t.data = str(transforms);
}

/// The input of the name, or the only one for pictures; -1 after an error.
int Elaborator::pictureInput(const Statement &s) {
  std::vector<int> fitting;
  const std::vector<graph::Tensor> &all = out.graph.tensors;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].kind == graph::TensorKind::Input && (s.name.empty() ? holdsPictures(all[i]) : all[i].name == s.name))
      fitting.push_back(static_cast<int>(i));
  const Location &at = s.name.empty() ? s.location : s.nameLocation;
  if (fitting.size() == 1 && holdsPictures(all[static_cast<std::size_t>(fitting[0])])) {
    if (!all[static_cast<std::size_t>(fitting[0])].data.empty()) report(at, "the input has a data block already");
    return fitting[0];
  }
  if (!s.name.empty() && fitting.empty()) {
    if (const Value *v = findName(s.name); !v || !v->isError()) report(at, fmt::format("there is no input '{}' before this", s.name));
  } else {
    report(at, fitting.size() > 1 ? "several inputs hold pictures: write data NAME { ... }"
                                  : "a data block prepares pictures: an input such as u8[N, 3, 32, 32] or u8[N, 28, 28]");
  }
  return -1;
}

void Elaborator::collectSteps(const Block &block, std::vector<Step> &steps) {
  for (const Statement &s : block) {
    if (s.kind == Statement::Kind::If) {
      const Value c = evaluateRoot(*s.value, {});
      if (c.isBoolean()) collectSteps(c.number != 0 ? s.then : s.otherwise, steps);
      else if (!c.isError())
        report(startOf(*s.value), fmt::format("the condition of 'if' must be known at compile time, found {}", describe(c)));
      continue;
    }
    const bool step = s.kind == Statement::Kind::Value && (s.value->kind == Expr::Kind::Call || s.value->kind == Expr::Kind::Name);
    if (!step) {
      report(s.location, "a data block holds steps such as random_crop(32, padding = 4)");
      continue;
    }
    if (std::optional<Transform> t = transform(*s.value)) steps.push_back({std::move(*t), s.location});
  }
}

std::optional<Transform> Elaborator::transform(const Expr &e) {
  const TransformRow *const r = findTransform(e.text);
  if (!r) return report(e.location, fmt::format("unknown step '{}'{}", e.text, transformHint(e.text))), std::nullopt;
  if (!e.label.empty()) return report(e.labelLocation, "'as' names a layer, but this is none"), std::nullopt;
  std::vector<GivenArgument> given;
  for (const Argument &a : e.args) {
    const std::optional<std::vector<double>> values = numbers(*a.value);
    if (!values) return std::nullopt;
    given.push_back({a.name, *values});
  }
  TransformMistake mistake;
  std::optional<Transform> t = makeTransform(*r, given, mistake);
  if (!t) report(mistake.argument < 0 ? e.location : e.args[static_cast<std::size_t>(mistake.argument)].location, mistake.message);
  return t;
}

/// A number, or a list of them.
std::optional<std::vector<double>> Elaborator::numbers(const Expr &e) {
  const Value v = evaluateRoot(e, {});
  if (v.isError()) return std::nullopt;
  if (v.isNumber()) return std::vector<double>{v.number};
  if (v.kind == Value::Kind::List && v.lazy.shape.size() == 1 && !v.values.empty()) return v.values;
  report(startOf(e), fmt::format("expected a number or a list of numbers known at compile time, found {}", describe(v)));
  return std::nullopt;
}

} // namespace netc::dsl
