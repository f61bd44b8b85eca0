#include "check.h"
#include "small_model.h"

#include "netc/data.h"
#include "netc/model.h"

namespace test {

// Reads what Inputs/numpy_files.py wrote, and writes it back for it to compare.
void numpyTest() {
  for (const char *name : {"f32", "f64", "i32", "i64", "i8", "u8", "bool", "scalar", "cube"}) {
    netc::data::Array array;
    std::string error;
    HOLDS(readNpy(folder + "/" + name + ".npy", array, error));
    EQUAL(error, "");
    EQUAL(array.name, name);
    HOLDS(writeNpy(folder + "/" + name + "_back.npy", array, error));
    std::string given = name;
    if (given == "scalar")
      EQUAL(array.value(0), 2.5);
    else if (given == "cube")
      EQUAL(array.value(23), 23.0);
    else {
      EQUAL(text(array.type), given);
      EQUAL(array.value(1), 1.0);
      EQUAL(array.rows(), 2u);
    }
  }
  netc::Core core(smallModel);
  const float values[3] = {1.5f, -2.5f, 3.5f};
  core.parameter(0).set(values);
  HOLDS(core.save((folder + "/w.safetensors").c_str()) == netc::Status::ok);
}

} // namespace test
