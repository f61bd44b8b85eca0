#include "npy.h"

#include "file_bytes.h"
#include "file_parts.h"

#include <cstring>

namespace netc::data {
namespace {

constexpr char magic[] = "\x93NUMPY";
constexpr std::size_t magicSize = 6, longestHead = std::size_t{1} << 20;

struct TypeName {
  const char *name;
  Type type;
};
constexpr TypeName typeNames[] = {{"<f4", Type::f32},    {"<f8", Type::f64}, {"<i4", Type::i32},
                                  {"<i8", Type::i64},    {"|i1", Type::i8},  {"|u1", Type::u8},
                                  {"|b1", Type::boolean}};

// A cursor over the header: a Python dictionary literal.
class Dictionary {
 public:
  explicit Dictionary(const std::string &text) : text_(text) {}

  bool take(char c) {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
      ++at_;
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool string(std::string &out) {
    char quote = take('\'') ? '\'' : take('"') ? '"' : '\0';
    std::size_t end = quote ? text_.find(quote, at_) : std::string::npos;
    if (end == std::string::npos) return false;
    out = text_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }
  bool boolean(bool &out) {
    take(' ');
    for (bool value : {false, true})
      if (text_.compare(at_, value ? 4 : 5, value ? "True" : "False") == 0) {
        at_ += value ? 4 : 5;
        out = value;
        return true;
      }
    return false;
  }
  bool tuple(std::vector<std::int64_t> &out) {
    if (!take('(')) return false;
    while (!take(')')) {
      std::int64_t number = 0;
      std::size_t from = at_;
      for (take(' '), from = at_;
           at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && at_ - from < 18; ++at_)
        number = number * 10 + (text_[at_] - '0');
      if (at_ == from) return false;
      out.push_back(number);
      if (!take(',') && (at_ >= text_.size() || text_[at_] != ')')) return false;
    }
    return true;
  }

 private:
  const std::string &text_;
  std::size_t at_ = 0;
};

struct Header {
  std::string type;
  bool fortran = false;
  std::vector<std::int64_t> shape;
  int seen = 0;
};

bool parseHeader(const std::string &text, Header &header) {
  Dictionary dictionary(text);
  if (!dictionary.take('{')) return false;
  while (!dictionary.take('}')) {
    std::string key;
    bool read = dictionary.string(key) && dictionary.take(':');
    read = read && (key == "descr"           ? dictionary.string(header.type)
                    : key == "fortran_order" ? dictionary.boolean(header.fortran)
                    : key == "shape"         ? dictionary.tuple(header.shape)
                                             : false);
    if (!read) return false;
    ++header.seen;
    dictionary.take(',');
  }
  return header.seen == 3;
}

bool checkHeader(const std::string &path, const Header &header, std::size_t dataSize, Type *type,
                 std::string &error) {
  const TypeName *known = nullptr;
  for (const TypeName &row : typeNames)
    if (header.type == row.name) known = &row;
  if (!known)
    return failAt(error, path, "type '" + header.type + "', expected <f4, <f8, <i4, <i8, |i1, |u1 or |b1");
  if (header.fortran && header.shape.size() > 1)
    return failAt(error, path, "Fortran order, expected C order (numpy.ascontiguousarray)");
  *type = known->type;
  std::uint64_t size = bytesOf(known->type);
  for (std::int64_t extent : header.shape)
    if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size))
      return failAt(error, path, "shape " + shapeText(header.shape) + " is too large");
  if (size == dataSize) return true;
  return failAt(error, path,
                std::string(size > dataSize ? "truncated: " : "") + std::to_string(dataSize) +
                    " bytes of data, expected " + std::to_string(size) + " for " + text(known->type) +
                    shapeText(header.shape));
}

// From the first bytes of a file: type, shape and where the data begin.
bool parseHead(const std::string &path, const std::vector<unsigned char> &bytes, std::size_t fileSize, Array &result,
               std::size_t &dataBegin, std::string &error) {
  if (bytes.size() < magicSize + 6 || std::memcmp(bytes.data(), magic, magicSize))
    return failAt(error, path, bytes.empty() ? "empty, expected an .npy file" : "not an .npy file");
  unsigned version = bytes[6];
  if (version != 1 && version != 2)
    return failAt(error, path, ".npy version " + std::to_string(version) + ", expected 1 or 2");
  std::size_t begin = version == 1 ? 10 : 12, length = bytes[8] | static_cast<std::size_t>(bytes[9]) << 8;
  if (version == 2)
    length |= static_cast<std::size_t>(bytes[10]) << 16 | static_cast<std::size_t>(bytes[11]) << 24;
  if (length > bytes.size() - begin)
    return failAt(error, path,
                  "truncated: a header of " + std::to_string(length) + " bytes in a file of " +
                      std::to_string(bytes.size()));
  std::string text(reinterpret_cast<const char *>(bytes.data()) + begin, length);
  Header header;
  if (!parseHeader(text, header)) return failAt(error, path, "header not understood: " + text.substr(0, 80));
  dataBegin = begin + length;
  if (!checkHeader(path, header, fileSize - dataBegin, &result.type, error)) return false;
  result.file = path;
  result.shape = header.shape;
  return true;
}

} // namespace

bool parseNpy(const std::string &path, const std::vector<unsigned char> &bytes, Array &array,
              std::string &error) {
  Array result;
  std::size_t begin = 0;
  if (!parseHead(path, bytes, bytes.size(), result, begin, error)) return false;
  result.bytes.assign(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end());
  array = static_cast<Array &&>(result);
  return true;
}

bool readNpy(const std::string &path, Array &array, std::string &error, std::size_t inMemory) {
  std::vector<unsigned char> bytes;
  Array result;
  std::size_t size = 0, begin = 0;
  if (staysInFile(path, inMemory)) {
    result.parts.resize(1);
    if (!readHead(path, longestHead, bytes, size, error) || !parseHead(path, bytes, size, result, begin, error) ||
        !openPart(path, begin, result.rowBytes(), result.rows(), result.parts[0], error))
      return false;
  } else if (!readBytes(path, bytes, error) || !parseNpy(path, bytes, result, error)) {
    return false;
  }
  array = static_cast<Array &&>(result);
  array.name = stem(path);
  return true;
}

bool writeNpy(const std::string &path, const Array &array, std::string &error) {
  std::string type;
  for (const TypeName &row : typeNames)
    if (row.type == array.type) type = row.name;
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (";
  for (std::int64_t extent : array.shape)
    header += std::to_string(extent) + ", ";
  if (array.shape.size() > 1)
    header.resize(header.size() - 2);
  else if (array.shape.size() == 1)
    header.pop_back();
  header += "), }";
  while ((magicSize + 4 + header.size() + 1) % 64 != 0)
    header += ' ';
  header += '\n';
  std::vector<unsigned char> bytes(magic, magic + magicSize);
  for (std::size_t byte : {std::size_t{1}, std::size_t{0}, header.size() & 0xff, header.size() >> 8})
    bytes.push_back(static_cast<unsigned char>(byte));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), array.bytes.begin(), array.bytes.end());
  return writeBytes(path, bytes, error);
}

} // namespace netc::data
