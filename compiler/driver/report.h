// report.html of a run folder: one page that needs nothing from elsewhere.
#pragma once

#include "compiler/driver/compiled_model.h"
#include "compiler/driver/confusion.h"

#include <optional>
#include <string>

namespace netc::driver {

/// Curves of the columns of a metrics.csv, the confusion of a classifier, the filters of a first convolution.
std::string reportPage(CompiledModel &, const std::string &metrics, const std::optional<Confusion> &);

} // namespace netc::driver
