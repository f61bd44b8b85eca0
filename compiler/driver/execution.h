// One run of one entry on given arrays, by the reference evaluator or by compiled code: what `netc run` and `netc check`
// share.
#pragma once

#include "compiler/driver/arrays.h"
#include "compiler/driver/options.h"
#include "compiler/graph/graph.h"

#include <map>
#include <string>

namespace netc::driver {

/// Arrays for shared tensors (by number), checked against their shapes.
struct Inputs {
  std::map<int, std::vector<double>> values;
  std::int64_t count = 0; // samples; 0: no batch tensor was given

  /// `from` names the source in messages. Integers must be whole and in range. Throws UserError.
  void add(const graph::Tensor &, int tensor, const Array &, const std::string &from);
};

/// The values of `tensors` in the module's only entry, which still has gradient placeholders. Parameters and states come
/// from `inputs`, else from --weights, else from their initializers under --seed.
std::vector<Array> evaluateTensors(graph::Module, const std::vector<int> &tensors, const Inputs &, const Options &);
std::vector<Array> executeTensors(graph::Module, const std::vector<int> &tensors, const Inputs &, const Options &);

/// The first values of a parameter or state, the same as in the runtime.
std::vector<double> initialValues(const graph::Tensor &, std::uint64_t seed);

} // namespace netc::driver
