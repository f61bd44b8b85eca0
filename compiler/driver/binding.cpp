#include "compiler/driver/binding.h"

#include "compiler/driver/arrays.h"
#include "compiler/driver/class_weights.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/options.h"
#include "compiler/driver/shapes.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"
#include "compiler/support/transform.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

namespace netc::driver {
namespace {

std::vector<std::int64_t> sampleShape(const data::Array &a) {
  return a.shape.empty() ? a.shape : std::vector<std::int64_t>(a.shape.begin() + 1, a.shape.end());
}

/// One sample of an array: "image u8[28, 28]", "label u8", "species text".
std::string shown(const data::Array &a) {
  std::vector<std::int64_t> shape = sampleShape(a);
  return fmt::format("{} {}{}", a.name, a.isText ? "text" : data::text(a.type), shape.empty() ? "" : describe(shape));
}

using ArrayPointers = std::vector<const data::Array *>;

std::string describeAll(const ArrayPointers &arrays) {
  std::string list;
  constexpr std::size_t most = 8;
  for (std::size_t i = 0; i < std::min(most, arrays.size()); ++i) list += (i ? ", " : "") + shown(*arrays[i]);
  if (arrays.size() > most) list += fmt::format(", ... ({} in all)", arrays.size());
  return list;
}

/// The first few.
std::string someOf(const std::vector<std::string> &texts) {
  constexpr std::size_t most = 8;
  std::vector<std::string> some(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(std::min(most, texts.size())));
  if (texts.size() > most) some.push_back("...");
  return fmt::format("{}", fmt::join(some, ", "));
}

/// Height and width of a sample's pictures, if it is some of so many planes.
std::optional<PictureSize> pictureSize(const data::Array &a, std::size_t channels) {
  std::vector<std::int64_t> shape = sampleShape(a);
  while (shape.size() > 2 && shape[0] == 1) shape.erase(shape.begin());
  if (shape.size() == 2) shape.insert(shape.begin(), 1);
  if (a.type != data::Type::u8 || shape.size() != 3 || shape[0] != static_cast<std::int64_t>(channels)) return {};
  return PictureSize{static_cast<long>(shape[1]), static_cast<long>(shape[2])};
}

/// Whether the steps of a data block make the input's size out of the array's; else what is wrong.
std::string preparationProblem(const loop::Tensor &t, const data::Array &a) {
  const std::optional<ImageShape> shape = imageShapeOf(t);
  const std::optional<PictureSize> before = shape ? pictureSize(a, shape->channels) : std::nullopt;
  if (!before) return fmt::format("{} holds no pictures for {}: {}, which a data block prepares", shown(a), t.name, describe(t));
  PictureSize size = *before;
  std::string problem;
  for (const Transform &step : transformsOf(t)) {
    size = sizeAfter(step, size, problem);
    if (!problem.empty()) return fmt::format("{}: {}", shown(a), problem);
  }
  if (size == PictureSize{static_cast<long>(shape->height), static_cast<long>(shape->width)}) return {};
  return fmt::format("the data block of {} makes {} x {} pixels of {}, expected {} x {}", t.name, size.height, size.width, shown(a),
                     shape->height, shape->width);
}

bool fits(const loop::Tensor &t, const data::Array &a) {
  const bool conditions = t.type == DType::Bool && saysConditions(a);
  if (!t.batch || (a.isText && t.classes == 0 && !conditions)) return false;
  const bool inFiles = a.bytes.empty() && a.parts.empty(); // pictures that come at the model's size
  if (!t.data.empty() && !inFiles) return preparationProblem(t, a).empty();
  return agree(sampleShape(a), {t.shape.begin() + 1, t.shape.end()});
}

std::vector<std::string> namesOf(const data::Arrays &arrays) {
  std::vector<std::string> names;
  for (const data::Array &a : arrays) names.push_back(a.name);
  return names;
}

/// c1, c2, ...: the columns of a table without a header.
bool isNumbered(const std::string &name) {
  return name.size() > 1 && name[0] == 'c' && name.find_first_not_of("0123456789", 1) == std::string::npos;
}

std::size_t indexOf(const data::Arrays &arrays, const std::string &name) {
  const data::Array *a = data::find(arrays, name);
  if (a) return static_cast<std::size_t>(a - arrays.data());
  if (!isNumbered(name)) throw UserError("--bind: " + unknownName("array", name, namesOf(arrays)));
  const bool numbered = std::all_of(arrays.begin(), arrays.end(), [](const data::Array &x) { return isNumbered(x.name); });
  if (numbered && arrays.size() > 1)
    throw UserError(fmt::format("--bind: no column '{}'; the columns are {} to {}", name, arrays.front().name, arrays.back().name));
  throw UserError(fmt::format("--bind: no array '{}'; there are {}", name, someOf(namesOf(arrays))));
}

/// Throws if a text column is one of numbers but for some cells: the first of these is the mistake.
void rejectBadNumbers(const data::Array &a) {
  if (!a.isText || std::none_of(a.classNames.begin(), a.classNames.end(), data::isNumber)) return;
  for (std::size_t i = 0; i < a.elements(); ++i)
    if (const std::string &cell = a.classNames[static_cast<std::size_t>(a.value(i))]; !data::isNumber(cell))
      throw UserError(fmt::format("{} is '{}', expected a number", data::place(a, i), cell));
}

using ArrayPtr = std::shared_ptr<const data::Array>;

/// Columns side by side: f64[n, columns].
data::Array columns(const std::vector<ArrayPtr> &list, const std::string &name) {
  data::Array joined;
  joined.name = name;
  joined.type = data::Type::f64;
  joined.file = list[0]->file;
  joined.field = list[0]->field;
  joined.lines = list[0]->lines;
  std::size_t rows = list[0]->rows();
  joined.shape = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(list.size())};
  for (std::size_t row = 0; row < rows; ++row)
    for (const ArrayPtr &column : list) {
      double v = column->value(row);
      const auto *p = reinterpret_cast<const unsigned char *>(&v);
      joined.bytes.insert(joined.bytes.end(), p, p + sizeof v);
    }
  return joined;
}

/// First and last array of "c1..c4", or one array twice.
std::pair<std::size_t, std::size_t> rangeOf(const data::Arrays &arrays, const std::string &spec) {
  std::size_t dots = spec.find("..");
  if (dots == std::string::npos) return {indexOf(arrays, spec), indexOf(arrays, spec)};
  return {indexOf(arrays, spec.substr(0, dots)), indexOf(arrays, spec.substr(dots + 2))};
}

/// One of them, which keeps them all.
ArrayPtr shared(const std::shared_ptr<const data::Arrays> &arrays, std::size_t i) { return {arrays, &(*arrays)[i]}; }

bool areConditions(const loop::Tensor &t, const data::Array &a) { return t.type == DType::Bool && a.isText; }

/// What --bind x=SPEC means: an array's name, or FIRST..LAST.
ArrayPtr specified(const loop::Tensor &t, const std::shared_ptr<const data::Arrays> &all, const std::string &spec) {
  const data::Arrays &arrays = *all;
  auto [first, last] = rangeOf(arrays, spec);
  if (spec.find("..") == std::string::npos) return shared(all, first);
  if (first > last) throw UserError(fmt::format("--bind: {} runs backwards", spec));
  std::vector<ArrayPtr> list;
  for (std::size_t c = first; c <= last; ++c)
    list.push_back(areConditions(t, arrays[c]) ? std::make_shared<const data::Array>(conditionsOf(arrays[c])) : shared(all, c));
  for (const ArrayPtr &column : list) rejectBadNumbers(*column);
  for (const ArrayPtr &column : list)
    if (column->isText || !sampleShape(*column).empty())
      throw UserError(fmt::format("--bind: {} holds {}, expected single columns of numbers", spec, shown(*column)));
  return std::make_shared<const data::Array>(columns(list, spec));
}

std::map<std::string, std::string> parseBinds(const std::vector<const loop::Tensor *> &inputs,
                                              const std::vector<std::string> &binds) {
  std::vector<std::string> known;
  for (const loop::Tensor *t : inputs) known.push_back(t->name);
  std::map<std::string, std::string> result;
  for (const std::string &b : binds) {
    std::size_t equals = b.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == b.size())
      throw UserError(fmt::format("--bind {}: expected INPUT=ARRAY or INPUT=FIRST..LAST", b));
    std::string name = b.substr(0, equals);
    if (std::find(known.begin(), known.end(), name) == known.end()) throw UserError("--bind: " + unknownName("input", name, known));
    result[name] = b.substr(equals + 1);
  }
  return result;
}

/// Whether an array looks like labels: text, or whole numbers below the number of classes.
bool looksLikeLabels(const loop::Tensor &t, const data::Array &a) {
  for (std::size_t i = 0; i < a.elements(); ++i)
    if (double v = a.value(i); v < 0 || v >= t.classes || v != std::floor(v)) return false;
  return true;
}

/// What to say after --bind: where the input wants several numbers and there are single columns, which of them side by side.
std::string bindingFor(const loop::Tensor &t, const ArrayPointers &arrays) {
  const std::string one = t.name + "=NAME chooses one";
  if (!t.batch || t.shape.size() != 2 || t.shape[1] < 2) return one;
  const auto wanted = static_cast<std::ptrdiff_t>(t.shape[1]);
  const auto isNumber = [](const data::Array *a) { return !a->isText && sampleShape(*a).empty(); };
  const auto begin = std::find_if(arrays.begin(), arrays.end(), isNumber), end = std::find_if_not(begin, arrays.end(), isNumber);
  if (begin == end) return one;
  if (end - begin < wanted) return t.name + "=FIRST..LAST takes columns side by side";
  return fmt::format("{}={}..{} takes columns side by side", t.name, (*begin)->name, (*(begin + wanted - 1))->name);
}

[[noreturn]] void noArray(const loop::Tensor &t, const ArrayPointers &arrays, std::size_t candidates) {
  throw UserError(fmt::format("{} array of the data fits {}: {}; found {}; --bind {}{}",
                              candidates ? "more than one" : "no", t.name, describe(t),
                              arrays.empty() ? "none that feeds nothing else" : describeAll(arrays), bindingFor(t, arrays),
                              t.name == classWeightInput ? ", --class-weights makes one of the labels" : ""));
}

/// The array for an input that --bind does not mention: its namesake, else the sole one that fits and that is nobody's.
const data::Array &natural(const loop::Tensor &t, const data::Arrays &arrays, const std::vector<const loop::Tensor *> &inputs,
                     const std::map<std::string, std::string> &binds) {
  if (const data::Array *namesake = data::find(arrays, t.name)) return *namesake;
  auto taken = [&](const data::Array &a) {
    for (const loop::Tensor *other : inputs)
      if (other->name == a.name) return true;
    auto place = static_cast<std::size_t>(&a - arrays.data());
    return std::any_of(binds.begin(), binds.end(), [&](const auto &b) {
      auto [first, last] = rangeOf(arrays, b.second);
      return first <= place && place <= last;
    });
  };
  ArrayPointers free, candidates, likely;
  for (const data::Array &a : arrays) {
    if (taken(a)) continue;
    free.push_back(&a);
    if (!fits(t, a)) continue;
    candidates.push_back(&a);
    if (t.classes > 0 && looksLikeLabels(t, a)) likely.push_back(&a);
  }
  const ArrayPointers &chosen = likely.empty() ? candidates : likely;
  if (chosen.size() != 1) noArray(t, free, chosen.size());
  return *chosen[0]; // a cell of it that does not fit has a place of its own
}

/// Text codes follow the file's sorted names; a class with names of its own has them in its own order.
void renumber(const loop::Tensor &t, const data::Array &source, data::Array &converted) {
  if (!source.isText || t.classNames.empty()) return;
  auto *codes = reinterpret_cast<std::int32_t *>(converted.bytes.data());
  for (std::size_t i = 0; i < converted.elements(); ++i) {
    const std::string &text = source.classNames[static_cast<std::size_t>(codes[i])];
    auto found = std::find(t.classNames.begin(), t.classNames.end(), text);
    if (found == t.classNames.end())
      throw UserError(fmt::format("{} is '{}', which is no class of {}", data::place(source, i), text, t.name));
    codes[i] = static_cast<std::int32_t>(found - t.classNames.begin());
  }
}

void checkLabels(const loop::Tensor &t, const data::Array &source, const data::Array &converted) {
  if (t.classes == 0) return;
  if (source.isText && t.classNames.empty() && source.classNames.size() > static_cast<std::size_t>(t.classes))
    throw UserError(fmt::format("{} holds {} different texts, but {} has {} classes: {}", shown(source), source.classNames.size(), t.name,
                                t.classes, someOf(source.classNames)));
  for (std::size_t i = 0; i < converted.elements(); ++i)
    if (double v = converted.value(i); v < 0 || v >= t.classes)
      throw UserError(fmt::format("{} is {}, but {} has the classes 0 to {}", data::place(source, i), v, t.name, t.classes - 1));
}

/// Whether every number of one type is one of the other, so that nothing needs a look before.
bool holdsAll(data::Type to, data::Type from) {
  const bool small = from == data::Type::u8 || from == data::Type::i8 || from == data::Type::boolean;
  return to == from || (small && (to == data::Type::f32 || to == data::Type::i32));
}

/// In the input's type.
ColumnPtr convertedTo(const loop::Tensor &t, const ArrayPtr &source) {
  if (areConditions(t, *source)) return convertedTo(t, std::make_shared<const data::Array>(conditionsOf(*source)));
  if (t.classes == 0) rejectBadNumbers(*source);
  if (!fits(t, *source))
    throw UserError(fmt::format("{} does not fit {}: {}{}", shown(*source), t.name, describe(t),
                                source->isText && t.classes == 0 ? "; text binds only to a class, true and false also to a bool" : ""));
  if (t.classes == 0 && (source->type == dataType(t.type) || (!source->parts.empty() && holdsAll(dataType(t.type), source->type))))
    return convertedColumn(arrayColumn(source), dataType(t.type));
  data::Array loaded, converted;
  std::string error;
  if (!source->parts.empty()) {
    loaded = *source;
    if (!data::load(loaded, error)) throw UserError(error);
  }
  if (!data::convert(source->parts.empty() ? *source : loaded, dataType(t.type), converted, error))
    throw UserError(fmt::format("{}, which {} takes", error, t.name));
  renumber(t, *source, converted);
  checkLabels(t, *source, converted);
  return arrayColumn(std::make_shared<const data::Array>(std::move(converted)));
}

ColumnPtr columnFor(const loop::Tensor &t, const ArrayPtr &source, const SourcePart &part, std::uint64_t seed) {
  const Chance chance{t.name, seed};
  if (part.pictures && source->bytes.empty() && source->parts.empty() && source->type == data::Type::u8) {
    if (!fits(t, *source)) convertedTo(t, source); // says so
    return convertedColumn(filesColumn(part.pictures, chance), dataType(t.type));
  }
  if (t.data.empty()) return convertedTo(t, source);
  if (const std::string problem = preparationProblem(t, *source); !problem.empty()) throw UserError(problem);
  return preparedColumn(source, transformsOf(t), *imageShapeOf(t), chance);
}

} // namespace

std::optional<ImageShape> imageShapeOf(const loop::Tensor &t) {
  if (!t.batch) return {};
  std::vector<std::int64_t> shape(t.shape.begin() + 1, t.shape.end());
  if (shape.size() == 2) shape.insert(shape.begin(), 1);
  if (shape.size() != 3 || (shape[0] != 1 && shape[0] != 3)) return {};
  return ImageShape{static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2])};
}

std::vector<Transform> transformsOf(const loop::Tensor &t) {
  if (t.data.empty()) return {};
  std::string error;
  std::optional<std::vector<Transform>> steps = parseTransforms(t.data, error);
  if (!steps) internalError(error);
  return *steps;
}

void BoundData::read(std::size_t slot, std::size_t sample, std::uint64_t epoch, unsigned char *out) const {
  slots[slot]->read(chosen.empty() ? sample : chosen[sample], epoch, out);
}

bool BoundData::readAtOnce(std::size_t slot, std::size_t sample, std::uint64_t epoch, unsigned char *out) const {
  return slots[slot]->readAtOnce(chosen.empty() ? sample : chosen[sample], epoch, out);
}

bool BoundData::readMapped(std::size_t slot, std::vector<std::uint32_t> samples, unsigned char *out) const {
  if (!chosen.empty())
    for (std::uint32_t &sample : samples) sample = chosen[sample];
  return slots[slot]->readMapped(samples, out);
}

std::vector<double> BoundData::sample(std::size_t slot, std::size_t number) const {
  data::Array a;
  a.type = slots[slot]->type;
  a.bytes.resize(slots[slot]->sampleBytes);
  read(slot, number, /*epoch=*/0, a.bytes.data());
  std::vector<double> values;
  for (std::size_t i = 0; i < a.elements(); ++i) values.push_back(a.value(i));
  return values;
}

std::string BoundData::notFinite(std::vector<std::uint32_t> samples) const {
  if (samples.empty()) samples.resize(rows), std::iota(samples.begin(), samples.end(), 0u);
  for (std::uint32_t number : samples)
    for (std::size_t slot = 0; slot < slots.size(); ++slot) {
      if (slots[slot]->type != data::Type::f32) continue;
      const std::vector<double> values = sample(slot, number);
      const auto bad = std::find_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); });
      if (bad == values.end()) continue;
      const std::size_t row = chosen.empty() ? number : chosen[number];
      return fmt::format("{} holds {}", slots[slot]->place(row, static_cast<std::size_t>(bad - values.begin())), shortFigure(*bad));
    }
  return "";
}

bool BoundData::slow() const {
  return std::any_of(slots.begin(), slots.end(), [](const ColumnPtr &c) { return c->slow(); });
}

void BoundData::makeSteady() {
  for (ColumnPtr &c : slots)
    if (ColumnPtr steady = c->steady()) c = steady;
}

BoundData BoundData::part(std::vector<std::uint32_t> samples) const {
  BoundData result = *this;
  result.rows = samples.size();
  for (std::uint32_t &s : samples)
    if (!chosen.empty()) s = chosen[s];
  result.chosen = std::move(samples);
  return result;
}

BoundData bindData(const std::vector<const loop::Tensor *> &inputs, const SourcePart &part, const std::vector<std::string> &binds,
                   std::uint64_t seed) {
  auto chosen = parseBinds(inputs, binds);
  BoundData bound;
  std::vector<std::size_t> rows;
  for (const loop::Tensor *t : inputs) {
    auto spec = chosen.find(t->name);
    ArrayPtr source =
        spec != chosen.end() ? specified(*t, part.arrays, spec->second) : ArrayPtr(part.arrays, &natural(*t, *part.arrays, inputs, chosen));
    bound.slots.push_back(columnFor(*t, source, part, seed));
    bound.description.push_back(
        fmt::format("{}: {} from {}{}", t->name, describe(*t), shown(*source), t->data.empty() ? "" : ", " + t->data));
    rows.push_back(source->rows());
  }
  bound.rows = rows.empty() ? 0 : rows.back();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i] != bound.rows)
      throw UserError(fmt::format("{} has {} samples, {} has {}", inputs[i]->name, rows[i], inputs.back()->name, bound.rows));
  if (bound.rows == 0) throw UserError("the data holds no samples");
  return bound;
}

} // namespace netc::driver
