// What the readers share: whole files, perhaps gzipped, and messages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace netc::data {

/// All bytes of a file, decompressed if it begins as gzip does. On failure `error` begins with the path.
bool readBytes(const std::string &path, std::vector<unsigned char> &bytes, std::string &error);

/// Writes to a temporary name and renames.
bool writeBytes(const std::string &path, const std::vector<unsigned char> &bytes, std::string &error);

bool fileExists(const std::string &path);
bool folderExists(const std::string &path);
/// The names of what a folder holds, sorted; empty if it cannot be read.
std::vector<std::string> namesIn(const std::string &folder);
/// The content of a raw deflate stream that unpacks to `size` bytes; `path` is for messages.
bool inflated(const std::string &path, const unsigned char *from, std::size_t count, std::size_t size,
              std::vector<unsigned char> &bytes, std::string &error);
/// Whether bytes have this CRC-32; always true of a netc without zlib.
bool hasChecksum(const std::vector<unsigned char> &bytes, std::uint32_t crc);
/// "runs/x.npy" -> "x".
std::string stem(const std::string &path);
bool endsWith(const std::string &text, const char *end);

/// Sets error to "path: what" and returns false.
/// "t.csv:6:12": where a field, counted from 1, begins; the file is read again for that.
std::string cellPlace(const std::string &path, std::size_t line, std::size_t field);
bool failAt(std::string &error, const std::string &path, const std::string &what);

/// "[60000, 28, 28]".
std::string shapeText(const std::vector<std::int64_t> &shape);

} // namespace netc::data
