// A status with the message that explains it.
#pragma once

#include "netc/model.h"

namespace netc {

constexpr std::size_t messageSize = 256;

/// Writes the formatted message (cut at messageSize) and returns `status`.
Status fail(char *message, Status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

} // namespace netc
