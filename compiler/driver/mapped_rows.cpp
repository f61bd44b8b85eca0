#include "compiler/driver/mapped_rows.h"

#include <algorithm>
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace netc::driver {
namespace {

// A page that its file does not have any more, or that the disk does not give, ends in SIGBUS.
thread_local std::atomic<sigjmp_buf *> onBusError = nullptr;
static_assert(std::atomic<sigjmp_buf *>::is_always_lock_free);
struct sigaction before;

void catchBusErrors() {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    if (sigjmp_buf *place = onBusError) siglongjmp(*place, 1);
    sigaction(SIGBUS, &before, nullptr); // not ours: it comes again, to whoever it was for
  };
  action.sa_flags = SA_NODEFER; // so that the jump need not restore the signals that are blocked
  sigaction(SIGBUS, &action, &before);
}

std::size_t end(const data::FilePart &p, std::size_t rowBytes) { return p.rows ? p.begin + (p.rows - 1) * p.stride + rowBytes : 0; }

std::shared_ptr<const unsigned char> mapped(const data::FilePart &p, std::size_t rowBytes) {
  const std::size_t size = end(p, rowBytes);
  if (size == 0) return nullptr;
  void *at = mmap(nullptr, size, PROT_READ, MAP_SHARED, *p.file, 0);
  if (at == MAP_FAILED) return nullptr;
  return {static_cast<const unsigned char *>(at), [size](const unsigned char *bytes) { munmap(const_cast<unsigned char *>(bytes), size); }};
}

} // namespace

MappedRows::MappedRows(const data::Array &array) : rowBytes(array.rowBytes()) {
  static const bool caught = (catchBusErrors(), true);
  static_cast<void>(caught);
  for (const data::FilePart &p : array.parts) parts.push_back({mapped(p, rowBytes), p});
}

const unsigned char *MappedRows::find(std::size_t row) const {
  for (const Part &part : parts) {
    if (row < part.rows.rows) return part.begin ? part.begin.get() + part.rows.begin + row * part.rows.stride : nullptr;
    row -= part.rows.rows;
  }
  return nullptr;
}

/// Whether the files are as long as they were: what a page holds behind the end of its file reads as zeros.
bool MappedRows::complete() const {
  return std::all_of(parts.begin(), parts.end(), [this](const Part &part) {
    struct stat info = {};
    return fstat(*part.rows.file, &info) == 0 && static_cast<std::size_t>(info.st_size) >= end(part.rows, rowBytes);
  });
}

bool MappedRows::copyAll(const std::vector<std::uint32_t> &rows, unsigned char *out) const {
  for (const std::uint32_t row : rows) {
    const unsigned char *from = find(row);
    if (!from) return false;
    std::memcpy(out, from, rowBytes);
    out += rowBytes;
  }
  return true;
}

bool MappedRows::copy(const std::vector<std::uint32_t> &rows, unsigned char *out) const {
  sigjmp_buf here;
  if (sigsetjmp(here, /*savemask=*/0) != 0) {
    onBusError = nullptr;
    return false;
  }
  onBusError = &here;
  std::atomic_signal_fence(std::memory_order_seq_cst); // nothing is copied before
  const bool found = copyAll(rows, out);
  onBusError = nullptr;
  return found && complete();
}

long diskWaits() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_majflt;
}

} // namespace netc::driver
