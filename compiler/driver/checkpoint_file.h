// One checkpoint as bytes: a state as Core::saveState writes it (safetensors), whose metadata begin with a checksum and
// with notes of the driver's. Core::loadState reads it, too, and passes over them.
#pragma once

#include "netc/model.h"

#include <map>
#include <string>

namespace netc::driver {

using Notes = std::map<std::string, std::string>; // without characters that JSON escapes

std::string checkpointBytes(const Core &, const Notes &);

/// What is wrong with the bytes of a checkpoint: "truncated", ...; empty when every bit is as it was written.
std::string damageOf(const std::string &bytes);

/// The notes of an undamaged checkpoint; those not there are missing.
Notes notesOf(const std::string &bytes);

} // namespace netc::driver
