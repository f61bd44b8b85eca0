#include "compiler/driver/predictions.h"

#include "compiler/driver/bytes.h"
#include "compiler/driver/feed.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace netc::driver {
namespace {

std::size_t elementsIn(const std::vector<std::int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1},
                         [](std::size_t n, std::int64_t extent) { return n * static_cast<std::size_t>(extent); });
}

Prediction emptyPrediction(const loop::Result &r) {
  Prediction p{r.name, r.shape, 1, {}};
  if (r.batch) p.shape.erase(p.shape.begin());
  p.elements = elementsIn(p.shape);
  return p;
}

/// The memory for one call.
std::vector<unsigned char> placeFor(const loop::Result &r) {
  return std::vector<unsigned char>(elementsIn(r.shape) * static_cast<std::size_t>(byteSize(r.type)));
}

} // namespace

bool oneClassASample(const loop::Tensor &t) { return t.classes > 1 && t.batch && t.shape.size() == 1; }

std::vector<Prediction> predictAll(CompiledModel &model, const BoundData &data, std::size_t most) {
  const loop::Entry &entry = *model.entry("predict");
  std::vector<const loop::Tensor *> inputs = model.inputs();
  std::vector<Prediction> all;
  std::vector<std::vector<unsigned char>> places;
  for (const loop::Result &r : entry.results) all.push_back(emptyPrediction(r)), places.push_back(placeFor(r));
  std::vector<void *> outputs;
  for (auto &p : places) outputs.push_back(p.data());
  Feed feed(data, most, inOrder(data.rows, most));
  while (const void *const *given = feed.next()) { // inputs stand before targets
    const std::size_t count = feed.count();
    std::vector<const void *> slots(given, given + data.slots.size());
    slots.resize(inputs.size());
    require(model.core().run("predict", slots.data(), outputs.data(), count), model.core(), "predicting");
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::vector<double> values = fromBytes(places[i], entry.results[i].type);
      std::size_t samples = entry.results[i].batch ? count : 1;
      for (std::size_t copies = entry.results[i].batch ? 1 : count; copies > 0; --copies)
        all[i].values.insert(all[i].values.end(), values.begin(), values.begin() + static_cast<std::ptrdiff_t>(samples * all[i].elements));
    }
  }
  return all;
}

std::optional<Classification> classificationOf(const CompiledModel &model) {
  const loop::Entry *entry = model.entry("predict");
  std::vector<const loop::Tensor *> inputs = model.inputs();
  auto target = std::find_if(inputs.begin(), inputs.end(), [](const loop::Tensor *t) { return oneClassASample(*t); });
  if (!entry || target == inputs.end()) return {};
  auto output = std::find_if(entry->results.begin(), entry->results.end(), [&](const loop::Result &r) {
    return r.batch && emptyPrediction(r).elements == static_cast<std::size_t>((*target)->classes);
  });
  if (output == entry->results.end()) return {};
  Classification c{static_cast<std::size_t>(output - entry->results.begin()), static_cast<std::size_t>(target - inputs.begin()),
                   (*target)->classNames};
  for (int i = static_cast<int>(c.names.size()); i < (*target)->classes; ++i) c.names.push_back(std::to_string(i));
  return c;
}

std::vector<std::size_t> ranked(const Prediction &p, std::size_t sample) {
  std::vector<std::size_t> order(p.elements);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const double *values = p.values.data() + sample * p.elements;
  auto key = [&](std::size_t k) { return std::isnan(values[k]) ? INFINITY : values[k]; }; // argmax, too, finds a NaN
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) > key(b); });
  return order;
}

} // namespace netc::driver
