// Plain checks: a failure prints where it is and what was found, and the program goes on.
#pragma once

#include <string>

namespace test {

extern int checks, failures;
extern std::string folder; // for files; empty at the start

void report(const char *file, int line, const std::string &what);
std::string show(const std::string &);
std::string show(const char *);
std::string show(double);
std::string show(float);
std::string show(bool);
template <class T> std::string show(T value) {
  return std::to_string(value);
}

template <class A, class B>
void equal(const A &found, const B &expected, const char *text, const char *file, int line) {
  ++checks;
  if (!(found == expected))
    report(file, line, std::string(text) + ": found " + show(found) + ", expected " + show(expected));
}

inline void holds(bool value, const char *text, const char *file, int line) {
  ++checks;
  if (!value) report(file, line, std::string(text) + " does not hold");
}

/// `text` must hold `part`.
inline void contains(const std::string &text, const std::string &part, const char *file, int line) {
  ++checks;
  if (text.find(part) == std::string::npos)
    report(file, line, "found '" + text + "', expected it to contain '" + part + "'");
}

void writeText(const std::string &name, const std::string &content); ///< in `folder`

void randomTest();
void threadPoolTest();
void depthFirstTest();
void turnsTest();
void scalarTest();
void coreTest();
void predictorTest();
void cInterfaceTest();
void storeFileTest();
void safetensorsTest();
void csvTest();
void idxTest();
void npyTest();
void cifarTest();
void tablePairTest();
void arrayTest();
void digitsTest();
void npzTest();   ///< on files that numpy wrote
void numpyTest(); ///< on files that numpy wrote

} // namespace test

#define EQUAL(found, expected) ::test::equal(found, expected, #found, __FILE__, __LINE__)
#define HOLDS(condition) ::test::holds(condition, #condition, __FILE__, __LINE__)
#define CONTAINS(text, part) ::test::contains(text, part, __FILE__, __LINE__)
