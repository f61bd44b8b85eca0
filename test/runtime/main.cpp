#include "check.h"

#include <cstdio>
#include <cstring>

namespace test {

int checks, failures;
std::string folder;

void report(const char *file, int line, const std::string &what) {
  ++failures;
  std::printf("%s:%d: %s\n", file, line, what.c_str());
}

std::string show(const std::string &text) {
  return "'" + text + "'";
}
std::string show(const char *text) {
  return text ? "'" + std::string(text) + "'" : "null";
}
std::string show(bool value) {
  return value ? "true" : "false";
}
std::string show(float value) {
  return show(static_cast<double>(value));
}
std::string show(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

void writeText(const std::string &name, const std::string &content) {
  std::FILE *file = std::fopen((folder + "/" + name).c_str(), "wb");
  if (!file || std::fwrite(content.data(), 1, content.size(), file) != content.size())
    report(__FILE__, __LINE__, "cannot write " + folder + "/" + name);
  if (file) std::fclose(file);
}

} // namespace test

// netc_runtime_test FOLDER [numpy]
int main(int argc, char **argv) {
  if (argc < 2) {
    std::printf("usage: netc_runtime_test FOLDER [numpy]\n");
    return 2;
  }
  test::folder = argv[1];
  if (argc > 2 && !std::strcmp(argv[2], "numpy")) {
    test::numpyTest();
    test::npzTest();
  } else {
    test::randomTest();
    test::threadPoolTest();
    test::depthFirstTest();
    test::turnsTest();
    test::scalarTest();
    test::coreTest();
    test::predictorTest();
    test::cInterfaceTest();
    test::storeFileTest();
    test::safetensorsTest();
    test::csvTest();
    test::idxTest();
    test::npyTest();
    test::cifarTest();
    test::tablePairTest();
    test::arrayTest();
    test::digitsTest();
  }
  std::printf("%d checks, %d failed\n", test::checks, test::failures);
  return test::failures != 0;
}
