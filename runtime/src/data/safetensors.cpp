#include "../safetensors.h"
#include "file_bytes.h"
#include "netc/data.h"

namespace netc::data {
namespace {

Status keep(void *context, const FileTensor &given) {
  if (!given.isF32) return Status::ok;
  Array array;
  array.name = given.name;
  array.shape.assign(given.shape, given.shape + given.rank);
  array.bytes.assign(given.data, given.data + given.bytes);
  static_cast<Arrays *>(context)->push_back(static_cast<Array &&>(array));
  return Status::ok;
}

} // namespace

bool readSafetensors(const std::string &path, Arrays &arrays, std::string &error) {
  std::vector<unsigned char> bytes;
  if (!readBytes(path, bytes, error)) return false;
  Arrays result;
  FileVisitor visitor{&result, keep, [](void *, const char *, const char *) { return Status::ok; }};
  char message[256] = "";
  if (netc::readSafetensors(bytes.data(), bytes.size(), path.c_str(), visitor, message) != Status::ok) {
    error = message;
    return false;
  }
  arrays = static_cast<Arrays &&>(result);
  return true;
}

} // namespace netc::data
