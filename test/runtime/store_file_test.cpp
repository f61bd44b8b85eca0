#include "check.h"
#include "small_model.h"

#include "netc/model.h"
#include "netc/random.h"

#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace test {

using netc::Core;
using netc::Status;

namespace {

void train(Core &core, int steps) {
  std::vector<float> x(maxBatch * features);
  std::vector<std::int32_t> label(maxBatch, 1);
  netc::fillUniform(x.data(), x.size(), -1, 1, 3);
  const void *inputs[2] = {x.data(), label.data()};
  for (int i = 0; i < steps; ++i)
    core.trainStep(inputs, maxBatch);
}

std::vector<unsigned char> storeOf(const Core &core) {
  return {core.store(), core.store() + core.model().storeBytes};
}

std::vector<float> weightsOf(Core &core) {
  std::vector<float> values(4);
  core.parameter(0).get(values.data());
  core.parameter(1).get(values.data() + 3);
  return values;
}

int filesIn(const std::string &folder) {
  int count = 0;
  DIR *open = opendir(folder.c_str());
  while (open && readdir(open))
    ++count;
  if (open) closedir(open);
  return count - 2; // . and ..
}

void weights() {
  std::string folder = test::folder + "/weights", path = folder + "/w.safetensors";
  mkdir(folder.c_str(), 0777);
  Core core(smallModel);
  train(core, 5);
  EQUAL(core.save(path.c_str()) == Status::ok, true);
  EQUAL(core.save(path.c_str()) == Status::ok, true); // over the old one
  EQUAL(filesIn(folder), 1);                          // no temporary is left
  Core fresh(smallModel), plain(plainModel);
  EQUAL(fresh.load(path.c_str()) == Status::ok, true);
  HOLDS(weightsOf(fresh) == weightsOf(core));
  EQUAL(fresh.step(), 0u);
  EQUAL(plain.load(path.c_str()) == Status::ok, true); // another optimizer
  HOLDS(weightsOf(plain) == weightsOf(core));
  EQUAL(fresh.loadState(path.c_str()) == Status::mismatch, true);
  CONTAINS(fresh.message(), "weights alone, no training to go on with: load() takes them");
}

// A training that is interrupted and goes on takes the same course.
void states() {
  std::string path = folder + "/state.safetensors";
  Core whole(smallModel), first(smallModel), second(smallModel);
  whole.setEpoch(2);
  first.setEpoch(2);
  train(whole, 20);
  train(first, 8);
  EQUAL(first.saveState(path.c_str()) == Status::ok, true);
  EQUAL(second.loadState(path.c_str()) == Status::ok, true);
  EQUAL(second.step(), 8u);
  EQUAL(second.epoch(), 2u);
  train(second, 12);
  HOLDS(storeOf(second) == storeOf(whole));
  Core weightsOnly(smallModel);
  EQUAL(weightsOnly.load(path.c_str()) == Status::ok, true); // takes just the weights
  HOLDS(weightsOf(weightsOnly) == weightsOf(first));
  EQUAL(weightsOnly.step(), 0u);
}

// The seed is part of a state, so that uniform() goes on as it would have.
void seeds() {
  netc::Options options;
  options.seed = ~std::uint64_t{0};
  Core seeded(smallModel, options), other(smallModel);
  EQUAL(seeded.seed(), options.seed);
  std::size_t size = 0;
  seeded.saveState(nullptr, &size);
  std::string state(size, '\0');
  seeded.saveState(state.data(), &size);
  EQUAL(other.load(state.data(), size) == Status::ok, true); // takes just the weights
  EQUAL(other.seed(), 0u);
  EQUAL(other.loadState(state.data(), size) == Status::ok, true);
  EQUAL(other.seed(), options.seed);
  state.replace(state.find("\"seed\""), 6, "\"lead\""); // a state from before there were seeds and checksums
  state.replace(state.find("\"crc32\""), 7, "\"other\"");
  Core own(smallModel);
  EQUAL(own.loadState(state.data(), size) == Status::ok, true);
  EQUAL(own.seed(), 0u);
}

void buffers() {
  Core core(smallModel), fresh(smallModel);
  train(core, 3);
  std::size_t size = 0;
  EQUAL(core.saveState(nullptr, &size) == Status::ok, true);
  std::vector<unsigned char> bytes(size);
  std::size_t less = size - 1;
  EQUAL(core.saveState(bytes.data(), &less) == Status::badArgument, true);
  EQUAL(less, size);
  EQUAL(core.saveState(bytes.data(), &size) == Status::ok, true);
  EQUAL(fresh.loadState(bytes.data(), size) == Status::ok, true);
  HOLDS(storeOf(fresh) == storeOf(core));
  // Cut anywhere, or with any byte changed, the state is refused and nothing changes.
  Core victim(smallModel);
  std::vector<unsigned char> before = storeOf(victim);
  for (std::size_t cut = 0; cut < size; ++cut)
    if (victim.loadState(bytes.data(), cut) == Status::ok || storeOf(victim) != before || victim.step() != 0)
      EQUAL(cut, size);
  std::size_t taken = 0;
  for (std::size_t at = 0; at < size; ++at) {
    std::vector<unsigned char> damaged = bytes;
    damaged[at] ^= 0x15;
    const Status status = victim.loadState(damaged.data(), size);
    taken += status == Status::ok;
    HOLDS(storeOf(victim) == (taken ? storeOf(core) : before));
    HOLDS(status == Status::ok || (status == Status::badFile && victim.message()[0] != 0));
  }
  EQUAL(taken, 5u); // "crc32" itself: a state without checksum, otherwise whole
}

void mismatches() {
  std::string path = folder + "/other.safetensors";
  Core other(otherModel), core(smallModel);
  std::vector<unsigned char> before = storeOf(core);
  EQUAL(other.save(path.c_str()) == Status::ok, true);
  EQUAL(core.load(path.c_str()) == Status::mismatch, true);
  CONTAINS(core.message(), "other.safetensors: weights of another model: fc.bias is F32[2], expected F32[]");
  HOLDS(storeOf(core) == before);
}

void paths() {
  Core core(smallModel);
  EQUAL(core.load((folder + "/none").c_str()) == Status::ioError, true);
  CONTAINS(core.message(), "/none: cannot open: No such file or directory");
  EQUAL(core.load(folder.c_str()) == Status::ioError, true);
  CONTAINS(core.message(), "not a regular file");
  EQUAL(core.save((folder + "/no/folder").c_str()) == Status::ioError, true);
  CONTAINS(core.message(), "/no/folder: cannot write: No such file or directory");
  EQUAL(core.save(folder.c_str()) == Status::ioError, true); // the name of a folder
  HOLDS(access((folder + ".tmp-" + std::to_string(getpid()) + "-0").c_str(), F_OK) != 0);
}

// What is no regular file stays; a link's file is replaced.
void specialFiles() {
  Core core(smallModel);
  std::string pipe = folder + "/pipe", link = folder + "/link", target = folder + "/target";
  EQUAL(mkfifo(pipe.c_str(), 0600), 0);
  EQUAL(core.save(pipe.c_str()) == Status::ioError, true);
  CONTAINS(core.message(), "/pipe: not a regular file");
  EQUAL(core.saveState(pipe.c_str()) == Status::ioError, true);
  EQUAL(symlink("target", link.c_str()), 0);
  EQUAL(core.save(link.c_str()) == Status::ok, true); // makes the file that the link promises
  EQUAL(core.saveState(link.c_str()) == Status::ok, true);
  struct stat about;
  HOLDS(lstat(pipe.c_str(), &about) == 0 && S_ISFIFO(about.st_mode));
  HOLDS(lstat(link.c_str(), &about) == 0 && S_ISLNK(about.st_mode));
  HOLDS(lstat(target.c_str(), &about) == 0 && S_ISREG(about.st_mode));
  EQUAL(core.loadState(target.c_str()) == Status::ok, true);
  std::string loop = folder + "/loop";
  EQUAL(symlink("loop", loop.c_str()), 0);
  EQUAL(core.save(loop.c_str()) == Status::ioError, true);
}

// A file from text: the header, padded to `length` if given, then `data` zero bytes.
Status loadText(Core &core, const std::string &header, std::size_t data) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    file[i] = static_cast<char>(header.size() >> (8 * i));
  file += header + std::string(data, '\0');
  return core.load(file.data(), file.size());
}

} // namespace

void storeFileTest() {
  weights();
  states();
  seeds();
  buffers();
  mismatches();
  paths();
  specialFiles();
}

void safetensorsTest() {
  Core core(smallModel);
  const std::string weight = R"("fc.weight": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]})",
                    bias = R"("fc.bias":{"shape":[],"data_offsets":[12,16],"dtype":"F32"})";
  // As other programs write it: no fingerprint, spaces, another order, escapes in names.
  EQUAL(loadText(core, "{" + weight + " , " + bias + "}   ", 16) == Status::ok, true);
  HOLDS(weightsOf(core) == std::vector<float>(4, 0));
  EQUAL(
      loadText(
          core,
          R"({"f\u0063.bias":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"__metadata__":{"\ud83d\ude00":"\n"},)"
          R"("fc.weight":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}})",
          16) == Status::ok,
      true);
  struct Case {
    std::string header;
    std::size_t data;
    Status status;
    const char *message;
  };
  const Case cases[] = {
      {"{" + weight + "}", 12, Status::mismatch, "buffer: fc.bias is missing"},
      {"{" + weight + "," + bias + "}", 15, Status::badFile,
       "truncated: fc.bias ends at byte 16 of the data, the file has 15"},
      {"{" + weight + "," + bias + "}", 17, Status::badFile, "17 bytes of data, the header describes 16"},
      {"{" + weight + "," + bias + "} x", 16, Status::badFile, "expected the end of the header"},
      {"{" + weight + "," + bias, 16, Status::badFile, "expected '}'"},
      {"[]", 0, Status::badFile, "header, byte 0: expected '{'"},
      {"", 0, Status::badFile, "expected '{'"},
      {"{\"fc.wei", 0, Status::badFile, "string without end"},
      {R"({"a\q":1})", 0, Status::badFile, "unknown escape"},
      {R"({"\ud800":1})", 0, Status::badFile, "half a surrogate pair"},
      {R"({"fc.weight":{"dtype":"F32","shape":[3],"data_offsets":[0,12],"more":1}})", 12, Status::badFile,
       "expected each of"},
      {R"({"fc.weight":{"dtype":"F32","shape":[3]}})", 12, Status::badFile, "expected \"dtype\""},
      {R"({"fc.weight":{"dtype":"F32","shape":[-3],"data_offsets":[0,12]}})", 12, Status::badFile,
       "expected a whole number"},
      {R"({"fc.weight":{"dtype":"F99","shape":[3],"data_offsets":[0,12]}})", 12, Status::badFile,
       "unknown dtype"},
      {R"({"fc.weight":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}})", 16, Status::badFile,
       "fc.weight: data_offsets begin at 4"},
      {R"({"fc.weight":{"dtype":"F32","shape":[3],"data_offsets":[12,0]}})", 12, Status::badFile,
       "do not agree"},
      {R"({"fc.weight":{"dtype":"F32","shape":[4],"data_offsets":[0,12]}})", 12, Status::badFile,
       "do not agree"},
      {R"({"fc.weight":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0,
       Status::badFile, "number out of range"},
      {R"({"fc.weight":{"dtype":"F32","shape":[100000000000000000,100000000000000000],"data_offsets":[0,0]}})",
       0, Status::badFile, "do not agree"},
      {R"({"fc.weight":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 16, Status::mismatch,
       "fc.weight is F32[4], expected F32[3]"},
      {R"({"fc.weight":{"dtype":"F64","shape":[3],"data_offsets":[0,24]}})", 24, Status::mismatch,
       "fc.weight is of another type, [3], expected F32[3]"},
      {R"({"conv9.weight":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", 12, Status::mismatch,
       "conv9.weight is not in the model small"},
      {"{" + weight + R"(,"fc.weight":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}})", 24,
       Status::badFile, "fc.weight occurs twice"},
      {R"({"__metadata__":{"step":"many"}})", 0, Status::badFile, "step is 'many'"},
      {R"({"__metadata__":{"fingerprint":"00"}})", 0, Status::mismatch,
       "buffer: weights of another model: fc.weight is missing"},
      {R"({")" + std::string(5000, 'a') + R"(":1})", 0, Status::badFile, "string longer than 1023 bytes"},
  };
  std::vector<unsigned char> before = storeOf(core);
  for (const Case &c : cases) {
    EQUAL(netc::text(loadText(core, c.header, c.data)), std::string(netc::text(c.status)));
    CONTAINS(core.message(), c.message);
  }
  HOLDS(storeOf(core) == before);
  EQUAL(core.load("short", 5) == Status::badFile, true);
  CONTAINS(core.message(), "5 bytes, too few for a safetensors file");
  EQUAL(core.load("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10) == Status::badFile, true);
  CONTAINS(core.message(), "not a safetensors file");
}

} // namespace test
