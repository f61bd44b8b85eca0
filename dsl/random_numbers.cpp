// uniform(): which numbers a call draws. Its path in the model chooses the stream, as a parameter's path chooses
// its initial values; where it stands says which element of the stream a point of the formula gets.
#include "dsl/elaborator.h"

#include <fmt/format.h>

namespace netc::dsl {

namespace {

constexpr double mostElements = 2147483648.0; // an element's number is an i32

} // namespace

/// "dropout1.uniform2": calls are numbered within the layer (or model) that they stand in, unless `as` names them. A fn has
/// no path of its own.
std::optional<std::string> Elaborator::drawPath(const Expr &call) {
  Frame *owner = frame;
  while (owner->callable && owner->callable->kind == Callable::Kind::Function)
    owner = owner->caller;
  const std::optional<std::string> name =
      call.label.empty() ? fmt::format("uniform{}", ++owner->counters["uniform"]) : layerName(call);
  return !name || owner->path.empty() ? name : owner->path + "." + *name;
}

Value Elaborator::uniform(const Expr &e) {
  if (!e.args.empty()) {
    report(e.location, fmt::format("uniform() takes no arguments here, found {}: it is a number in [0, 1)", e.args.size()));
    note(e.location, "for another range compute with it, as in a + (b - a) * uniform()");
    return Value::error();
  }
  const std::optional<std::string> path = drawPath(e);
  if (!path) return Value::error();
  Lazy l = out.scalar(*path + ".low", keyProgram(ScalarOp::KeyLow, *path));
  const Lazy high = out.scalar(*path + ".high", keyProgram(ScalarOp::KeyHigh, *path));
  const int low = l.body.root, node = copyNode(l.body, high.body, high.body.root);
  l.body.root = l.body.call(Fn::Uniform, low, node, l.body.index(Affine::var(elementNumber)));
  return numbered(Value::ofLazy(std::move(l)), e.location);
}

/// Where indices are in sight, the elements of uniform() are numbered by them: those on the left, then those of the
/// reductions around. Elsewhere the shape of the tensor that they meet will do that.
Value Elaborator::numbered(Value v, const Location &at) {
  if (!v.isTensor() || !needsNumbers(v.lazy) || !context || context->visible.empty()) return v;
  std::vector<int> variables;
  double elements = 1;
  for (const auto &[name, variable] : context->visible) {
    variables.push_back(variable);
    elements *= static_cast<double>(out.index(variable).extent.size);
  }
  if (elements > mostElements)
    return fail(at, fmt::format("uniform() would draw {} numbers here, the most is {}", elements, mostElements));
  numberElements(v.lazy, out.ordinal(variables, v.lazy));
  return v;
}

} // namespace netc::dsl
