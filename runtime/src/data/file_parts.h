// Samples that stay in their file.
#pragma once

#include "netc/data.h"

namespace netc::data {

/// Whether a file is one that can be read in pieces, and larger than `inMemory` bytes.
bool staysInFile(const std::string &path, std::size_t inMemory);

/// The first bytes of a file, no more than `most`, and its size.
bool readHead(const std::string &path, std::size_t most, std::vector<unsigned char> &bytes, std::size_t &size,
              std::string &error);

/// Opens the file.
bool openPart(const std::string &path, std::uint64_t begin, std::size_t stride, std::size_t rows, FilePart &,
              std::string &error);

/// `count` bytes at `offset`.
bool readPiece(const FilePart &, std::uint64_t offset, std::size_t count, void *out, std::string &error);

} // namespace netc::data
