#include "compiler/driver/class_weights.h"

#include "compiler/driver/arrays.h"
#include "compiler/driver/predictions.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace netc::driver {
namespace {

class WeightOfClass : public Column {
public:
  WeightOfClass(ColumnPtr label, std::vector<float> weights)
      : Column(data::Type::f32, sizeof(float)), label(std::move(label)), weights(std::move(weights)) {}

  void read(std::size_t row, std::uint64_t epoch, unsigned char *out) const override {
    std::int32_t k = 0;
    label->read(row, epoch, reinterpret_cast<unsigned char *>(&k));
    std::memcpy(out, &weights[static_cast<std::size_t>(k)], sizeof(float));
  }

private:
  ColumnPtr label; // int32
  std::vector<float> weights;
};

std::string nameOf(const loop::Tensor &label, std::size_t k) {
  return k < label.classNames.size() ? visible(label.classNames[k]) : std::to_string(k);
}

/// The samples of each class.
std::vector<double> countsOf(const BoundData &train, std::size_t slot, const loop::Tensor &label) {
  std::vector<double> counts(static_cast<std::size_t>(label.classes));
  for (std::size_t i = 0; i < train.rows; ++i) ++counts[static_cast<std::size_t>(train.sample(slot, i)[0])];
  return counts;
}

/// rows / (classes * samples of the class): their mean over the samples is 1.
std::vector<float> balanced(const BoundData &train, std::size_t slot, const loop::Tensor &label) {
  const std::vector<double> counts = countsOf(train, slot, label);
  const std::size_t classes = counts.size();
  std::vector<float> weights;
  for (std::size_t k = 0; k < classes; ++k) {
    if (counts[k] == 0) throw UserError(fmt::format("--class-weights balanced: no sample to train with is of class {}", nameOf(label, k)));
    weights.push_back(static_cast<float>(static_cast<double>(train.rows) / (static_cast<double>(classes) * counts[k])));
  }
  return weights;
}

std::vector<float> fromFile(const std::string &path, const loop::Tensor &label) {
  if (!path.ends_with(".npy") && !path.ends_with(".csv"))
    throw UserError(fmt::format("--class-weights: '{}': expected balanced, or a file that ends in .npy or .csv", path));
  const Array a = readArray(path, DType::F32);
  if (a.values.size() != static_cast<std::size_t>(label.classes))
    throw UserError(fmt::format("--class-weights: '{}' holds {} numbers, but {} has {} classes", path, a.values.size(), label.name,
                                label.classes));
  for (std::size_t k = 0; k < a.values.size(); ++k)
    if (!(a.values[k] >= 0 && std::isfinite(a.values[k])))
      throw UserError(fmt::format("--class-weights: '{}' gives class {} the weight {}, expected 0 or more", path, nameOf(label, k),
                                  a.values[k]));
  return {a.values.begin(), a.values.end()};
}

} // namespace

void describeMissingClasses(BoundData &train, const std::vector<const loop::Tensor *> &inputs) {
  constexpr std::size_t most = 8;
  for (std::size_t slot = 0; slot < inputs.size(); ++slot) {
    if (!oneClassASample(*inputs[slot])) continue;
    const std::vector<double> counts = countsOf(train, slot, *inputs[slot]);
    std::vector<std::string> missing;
    for (std::size_t k = 0; k < counts.size(); ++k)
      if (counts[k] == 0) missing.push_back(nameOf(*inputs[slot], k));
    if (missing.empty()) continue;
    const std::size_t others = missing.size() - std::min(most, missing.size());
    missing.resize(missing.size() - others);
    train.description[slot] +=
        fmt::format("; no sample is of class {}{}", fmt::join(missing, ", "), others ? fmt::format(" and {} more", others) : "");
  }
}

void bindClassWeights(DataParts &parts, const CompiledModel &model, const std::string &how) {
  std::vector<const loop::Tensor *> inputs = model.inputs();
  const auto takes = std::find_if(inputs.begin(), inputs.end(), [](const loop::Tensor *t) {
    return t->name == classWeightInput && t->type == DType::F32 && t->classes == 0 && t->batch && t->shape.size() == 1;
  });
  const auto label = std::find_if(inputs.begin(), inputs.end(), [](const loop::Tensor *t) { return oneClassASample(*t); });
  if (takes == inputs.end() || label == inputs.end())
    throw UserError(fmt::format("--class-weights feeds 'target {}: f32[N]' beside a target of classes, which {} has not; a loss takes it, "
                                "as in weighted_cross_entropy(logits, label, {})",
                                classWeightInput, model.program().name, classWeightInput));
  const auto slot = static_cast<std::size_t>(label - inputs.begin()) - (takes < label); // among those that are bound
  const std::vector<float> weights = how == "balanced" ? balanced(parts.train, slot, **label) : fromFile(how, **label);
  for (BoundData *part : {&parts.train, &parts.test})
    if (part->rows > 0)
      part->slots.insert(part->slots.begin() + (takes - inputs.begin()), std::make_shared<WeightOfClass>(part->slots[slot], weights));
  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  parts.train.description.push_back(fmt::format("{}: f32[N] from {}, {} to {}", classWeightInput, how, figure(*least), figure(*most)));
}

} // namespace netc::driver
