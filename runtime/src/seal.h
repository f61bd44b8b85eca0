// The checksum in a saved state: CRC-32 (polynomial 0xEDB88320) of all its bytes, its own taken as zeros. It stands first among the
// metadata, and so always at the same place: {"__metadata__":{"crc32":"0123abcd",...
#pragma once

#include <cstddef>

namespace netc {

constexpr const char *sealKey = "crc32", *openSeal = "00000000"; // what the writer puts there; sealState (netc/model.h) closes it

/// True when the bytes are those that sealState saw, and when there is no checksum: states of before have none.
bool isSealWhole(const unsigned char *bytes, std::size_t size);

} // namespace netc
