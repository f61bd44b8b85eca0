// The safetensors format: 8 bytes of header length (little-endian), a JSON header, then the data.
//   {"__metadata__": {"key": "value"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
// Reader and writer know nothing of models, and allocate nothing.
#pragma once

#include "netc/model.h"

#include <cstddef>
#include <cstdint>

namespace netc {

struct FileTensor {
  const char *name; // valid during the call; at most 1023 bytes
  bool isF32;
  std::int64_t rank; // at most 16
  std::int64_t shape[16];
  const unsigned char *data; // not aligned
  std::size_t bytes;         // the product of the extents times the size of the type
};

/// What a reader is called with; a status other than ok ends the reading with that status.
struct FileVisitor {
  void *context;
  Status (*tensor)(void *context, const FileTensor &);
  Status (*metadata)(void *context, const char *key, const char *value);
};

/// Calls the visitor for each tensor and pair of metadata, in the order of the file. Fails with badFile (and
/// a message that begins with `source`) unless the whole header is well-formed, sizes and offsets agree and
/// the data is complete.
Status readSafetensors(const unsigned char *bytes, std::size_t size, const char *source, const FileVisitor &,
                       char *message);

/// Writes to memory; without memory it only counts the bytes. Calls in order: begin, metadata..., tensor...
/// (offsets are assigned in this order), endHeader; then data of each tensor in the same order.
class SafetensorsWriter {
 public:
  explicit SafetensorsWriter(unsigned char *buffer) : buffer_(buffer) {}
  void begin();
  void metadata(const char *key, const char *value);
  void tensor(const char *name, const std::int64_t *shape, std::int64_t rank, std::size_t bytes);
  void endHeader();
  void data(const void *bytes, std::size_t size) { put(bytes, size); }
  std::size_t size() const { return size_; }

 private:
  void put(const void *bytes, std::size_t size);
  void put(const char *text);
  void putNumber(std::uint64_t);
  void putString(const char *text);

  unsigned char *buffer_;
  std::size_t size_ = 0, offset_ = 0;
  bool hasMetadata_ = false, hasTensor_ = false;
};

} // namespace netc
