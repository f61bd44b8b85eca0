#include "failure.h"

#include <cstdarg>
#include <cstdio>

namespace netc {

const char *text(Status status) noexcept {
  switch (status) {
  case Status::ok:
    return "ok";
  case Status::badArgument:
    return "bad argument";
  case Status::badCount:
    return "count out of range";
  case Status::badLabel:
    return "label out of range";
  case Status::nonFiniteLoss:
    return "loss is not finite";
  case Status::ioError:
    return "input or output failed";
  case Status::badFile:
    return "damaged file";
  case Status::mismatch:
    return "file of another model";
  case Status::outOfMemory:
    return "out of memory";
  case Status::noSuchEntry:
    return "no such entry point";
  case Status::noTarget:
    return "no instruction set fits";
  case Status::badModel:
    return "model tables not usable";
  case Status::wrongResult:
    return "compiled code is wrong";
  }
  return "unknown status";
}

Status fail(char *message, Status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, messageSize, format, arguments);
  va_end(arguments);
  return status;
}

} // namespace netc
