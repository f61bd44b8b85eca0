// One checkpoint as bytes: a state as Core::saveState writes it (safetensors), with notes of the driver's among its metadata.
// Core::loadState reads it, too, and passes over them.
#pragma once

#include "netc/model.h"

#include <map>
#include <string>

namespace netc::driver {

using Notes = std::map<std::string, std::string>; // without characters that JSON escapes

std::string checkpointBytes(const Core &, const Notes &);

/// The notes of an undamaged checkpoint; those not there are missing.
Notes notesOf(const std::string &bytes);

} // namespace netc::driver
