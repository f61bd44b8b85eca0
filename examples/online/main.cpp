// Learns from a stream, one sample at a time, for as long as it runs:
//
//   sensor | online STATE-FILE
//
// Each line of standard input is a sample, "x1,x2,x3,x4,t". For each the program prints what the model predicts from the
// x and then learns the t. A sample that is not finite changes nothing: no weight, no momentum. On SIGTERM, SIGINT and
// at the end of the input the state is saved; the next start goes on from it, to the same bits as if there had been no
// stop.
#include "online.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace {

volatile std::sig_atomic_t stopping = 0;

void stop(int) { stopping = 1; }

/// Lines of standard input. SIGTERM and SIGINT are let through only while it waits for more, so none is missed.
class Lines {
public:
  Lines() {
    struct sigaction action = {};
    action.sa_handler = stop;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, &waiting_);
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
  }

  /// The next line without its end; null when the input ends or a signal came. A line beyond the buffer comes in pieces.
  const char *next() {
    for (;;) {
      char *end = static_cast<char *>(std::memchr(buffer_ + begin_, '\n', end_ - begin_));
      if (end || end_ - begin_ == sizeof buffer_ - 1) {
        if (!end) end = buffer_ + end_;
        *end = 0;
        const char *line = buffer_ + begin_;
        begin_ = std::min<std::size_t>(end + 1 - buffer_, end_);
        return line;
      }
      if (!more()) return nullptr;
    }
  }

private:
  bool more() {
    std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (ppoll(&input, 1, nullptr, &waiting_) < 0 || stopping) return false;
    const ssize_t size = read(STDIN_FILENO, buffer_ + end_, sizeof buffer_ - 1 - end_);
    if (size > 0) end_ += static_cast<std::size_t>(size);
    return size > 0;
  }

  sigset_t waiting_ = {};
  char buffer_[1024];
  std::size_t begin_ = 0, end_ = 0;
};

/// Reads "x1,x2,x3,x4,t"; false if the line is something else.
bool parse(const char *line, float *x, float *t) {
  for (int i = 0; i < 5; ++i) {
    char *end = nullptr;
    (i < 4 ? x[i] : *t) = std::strtof(line, &end);
    if (end == line || (i < 4 && *end != ',')) return false;
    line = end + 1;
  }
  return true;
}

int failed(const online::Model &model) {
  std::fprintf(stderr, "online: %s\n", model.message());
  return 1;
}

bool exists(const char *path) {
  std::FILE *file = std::fopen(path, "rb");
  if (file) std::fclose(file);
  return file || errno != ENOENT;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: online STATE-FILE < samples\n");
    return 2;
  }
  Lines lines;
  online::Model model;
  if (model.status() != netc::Status::ok) return failed(model);
  if (exists(argv[1]) && model.loadState(argv[1]) != netc::Status::ok) return failed(model);

  while (const char *line = lines.next()) {
    float x[online::Model::xSize], t, y;
    if (!parse(line, x, &t)) {
      std::fprintf(stderr, "online: not a sample: %s\n", line);
      continue;
    }
    model.predict(x, &y, 1);
    model.trainStep(x, &t, 1);
    if (model.status() == netc::Status::nonFiniteLoss) {
      std::fprintf(stderr, "online: sample left out: %s\n", model.message());
      continue;
    }
    if (model.status() != netc::Status::ok) return failed(model);
    std::printf("%g\n", y);
    std::fflush(stdout); // whoever listens gets it at once
  }
  if (model.saveState(argv[1]) != netc::Status::ok) return failed(model);
  return 0;
}
