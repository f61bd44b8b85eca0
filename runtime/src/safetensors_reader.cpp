#include "failure.h"
#include "safetensors.h"
#include "tables.h"

#include <cstring>

namespace netc {
namespace {

constexpr std::size_t maxName = 1024;
constexpr std::uint64_t longestHeader = 100000000; // as in the format's own library

struct DataType {
  const char *name;
  std::size_t bytes;
};
constexpr DataType dataTypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                                  {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
                                  {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

// A cursor over the JSON header, which accepts just what the format allows. The first failure is kept.
class Header {
 public:
  Header(const unsigned char *text, std::size_t size, const char *source, char *message)
      : text_(text), size_(size), source_(source), message_(message) {}

  bool failed() const { return failed_; }
  bool fail(const char *what) {
    if (!failed_) netc::fail(message_, Status::badFile, "%s: header, byte %zu: %s", source_, at_, what);
    failed_ = true;
    return false;
  }
  /// Skips white space; 0 at the end.
  char peek() {
    while (at_ < size_ && std::memchr(" \t\r\n", text_[at_], 4))
      ++at_;
    return at_ < size_ ? static_cast<char>(text_[at_]) : '\0';
  }
  bool take(char c) {
    if (peek() != c || at_ == size_) return false;
    ++at_;
    return true;
  }
  bool expect(char c) {
    char wanted[] = "expected ' '";
    wanted[10] = c;
    return take(c) || fail(wanted);
  }
  bool atEnd() { return peek() == 0 && at_ == size_; }
  bool string(char *out);
  bool number(std::uint64_t *out);

 private:
  bool escape(char *out, std::size_t *length);
  bool codePoint(std::uint32_t *out);

  const unsigned char *text_;
  std::size_t size_, at_ = 0;
  const char *source_;
  char *message_;
  bool failed_ = false;
};

bool Header::string(char *out) {
  if (!expect('"')) return false;
  std::size_t length = 0;
  while (at_ < size_ && text_[at_] != '"') {
    if (length + 5 > maxName) return fail("string longer than 1023 bytes");
    unsigned char c = text_[at_++];
    if (c < 0x20) return fail("control character in a string");
    if (c != '\\')
      out[length++] = static_cast<char>(c);
    else if (!escape(out, &length))
      return false;
  }
  out[length] = 0;
  if (at_ == size_) return fail("string without end");
  ++at_;
  return true;
}

bool Header::codePoint(std::uint32_t *out) {
  *out = 0;
  for (int i = 0; i < 4; ++i) {
    const char *digits = "0123456789abcdef";
    const char *digit = at_ < size_ && text_[at_]
                            ? std::strchr(digits, text_[at_] | (text_[at_] >= 'A' ? 0x20 : 0))
                            : nullptr;
    if (!digit) return fail("expected four hexadecimal digits");
    *out = *out << 4 | static_cast<std::uint32_t>(digit - digits);
    ++at_;
  }
  return *out != 0 || fail("zero character in a string");
}

bool Header::escape(char *out, std::size_t *length) {
  char c = at_ < size_ ? static_cast<char>(text_[at_++]) : '\0';
  const char *from = "\"\\/bfnrt", *to = "\"\\/\b\f\n\r\t";
  const char *found = c ? std::strchr(from, c) : nullptr;
  if (found) {
    out[(*length)++] = to[found - from];
    return true;
  }
  std::uint32_t code = 0, low = 0;
  if (c != 'u') return fail("unknown escape in a string");
  if (!codePoint(&code)) return false;
  if (code >= 0xD800 && code < 0xE000) { // a pair of surrogates
    if (code >= 0xDC00 || at_ + 2 > size_ || text_[at_] != '\\' || text_[at_ + 1] != 'u')
      return fail("half a surrogate pair");
    at_ += 2;
    if (!codePoint(&low) || low < 0xDC00 || low >= 0xE000) return fail("half a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  int continuations = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr unsigned leads[4] = {0x00, 0xC0, 0xE0, 0xF0};
  out[(*length)++] = static_cast<char>(leads[continuations] | code >> (6 * continuations));
  while (continuations-- > 0)
    out[(*length)++] = static_cast<char>(0x80 | (code >> (6 * continuations) & 0x3F));
  return true;
}

bool Header::number(std::uint64_t *out) {
  *out = 0;
  std::size_t digits = 0;
  for (char c = peek(); at_ < size_ && c >= '0' && c <= '9';
       c = at_ < size_ ? static_cast<char>(text_[at_]) : '\0') {
    if (++digits > 18 || (digits == 2 && *out == 0)) return fail("number out of range");
    *out = *out * 10 + static_cast<std::uint64_t>(c - '0');
    ++at_;
  }
  return digits > 0 || fail("expected a whole number");
}

struct Fields {
  bool type = false, shape = false, offsets = false;
  std::size_t elementBytes = 0;
  std::uint64_t begin = 0, end = 0;
  FileTensor tensor{};
};

bool readType(Header &header, Fields &fields) {
  char name[maxName];
  if (!header.string(name)) return false;
  for (const DataType &type : dataTypes)
    if (!std::strcmp(type.name, name)) fields.elementBytes = type.bytes;
  fields.tensor.isF32 = !std::strcmp(name, "F32");
  fields.type = true;
  return fields.elementBytes || header.fail("unknown dtype");
}

bool readShape(Header &header, Fields &fields) {
  FileTensor &tensor = fields.tensor;
  fields.shape = true;
  tensor.rank = 0;
  if (!header.expect('[')) return false;
  if (header.take(']')) return true;
  do {
    std::uint64_t extent;
    if (tensor.rank == static_cast<std::int64_t>(maxRank)) return header.fail("more than 16 dimensions");
    if (!header.number(&extent)) return false;
    tensor.shape[tensor.rank++] = static_cast<std::int64_t>(extent);
  } while (header.take(','));
  return header.expect(']');
}

bool readOffsets(Header &header, Fields &fields) {
  fields.offsets = true;
  return header.expect('[') && header.number(&fields.begin) && header.expect(',') &&
         header.number(&fields.end) && header.expect(']');
}

bool readFields(Header &header, Fields &fields) {
  char key[maxName];
  if (!header.expect('{')) return false;
  do {
    if (!header.string(key) || !header.expect(':')) return false;
    bool known = false;
    if (!std::strcmp(key, "dtype") && !fields.type)
      known = readType(header, fields);
    else if (!std::strcmp(key, "shape") && !fields.shape)
      known = readShape(header, fields);
    else if (!std::strcmp(key, "data_offsets") && !fields.offsets)
      known = readOffsets(header, fields);
    if (!known) return header.fail("expected each of \"dtype\", \"shape\" and \"data_offsets\" once");
  } while (header.take(','));
  if (!fields.type || !fields.shape || !fields.offsets)
    return header.fail("expected \"dtype\", \"shape\" and \"data_offsets\"");
  return header.expect('}');
}

// Product of the extents and the element size; false if it does not fit in 63 bits.
bool sizeOf(const Fields &fields, std::uint64_t *bytes) {
  *bytes = fields.elementBytes;
  for (std::int64_t axis = 0; axis < fields.tensor.rank; ++axis)
    if (__builtin_mul_overflow(*bytes, static_cast<std::uint64_t>(fields.tensor.shape[axis]), bytes) ||
        *bytes >> 63)
      return false;
  return true;
}

Status readMetadata(Header &header, const FileVisitor &visitor) {
  char key[maxName], value[maxName];
  if (!header.expect('{')) return Status::badFile;
  if (header.take('}')) return Status::ok;
  do {
    if (!header.string(key) || !header.expect(':') || !header.string(value)) return Status::badFile;
    Status status = visitor.metadata(visitor.context, key, value);
    if (status != Status::ok) return status;
  } while (header.take(','));
  return header.expect('}') ? Status::ok : Status::badFile;
}

struct Data {
  const unsigned char *bytes;
  std::size_t size, used = 0;
};

Status readTensor(Header &header, const char *name, Data &data, const char *source,
                  const FileVisitor &visitor, char *message) {
  Fields fields;
  std::uint64_t bytes = 0;
  if (!readFields(header, fields)) return Status::badFile;
  if (!sizeOf(fields, &bytes) || fields.begin > fields.end || fields.end - fields.begin != bytes)
    return fail(message, Status::badFile, "%s: %s: shape and data_offsets do not agree", source, name);
  if (fields.begin != data.used)
    return fail(message, Status::badFile, "%s: %s: data_offsets begin at %llu, expected %zu", source, name,
                static_cast<unsigned long long>(fields.begin), data.used);
  if (fields.end > data.size)
    return fail(message, Status::badFile, "%s: truncated: %s ends at byte %llu of the data, the file has %zu",
                source, name, static_cast<unsigned long long>(fields.end), data.size);
  data.used = static_cast<std::size_t>(fields.end);
  fields.tensor.name = name;
  fields.tensor.data = data.bytes + fields.begin;
  fields.tensor.bytes = static_cast<std::size_t>(bytes);
  return visitor.tensor(visitor.context, fields.tensor);
}

Status readEntries(Header &header, Data &data, const char *source, const FileVisitor &visitor,
                   char *message) {
  char name[maxName];
  if (!header.expect('{')) return Status::badFile;
  if (!header.take('}')) {
    do {
      if (!header.string(name) || !header.expect(':')) return Status::badFile;
      Status status = std::strcmp(name, "__metadata__")
                          ? readTensor(header, name, data, source, visitor, message)
                          : readMetadata(header, visitor);
      if (status != Status::ok) return status;
    } while (header.take(','));
    if (!header.expect('}')) return Status::badFile;
  }
  return header.atEnd() || header.fail("expected the end of the header") ? Status::ok : Status::badFile;
}

} // namespace

Status readSafetensors(const unsigned char *bytes, std::size_t size, const char *source,
                       const FileVisitor &visitor, char *message) {
  if (size < 8)
    return fail(message, Status::badFile, "%s: %zu bytes, too few for a safetensors file", source, size);
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | bytes[i];
  if (length > size - 8 && (size == 8 || bytes[8] != '{' || length > longestHeader))
    return fail(message, Status::badFile, "%s: not a safetensors file", source);
  if (length > size - 8)
    return fail(message, Status::badFile, "%s: truncated: header of %llu bytes, %zu follow", source,
                static_cast<unsigned long long>(length), size - 8);
  Header header(bytes + 8, static_cast<std::size_t>(length), source, message);
  Data data{bytes + 8 + length, size - 8 - static_cast<std::size_t>(length)};
  Status status = readEntries(header, data, source, visitor, message);
  if (status == Status::ok && data.used != data.size)
    return fail(message, Status::badFile, "%s: %zu bytes of data, the header describes %zu", source,
                data.size, data.used);
  return status;
}

} // namespace netc
