// The kinds of sources that readSource tells apart, one file each.
#pragma once

#include "netc/data.h"

namespace netc::data {

bool isMnistFolder(const std::string &folder);
bool isCifarFolder(const std::string &folder);

/// "mnist/, 60000 + 10000 samples".
std::string samplesText(const std::string &path, const Source &);

/// Two tables of the same columns: one to train, one to test.
bool readTablePair(const std::string &train, const std::string &test, Source &, std::string &error);

} // namespace netc::data
