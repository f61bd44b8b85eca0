#include "two.h"
#include <cstdio>
int main() {
  char message[256];
  const netc::Status status = two::modelSelfTest(message);
  std::printf("%s: %s\n", netc::text(status), message);
  return status != netc::Status::ok;
}
