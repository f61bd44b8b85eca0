#include "compiler/driver/commands.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>

namespace {

constexpr int internalErrorStatus = 70; // EX_SOFTWARE of sysexits.h

/// The first lines are enough to find a bug by.
std::string shortened(const std::string &text) {
  std::size_t end = 0;
  for (int lines = 0; lines < 12 && end != std::string::npos; ++lines) end = text.find('\n', end + 1);
  return end == std::string::npos ? text : text.substr(0, end) + "\n...";
}

int run(int argc, char **argv) {
  using namespace netc::driver;
  Options options = parseOptions(argc, argv);
  if (options.command == "compile") return compileCommand(options);
  if (options.command == "train") return trainCommand(options);
  if (options.command == "evaluate") return evaluateCommand(options);
  if (options.command == "predict") return predictCommand(options);
  if (options.command == "run") return runCommand(options);
  if (options.command == "check") return checkCommand(options);
  if (options.command == "bench") return benchCommand(options);
  if (options.command == "tune") return tuneCommand(options);
  if (options.command == "explain") return explainCommand(options);
  if (options.command == "fmt") return formatCommand(options);
  return 0; // --help or --version
}

int outputLost() {
  netc::driver::complain("netc: error: cannot write to standard output\n");
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  using netc::driver::complain;
  std::signal(SIGXFSZ, SIG_IGN); // a file that grows beyond `ulimit -f` is an error of writing, like a full disk
  try {
    int status = run(argc, argv);
    bool lost = std::cout.flush().fail() || std::fflush(stdout) != 0 || std::ferror(stdout);
    return lost ? outputLost() : status;
  } catch (const netc::driver::SourceError &error) {
    complain(error.what());
    return 1;
  } catch (const netc::UserError &error) {
    complain(fmt::format("netc: error: {}\n", error.what()));
    return 1;
  } catch (const std::bad_alloc &) {
    complain("netc: error: out of memory\n");
    return 1;
  } catch (const std::exception &error) {
    if (std::ferror(stdout)) return outputLost(); // fmt::print throws
    complain(fmt::format("netc: internal error: {}\nThis is a bug in netc. Please report it together with the input file and the "
                         "command line.\n",
                         shortened(error.what())));
    return internalErrorStatus;
  }
}
