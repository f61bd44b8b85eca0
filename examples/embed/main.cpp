// Trains LeNet-5 inside a C++ program: trainStep and predict from the generated lenet5.h, digits from
// netc/data.h. It visits the samples in the order of `netc train`, so the weights come out the same, byte for
// byte.
#include "lenet5.h"

#include <netc/data.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using lenet5::Model;

struct Settings {
  std::string data; // "" for the built-in digits, or a folder with the MNIST files
  std::string weightsOut;
  unsigned epochs = 3, threads = 1;
  std::uint64_t seed = 0, steps = 0; // steps: stop after so many; 0: at the end
};

struct Samples {
  netc::data::Array image, label; // u8[n, 28, 28], i32[n]
};

bool takeSamples(const netc::data::Arrays &arrays, Samples &samples, std::string &error) {
  const netc::data::Array *image = find(arrays, "image"), *label = find(arrays, "label");
  if (!image || !label || image->type != netc::data::Type::u8 || image->rowBytes() != Model::imageSize) {
    error = "expected arrays 'image' of 784 bytes a sample and 'label'";
    return false;
  }
  samples.image = *image;
  return convert(*label, netc::data::Type::i32, samples.label, error);
}

// One epoch of mini-batches in the order that seed and epoch give.
bool trainEpoch(Model &model, const Samples &samples, const Settings &settings, unsigned epoch) {
  std::size_t rows = samples.image.rows();
  std::vector<std::uint32_t> order(rows);
  std::vector<std::uint8_t> images(Model::maxBatch * Model::imageSize);
  std::vector<std::int32_t> labels(Model::maxBatch);
  netc::epochOrder(order.data(), rows, settings.seed, epoch);
  model.setEpoch(epoch);
  double sum = 0;
  std::size_t done = 0;
  while (done < rows && (settings.steps == 0 || model.core().step() < settings.steps)) {
    std::size_t count = rows - done < Model::maxBatch ? rows - done : Model::maxBatch;
    gather(samples.image, &order[done], count, images.data());
    gather(samples.label, &order[done], count, labels.data());
    float loss = model.trainStep(images.data(), labels.data(), count);
    if (model.status() != netc::Status::ok) {
      std::fprintf(stderr, "embed: %s\n", model.message());
      return false;
    }
    sum += static_cast<double>(loss) * static_cast<double>(count);
    done += count;
  }
  std::printf("epoch %u: loss %.4f", epoch + 1, sum / static_cast<double>(done));
  return true;
}

// The share of samples whose most probable class is their label.
double accuracy(Model &model, const Samples &samples) {
  std::vector<float> probability(Model::maxBatch * Model::probabilitySize);
  std::size_t rows = samples.image.rows(), right = 0;
  for (std::size_t done = 0; done < rows; done += Model::maxBatch) {
    std::size_t count = rows - done < Model::maxBatch ? rows - done : Model::maxBatch;
    model.predict(&samples.image.bytes[done * Model::imageSize], probability.data(), count);
    for (std::size_t n = 0; n < count; ++n) {
      const float *p = &probability[n * Model::probabilitySize];
      std::size_t best = 0;
      for (std::size_t k = 1; k < Model::probabilitySize; ++k)
        best = p[k] > p[best] ? k : best;
      right += static_cast<double>(best) == samples.label.value(done + n);
    }
  }
  return static_cast<double>(right) / static_cast<double>(rows);
}

bool parse(int argc, char **argv, Settings &settings) {
  for (int i = 1; i < argc; i += 2) {
    std::string option = argv[i];
    const char *value = i + 1 < argc ? argv[i + 1] : nullptr;
    char *end = nullptr;
    std::uint64_t number = value ? std::strtoull(value, &end, 10) : 0;
    bool isNumber = value && *value >= '0' && *value <= '9' && !*end;
    if (option == "--data" && value)
      settings.data = value;
    else if (option == "--weights-out" && value)
      settings.weightsOut = value;
    else if (option == "--epochs" && isNumber)
      settings.epochs = static_cast<unsigned>(number);
    else if (option == "--threads" && isNumber)
      settings.threads = static_cast<unsigned>(number);
    else if (option == "--seed" && isNumber)
      settings.seed = number;
    else if (option == "--steps" && isNumber)
      settings.steps = number;
    else {
      std::fprintf(stderr, "usage: embed [--data FOLDER] [--epochs E] [--steps S] [--seed S] [--threads T] "
                           "[--weights-out FILE]\n");
      return false;
    }
  }
  return true;
}

} // namespace

int main(int argc, char **argv) {
  Settings settings;
  if (!parse(argc, argv, settings)) return 2;
  netc::data::Source source;
  Samples train, test;
  std::string error;
  if (!readSource(settings.data, source, error) || !takeSamples(source.train, train, error) ||
      !takeSamples(source.test, test, error)) {
    std::fprintf(stderr, "embed: %s\n", error.c_str());
    return 1;
  }
  netc::Options options;
  options.seed = settings.seed;
  options.threads = settings.threads;
  Model model(options);
  if (model.status() != netc::Status::ok) {
    std::fprintf(stderr, "embed: %s\n", model.message());
    return 1;
  }
  std::printf("%s; %zu bytes of memory, %s\n", source.description.c_str(), Model::memoryBytes,
              model.target());
  model.setSteps((train.image.rows() + Model::maxBatch - 1) / Model::maxBatch * settings.epochs);
  for (unsigned epoch = 0; epoch < settings.epochs; ++epoch) {
    if (settings.steps != 0 && model.core().step() >= settings.steps) break;
    if (!trainEpoch(model, train, settings, epoch)) return 1;
    std::printf(", test accuracy %.2f %%\n", 100 * accuracy(model, test));
  }
  if (!settings.weightsOut.empty() && model.save(settings.weightsOut.c_str()) != netc::Status::ok) {
    std::fprintf(stderr, "embed: %s\n", model.message());
    return 1;
  }
  return 0;
}
