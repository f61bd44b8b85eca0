// The command line as data. One option has one spelling in every command; what a command does not take is an error that
// says who takes it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace netc::driver {

struct Options {
  std::string command; // "compile", "train", ...; empty after --help or --version
  std::string input;   // the .net, .graph or .loops file
  std::string typed;   // the whole command, as a shell would take it

  // what is compiled
  std::int64_t batch = 64;
  std::map<std::string, std::string> set; // const overrides
  std::string plan;                       // empty: the file's default
  bool allPlans = false;                  // side by side
  std::string target;                     // empty: the command's default
  std::string schedule, tuning;           // a .sched file
  std::int64_t maxMemory = 0;             // bytes; 0: no limit
  std::string fastMath;                   // winograd4; empty: nothing that loses accuracy
  // compile
  std::string output, emit, depfile;
  bool standalone = false, predictOnly = false, selfTest = false;
  std::vector<std::string> passes;
  bool passesGiven = false; // --pass= (empty) means no passes at all
  bool printAfterAll = false;
  // data
  std::vector<std::string> files;  // predict: after the model
  std::string data;
  std::optional<std::string> augment; // the transforms of pictures in place of the model's
  std::int64_t dataMemory = std::int64_t{1} << 30; // bytes of it that are kept
  std::optional<double> validation;                // the part of the training samples that takes the place of the test part
  std::string classWeights;        // "balanced" or a file
  std::vector<std::string> bind;   // "x=c1..c4"
  std::vector<std::string> inputs; // "x=x.npy"
  // train, evaluate, run
  std::int64_t epochs = 5, steps = 0;
  std::int64_t seed = 0; // never negative
  std::int64_t threads = 1;
  std::string weights, weightsOut, out;
  std::vector<std::string> map; // how to take a part of `weights`
  std::string checkpointEvery = "1min";
  std::int64_t keep = 3; // checkpoints
  bool resume = false;
  bool quiet = false, json = false;
  // tune
  std::int64_t budget = 60; // seconds
  // predict
  std::int64_t top = 5; // classes
  // run
  std::vector<std::string> print, save;
  std::string engine; // empty: run: eval, check: both back ends
  // explain, fmt
  std::string format; // empty: by the output's extension, else text
  bool write = false;
};

/// Reads the command line; --help and --version are printed here and leave `command` empty. Throws UserError.
Options parseOptions(int argc, const char *const *argv);

/// "no KIND 'NAME'; did you mean 'X'?", or what there is when nothing is near.
std::string unknownName(const std::string &kind, const std::string &name, const std::vector<std::string> &known);

} // namespace netc::driver
