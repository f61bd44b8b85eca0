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
/// "runs/x.npy" -> "x".
std::string stem(const std::string &path);
bool endsWith(const std::string &text, const char *end);

/// Sets error to "path: what" and returns false.
bool failAt(std::string &error, const std::string &path, const std::string &what);

/// "[60000, 28, 28]".
std::string shapeText(const std::vector<std::int64_t> &shape);

} // namespace netc::data
