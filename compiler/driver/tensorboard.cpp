#include "compiler/driver/tensorboard.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace netc::driver {
namespace {

template <class T> std::string littleEndian(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// CRC-32C, turned and shifted as record files have it so that a checksum of checksums is no weak one.
std::uint32_t maskedChecksum(const std::string &bytes) {
  std::uint32_t crc = ~0u;
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

std::string record(const std::string &event) {
  std::string length = littleEndian<std::uint64_t>(event.size());
  return length + littleEndian(maskedChecksum(length)) + event + littleEndian(maskedChecksum(event));
}

// Fields of a protocol buffer: number and kind, then the value.
enum Kind { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

std::string varint(std::uint64_t v) {
  std::string bytes;
  for (; v >= 128; v >>= 7) bytes += static_cast<char>((v & 127) | 128);
  return bytes + static_cast<char>(v);
}
std::string field(int number, Kind kind, const std::string &value) { return varint(static_cast<unsigned>(number << 3 | kind)) + value; }
std::string bytesField(int number, const std::string &bytes) { return field(number, Bytes, varint(bytes.size()) + bytes); }

// The numbers of Event's fields.
constexpr int wallTime = 1, stepNumber = 2, fileVersion = 3, summary = 5, sessionLog = 7;

double unixTime() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string event(std::uint64_t step, const std::string &what) {
  return record(field(wallTime, Fixed64, littleEndian(unixTime())) + field(stepNumber, Varint, varint(step)) + what);
}

/// Summary.value: its tag and simple_value.
std::string scalar(const std::string &tag, double value) {
  return bytesField(1, bytesField(1, tag) + field(2, Fixed32, littleEndian(static_cast<float>(value))));
}

std::string epochEvent(const EpochReport &r) {
  std::string values = scalar("loss", r.loss);
  for (const Score &s : r.test) values += scalar("test/" + s.name, s.value);
  if (r.rate) values += scalar("lr", *r.rate);
  return event(r.step, bytesField(summary, values));
}

/// The file's first two events: its version, and that a session starts (SessionLog.status = START) at this step.
std::string beginning(std::uint64_t step) {
  return event(0, bytesField(fileVersion, "brain.Event:2")) + event(step, bytesField(sessionLog, field(1, Varint, varint(1))));
}

} // namespace

EventFile::EventFile(const std::string &folder)
    : file((std::filesystem::path(folder) / fmt::format("events.out.tfevents.{:.0f}.netc.{}", unixTime(), ::getpid())).string()) {}

std::string EventFile::add(const EpochReport &r, std::uint64_t before) {
  return file.add(file.empty() ? beginning(before) + epochEvent(r) : epochEvent(r));
}

} // namespace netc::driver
