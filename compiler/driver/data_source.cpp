#include "compiler/driver/data_source.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>

namespace netc::driver {
namespace {

data::Array rowsOf(const data::Array &a, const std::vector<std::uint32_t> &rows) {
  data::Array part = a;
  if (part.shape.empty()) throw UserError(fmt::format("{} is a single value, expected one for each sample", a.name));
  part.shape[0] = static_cast<std::int64_t>(rows.size());
  part.bytes.resize(rows.size() * a.rowBytes());
  data::gather(a, rows.data(), rows.size(), part.bytes.data());
  return part;
}

BoundData rowsOf(const BoundData &all, const std::vector<std::uint32_t> &rows) {
  BoundData part{{}, rows.size(), all.description};
  for (const data::Array &slot : all.slots) part.slots.push_back(rowsOf(slot, rows));
  return part;
}

/// Data is bound, and so checked, before it is split: mistakes are found in the order of the file.
void splitOffTest(DataParts &parts) {
  std::size_t rows = parts.train.rows;
  std::vector<std::uint32_t> order(rows);
  epochOrder(order.data(), rows, /*seed=*/0, /*epoch=*/0);
  auto cut = order.begin() + static_cast<std::ptrdiff_t>(rows - rows / 5);
  if (cut != order.end()) parts.test = rowsOf(parts.train, {cut, order.end()});
  parts.train = rowsOf(parts.train, {order.begin(), cut});
}

/// For `netc predict`: the same command may have a --bind for the targets of a training.
std::vector<std::string> withoutTargets(const std::vector<std::string> &binds, const CompiledModel &model) {
  std::vector<std::string> kept;
  for (const std::string &bind : binds) {
    std::vector<const loop::Tensor *> all = model.inputs();
    bool ofTarget = std::any_of(all.begin(), all.end(), [&](const loop::Tensor *t) {
      return t->role == loop::Tensor::Role::Target && bind.starts_with(t->name + "=");
    });
    if (!ofTarget) kept.push_back(bind);
  }
  return kept;
}

data::Source read(const std::string &from) {
  data::Source source;
  std::string error;
  if (!data::readSource(from, source, error)) throw UserError(error);
  return source;
}

} // namespace

DataParts readData(const CompiledModel &model, const std::string &from, const std::vector<std::string> &binds) {
  data::Source source = read(from);
  DataParts parts{bindData(model.inputs(), source.train, binds), {}, source.description};
  if (source.test.empty()) splitOffTest(parts);
  else if (source.test[0].rows() > 0) parts.test = bindData(model.inputs(), source.test, binds);
  return parts;
}

Samples readSamples(const CompiledModel &model, const Options &o) {
  if (!o.files.empty() && !o.data.empty()) throw UserError("files or --data SOURCE, not both");
  if (o.files.size() > 1) throw UserError(fmt::format("'{}': one data set at a time", o.files[1]));
  data::Source source = read(o.files.empty() ? o.data : o.files[0]);
  std::vector<const loop::Tensor *> inputs = model.inputs();
  std::erase_if(inputs, [](const loop::Tensor *t) { return t->role == loop::Tensor::Role::Target; });
  return {bindData(inputs, source.test.empty() ? source.train : source.test, withoutTargets(o.bind, model)), {}};
}

} // namespace netc::driver
