#include "compiler/driver/graphviz.h"

#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace netc::driver {
namespace {

struct Close {
  void operator()(std::FILE *f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, Close>;

/// Runs `dot` between the two files; whether it succeeded.
bool runDot(int in, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  char program[] = "dot", format[] = "-Tsvg";
  char *arguments[] = {program, format, nullptr};
  pid_t child = 0;
  int failed = posix_spawnp(&child, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  return failed == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

std::string graphviz(const std::string &dotText) {
  File in(std::tmpfile()), out(std::tmpfile());
  if (!in || !out || std::fwrite(dotText.data(), 1, dotText.size(), in.get()) != dotText.size()) return "";
  std::rewind(in.get()); // flushes, too
  if (!runDot(::fileno(in.get()), ::fileno(out.get()))) return "";
  std::rewind(out.get());
  std::string svg;
  char part[4096];
  for (std::size_t n; (n = std::fread(part, 1, sizeof part, out.get())) > 0;) svg.append(part, n);
  return svg;
}

} // namespace netc::driver
