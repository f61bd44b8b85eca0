// The generated header: class Model and class Predictor over netc/model.h, and C functions over netc/netc.h.
#include "compiler/codegen/model_tables.h"
#include "compiler/codegen/lines.h"
#include "compiler/codegen/literals.h"
#include "compiler/codegen/names.h"
#include "compiler/support/entry_name.h"
#include "compiler/support/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace netc::codegen {

using loop::Entry;
using loop::Program;
using loop::Result;
using loop::Tensor;

namespace {

/// A pointer argument of the generated functions.
struct Argument {
  std::string name;
  DType type;
  std::vector<std::int64_t> shape; // of a sample when batch
  bool batch;
  const Tensor *tensor = nullptr; // inputs and targets
  std::string modelName;          // in the model, where it may be no identifier or a word of C++

  std::int64_t size() const {
    std::int64_t n = 1;
    for (const std::int64_t extent : shape) n *= extent;
    return n;
  }
  /// `image`: u8[count, 1, 28, 28]
  std::string documented() const {
    std::vector<std::string> extents;
    if (batch) extents.emplace_back("count");
    for (const std::int64_t e : shape) extents.push_back(std::to_string(e));
    const std::string range = tensor && tensor->classes > 0 ? fmt::format(", 0 to {}", tensor->classes - 1) : "";
    return fmt::format("`{}`: {}[{}]{}", name, netc::name(type), fmt::join(extents, ", "), range);
  }
  /// Says so when the model's name could not be kept.
  std::string renamed() const { return name == modelName ? "" : fmt::format("; `{}` in the model", modelName); }
  std::string text() const { return fmt::format("{}[{}]", netc::name(type), fmt::join(shape, ", ")); }
};

std::string element(DType t, bool c) {
  switch (t) {
  case DType::F32: return "float";
  case DType::I32: return c ? "int32_t" : "std::int32_t";
  case DType::U8: return c ? "uint8_t" : "std::uint8_t";
  case DType::Bool: return "bool";
  }
  return "void";
}

std::vector<std::int64_t> sampleShape(const std::vector<std::int64_t> &shape, bool batch) {
  if (batch && !shape.empty()) return {shape.begin() + 1, shape.end()};
  return shape;
}

std::string joined(const std::vector<std::string> &parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

class HeaderPrinter {
public:
  HeaderPrinter(const std::vector<Program> &programs, std::string source, bool selfTest)
      : programs(programs), p(programs.front()), selfTest(selfTest), source(std::move(source)), name(Names().take(p.name)),
        symbol(modelSymbol(p)) {
    names.take("count"), names.take("options"), names.take("model"), names.take("inputs"), names.take("outputs");
    names.take("result"), names.take("loss"); // the C functions' own
    for (const Tensor &t : p.tensors) addTensor(t);
    names.release("loss");
    Names evaluationNames = names;
    if (const Entry *e = p.entry("evaluate"))
      for (const Result &r : e->results) evaluation.push_back({evaluationNames.take(r.name), r.type, r.shape, false, nullptr, r.name});
    if (const Entry *e = p.entry("predict"))
      for (const Result &r : e->results)
        outputs.push_back({names.take(r.name), r.type, sampleShape(r.shape, r.batch), r.batch, nullptr, r.name});
  }

  std::string print() {
    printTop();
    printModel();
    if (predicts()) printPredictor();
    if (selfTest) printSelfTest();
    line("}} // namespace {}", name);
    line("\n#else /* the same in C; netc_save(model, path) and the rest of netc/netc.h take the model, too */\n");
    printC();
    line("\n#endif\n#endif");
    return std::move(out);
  }

private:
  // --- what the functions take and give
  void addTensor(const Tensor &t) {
    if (t.role != Tensor::Role::Input && t.role != Tensor::Role::Target) return;
    Argument a{names.take(t.name), t.type, sampleShape(t.shape, t.batch), t.batch, &t, t.name};
    (t.role == Tensor::Role::Input ? inputs : targets).push_back(std::move(a));
  }

  std::vector<Argument> inputsAndTargets() const {
    std::vector<Argument> all = inputs;
    all.insert(all.end(), targets.begin(), targets.end());
    return all;
  }
  bool predicts() const { return p.entry("predict") != nullptr; }
  bool trains() const { return p.trainingEntry() != nullptr; }
  bool evaluates() const { return p.entry("evaluate") != nullptr && !evaluation.empty(); }

  /// The count comes last in C++ (where only predict has outputs); in C after the inputs, as in netc/netc.h.
  static std::vector<std::string> parameters(const std::vector<Argument> &in, const std::vector<Argument> &out,
                                             bool c) {
    std::vector<std::string> list;
    for (const Argument &a : in) list.push_back(fmt::format("const {} *{}", element(a.type, c), a.name));
    if (c) list.push_back("size_t count");
    for (const Argument &a : out) list.push_back(fmt::format("{} *{}", element(a.type, c), a.name));
    if (!c) list.push_back("std::size_t count");
    return list;
  }
  static std::string call(const std::vector<Argument> &in, const std::vector<Argument> &out,
                          const std::string &count = "count") {
    std::vector<std::string> list;
    for (const Argument &a : in) list.push_back(a.name);
    for (const Argument &a : out) list.push_back(a.name);
    if (!count.empty()) list.push_back(count);
    return joined(list);
  }
  /// "{image, label}"; predictions leave the targets null. Never empty, as C has no empty arrays.
  std::string inputList(bool withTargets, bool c) const {
    std::vector<std::string> list;
    for (const Argument &a : inputs) list.push_back(a.name);
    for (const Argument &a : targets) list.push_back(withTargets ? a.name : c ? "NULL" : "nullptr");
    if (list.empty()) list.push_back(c ? "NULL" : "nullptr");
    return "{" + joined(list) + "}";
  }
  static std::string outputList(const std::vector<Argument> &list, bool c) {
    const std::string text = call({}, list, "");
    return "{" + (text.empty() ? std::string(c ? "NULL" : "nullptr") : text) + "}";
  }

  /// Of the target that needs most: which one runs is known only on the machine.
  std::int64_t workspaceBytes() const {
    std::int64_t most = 0;
    for (const Program &target : programs)
      for (const Entry &e : target.entries) most = std::max(most, e.workspaceBytes);
    return most;
  }

  // --- the file
  void printTop() {
    std::string guard = fmt::format("NETC_MODEL_{}_H", name);
    for (char &c : guard) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    line("// {} compiled by {}; do not edit.\n//", source, version());
    line("//     {}::Model model;", name);
    if (trains()) line("//     float loss = model.trainStep({});", call(inputsAndTargets(), {}));
    if (predicts()) line("//     model.predict({});", call(inputs, outputs));
    line("//\n// Arrays hold `count` samples, row-major. C programs find the same functions below.");
    line("#ifndef {0}\n#define {0}\n", guard);
    line("#include <netc/netc.h>\n{}", selfTest ? "#include <netc/self_test.h>\n" : "");
    line("#ifdef __cplusplus\n#include <netc/model.h>\n\n#include <limits>\n");
    line("extern \"C\" const NetcModel {};\n\nnamespace {} {{\n", symbol, name);
  }

  void printModel() {
    line("class Model {{\n public:");
    printConstants();
    const bool given = std::any_of(p.tensors.begin(), p.tensors.end(), [](const Tensor &t) { return t.init == Tensor::Init::Values; });
    comment(
        fmt::format("Initial parameters are {}; for the other options see netc/model.h. status() becomes ok, outOfMemory, noTarget (this "
                    "machine, or options.target) or badModel (of another netc than the runtime).",
                    given ? "those that netc was given" : "a function of options.seed"));
    line("  explicit Model(const netc::Options &options = {{}}) : core_({}, options) {{}}", symbol);
    line("\n  /// Of the construction or of the last call that can fail; message() says more.");
    line("  netc::Status status() const {{ return core_.status(); }}");
    line("  const char *message() const {{ return core_.message(); }}\n");
    if (trains()) printTrainSteps();
    if (evaluates()) printEvaluate();
    if (predicts()) {
      printPredictComment();
      signature("  netc::Status predict(", parameters(inputs, outputs, false));
      printPredictBody("core_.run(\"predict\", ");
    }
    printFiles();
    if (trains()) printRates();
    printParameters();
    line("  /// The instruction set in use: \"x86-64-v4\", ...");
    line("  const char *target() const {{ return core_.target(); }}");
    line("  netc::Core &core() {{ return core_; }}\n\n private:");
    if (predicts()) line("  friend class Predictor;");
    line("  netc::Core core_;\n}};\n");
  }

  void printConstants() {
    line("  static constexpr std::size_t maxBatch = {};", p.batch);
    for (const auto *list : {&inputs, &targets, &outputs})
      for (const Argument &a : *list)
        line("  static constexpr std::size_t {}Size = {}; ///< {}{}{}", a.name, a.size(), a.text(),
             a.batch ? ", one sample" : "", a.renamed());
    line("  /// All memory that a model uses, in bytes.");
    line("  static constexpr std::size_t memoryBytes = netc::Core::memoryBytes({}, {});\n", p.storeBytes,
         workspaceBytes());
    for (const Argument &a : targets) {
      if (a.tensor->classNames.empty()) continue;
      std::vector<std::string> quoted;
      for (const std::string &n : a.tensor->classNames) quoted.push_back(stringLiteral(n));
      line("{}\n", wrapped(fmt::format("  static constexpr const char *{}Names[] = {{{}}};", a.name, joined(quoted))));
    }
  }

  /// What a function reads and writes, with shapes; nothing where there are no arguments.
  void printArguments(const std::vector<Argument> &in, const std::vector<Argument> &out) {
    std::vector<std::string> list;
    for (const Argument &a : in) list.push_back(a.documented());
    for (const Argument &a : out) list.push_back(a.documented() + " receives the result");
    if (!list.empty()) comment(fmt::format("{}.", fmt::join(list, "; ")));
  }

  /// trainStep, by the first plan, and headStep by the plan head.
  void printTrainSteps() {
    Names methods;
    printTrainStep(*p.trainingEntry(), methods.take("trainStep"), "");
    methods.take("setStep");
    for (const Entry &e : p.entries)
      if (const std::string plan(planOf(e.name)); isTraining(e.name) && !plan.empty())
        printTrainStep(e, methods.take(plan + "Step"), stringLiteral(plan) + ", ");
  }

  void printTrainStep(const Entry &e, const std::string &method, const std::string &plan) {
    if (!e.plan.empty()) comment(fmt::format("The plan: train {}", e.plan));
    comment("One step on 1 to maxBatch samples: their loss, as the model says it, before the update. After an error it is NaN, and nothing "
            "has changed but status(): badCount, badLabel, nonFiniteLoss, badArgument (a null pointer).");
    printArguments(inputsAndTargets(), {});
    if (e.every > 0) {
      line("  /// Gradients are averaged over {} samples: the call that completes them makes the update.", e.every);
      line("  /// endWindow() makes it from those that there are.");
    }
    if (e.every < 0) line("  /// Gradients are averaged over the epoch: endEpoch() makes the update.");
    signature(fmt::format("  float {}(", method), parameters(inputsAndTargets(), {}, false));
    line("    const void *const inputs[] = {};", inputList(true, false));
    line("    return core_.trainStep({}inputs, count);\n  }}\n", plan);
  }

  void comment(const std::string &text) { line("{}", wrappedComment(text)); }
  /// The text of a comment over as many lines as it needs.
  static std::string wrappedComment(const std::string &text) {
    constexpr std::size_t most = 112;
    std::string lines = "  ///";
    std::size_t column = lines.size();
    for (const std::string &word : words(text)) {
      if (column + 1 + word.size() > most) lines += "\n  ///", column = 5;
      lines += " " + word;
      column += 1 + word.size();
    }
    return lines;
  }
  static std::vector<std::string> words(const std::string &text) {
    std::vector<std::string> list(1);
    for (const char c : text) {
      if (c == ' ') list.emplace_back();
      else list.back() += c;
    }
    return list;
  }

  void printEvaluate() {
    line("  /// Losses and metrics over the samples of a call; NaN when it failed.");
    line("  struct Evaluation {{");
    for (const Argument &a : evaluation) {
      const std::string type = element(a.type, false);
      if (!a.shape.empty()) line("    {} {}[{}] = {{}}; ///< {}{}", type, a.name, a.size(), a.text(), a.renamed());
      else if (a.type == DType::F32) line("    float {} = std::numeric_limits<float>::quiet_NaN();", a.name);
      else line("    {} {} = {{}};", type, a.name);
    }
    line("  }};");
    comment("Of 1 to maxBatch samples; changes nothing but status(): badCount, badLabel, badArgument (a null pointer).");
    printArguments(inputsAndTargets(), {});
    signature("  Evaluation evaluate(", parameters(inputsAndTargets(), {}, false));
    std::vector<std::string> places;
    for (const Argument &a : evaluation) places.push_back((a.shape.empty() ? "&result." : "result.") + a.name);
    line("    Evaluation result;");
    line("    const void *const inputs[] = {};", inputList(true, false));
    line("    void *const outputs[] = {{{}}};", joined(places));
    line("    if (core_.run(\"evaluate\", inputs, outputs, count) != netc::Status::ok) return {{}};");
    line("    return result;\n  }}\n");
  }

  void printPredictComment() {
    comment("Of 1 to maxBatch samples; changes nothing but status(): ok, badCount or badArgument (a null pointer).");
    printArguments(inputs, outputs);
  }
  void printPredictBody(const std::string &function) {
    line("    const void *const inputs[] = {};", inputList(false, false));
    line("    void *const outputs[] = {};", outputList(outputs, false));
    line("    return {}inputs, outputs, count);\n  }}\n", function);
  }

  void printFiles() {
    comment("Parameters and running statistics, as safetensors. Errors: ioError; in loading, badFile (no safetensors file, or a damaged "
            "one) or mismatch (of another model), and then nothing has changed.");
    printFilesOf("");
    if (!trains()) return;
    line("  /// Also the optimizer's state, step, epoch and seed: training goes on as if it had not stopped.");
    printFilesOf("State");
  }
  void printFilesOf(std::string_view what) {
    line("  netc::Status save{0}(const char *path) const {{ return core_.save{0}(path); }}", what);
    line("  netc::Status load{0}(const char *path) {{ return core_.load{0}(path); }}", what);
    comment("In memory: `size` holds the bytes at `buffer` and becomes those needed (badArgument: too few); a null buffer only asks.");
    line("  netc::Status save{0}(void *buffer, std::size_t *size) const {{ return core_.save{0}(buffer, size); }}", what);
    line("  netc::Status load{0}(const void *buffer, std::size_t size) {{ return core_.load{0}(buffer, size); }}\n", what);
  }

  void printRates() {
    line("  /// Every `lr`, instead of the model's own: finite and not negative, else badArgument.");
    line("  netc::Status setLearningRate(float rate) {{ return core_.setLearningRate(rate); }}");
    line("  void useSchedule() {{ core_.useSchedule(); }} ///< the model's own again");
    comment("Updates of the parameters so far, which count themselves, and passes over the data: rates are expressions of them.");
    line("  void setStep(std::uint64_t step) {{ core_.setStep(step); }}");
    line("  void setEpoch(std::uint64_t epoch) {{ core_.setEpoch(epoch); }}");
    if (std::any_of(p.entries.begin(), p.entries.end(), [](const Entry &e) { return e.every != 0; })) {
      line("  /// The update of samples that await one, if there are any; endEpoch() also counts the epoch.");
      line("  netc::Status endWindow() {{ return core_.endWindow(); }}");
      line("  netc::Status endEpoch() {{ return core_.endEpoch(); }}");
    } else {
      line("  netc::Status endEpoch() {{ return core_.endEpoch(); }} ///< counts the epoch");
    }
    line("  void setSteps(std::uint64_t steps) {{ core_.setSteps(steps); }} ///< the planned length, in steps\n");
  }

  void printParameters() {
    std::vector<std::string> list;
    for (const Tensor &t : p.tensors)
      if (t.role == Tensor::Role::Param) list.push_back(fmt::format("{}[{}]", t.name, fmt::join(t.shape, ", ")));
    if (list.empty()) return;
    comment("Views of the parameters, for parameter(i).get(values) and .set(values), all elements in row-major order:");
    std::string text = "  ///";
    for (const std::string &item : list) {
      if (text.size() + item.size() > 112) {
        line("{}", text);
        text = "  ///";
      }
      text += " " + item + (&item == &list.back() ? "" : ",");
    }
    line("{}", text);
    line("  std::size_t parameterCount() const {{ return core_.parameterCount(); }}");
    line("  netc::Tensor parameter(std::size_t i) {{ return core_.parameter(i); }}");
    line("  /// parameterCount() if there is none of this name.");
    line("  std::size_t parameterIndex(const char *name) const {{ return core_.parameterIndex(name); }}\n");
  }

  void printPredictor() {
    line("/// Predictions with weights and scratch of its own: one a thread, beside a Model that trains.");
    line("class Predictor {{\n public:");
    line("  explicit Predictor(const Model &model) : core_(model.core_) {{}}");
    line("  /// Of the construction or of the last call; message() says more.");
    line("  netc::Status status() const {{ return core_.status(); }}");
    line("  const char *message() const {{ return core_.message(); }}\n");
    comment("Copies the model's weights again; not while it is in a step. Error: badArgument (its construction failed).");
    line("  netc::Status refresh(const Model &model) {{ return core_.refresh(model.core_); }}\n");
    printPredictComment();
    signature("  netc::Status predict(", parameters(inputs, outputs, false));
    printPredictBody("core_.run(");
    line(" private:\n  netc::CorePredictor core_;\n}};\n");
  }

  void printSelfTest() {
    line("/// Compares the compiled code, on this machine, with double arithmetic on the formulas as they were written, and their");
    line("/// gradients with finite differences: ok or wrongResult, or noTarget, outOfMemory. Makes models of its own and leaves all");
    line("/// others alone. `message` (null, or room for 256 bytes) becomes what differs and where, \"\" after ok; `target` names an");
    line("/// instruction set, null the best.");
    line("inline netc::Status modelSelfTest(char *message = nullptr, const char *target = nullptr) {{");
    line("  return netc::selfTest({}, message, target);\n}}\n", symbol);
  }

  // --- C
  void printC() {
    const bool usesBool = [&] {
      for (const auto *list : {&inputs, &targets, &outputs, &evaluation})
        for (const Argument &a : *list)
          if (a.type == DType::Bool) return true;
      return false;
    }();
    if (usesBool) line("#include <stdbool.h>\n");
    line("extern const NetcModel {};\n", symbol);
    std::string constants = fmt::format("{}_max_batch = {}", name, p.batch);
    for (const auto *list : {&inputs, &targets, &outputs})
      for (const Argument &a : *list) constants += fmt::format(", {}_{}_size = {}", name, a.name, a.size());
    line("{}\n", wrapped(fmt::format("enum {{ {} }};", constants), 7));
    line("/* Functions return 0 or a code that netc_text() explains; netc_message(model) says more. `options` may be null.");
    line(" * Arguments: the model, inputs, count, then what is written:");
    for (const auto *list : {&inputs, &targets, &outputs})
      for (const Argument &a : *list) line(" *   {}", a.documented());
    line(" */");
    line("static inline int {}_create(const NetcOptions *options, NetcCore **model) {{", name);
    line("  return netc_create(&{}, options, model);\n}}\n", symbol);
    line("static inline void {}_destroy(NetcCore *model) {{ netc_destroy(model); }}", name);
    if (trains()) printCTrainSteps();
    if (evaluates()) printCRun("evaluate", inputsAndTargets(), evaluation, true);
    if (predicts()) printCRun("predict", inputs, outputs, false);
    if (!selfTest) return;
    line("\n/* Compiled code against the formulas, on this machine: NETC_OK, NETC_WRONG_RESULT, ... `message` (NULL, or room for 256");
    line(" * bytes) becomes what differs and where; `target` names an instruction set, NULL the best. */");
    line("static inline int {}_self_test(char *message, const char *target) {{", name);
    line("  return netc_self_test(&{}, message, target);\n}}", symbol);
  }

  void printCTrainSteps() {
    Names functions;
    line("\n/* `loss` may be null; it is NaN when the step was not taken. */");
    printCTrainStep(functions.take("train_step"), "NULL");
    for (const Entry &e : p.entries)
      if (const std::string plan(planOf(e.name)); isTraining(e.name) && !plan.empty())
        printCTrainStep(functions.take(plan + "_step"), stringLiteral(plan));
  }

  void printCTrainStep(const std::string &function, const std::string &plan) {
    std::vector<std::string> params = parameters(inputsAndTargets(), {}, true);
    params.push_back("float *loss");
    signature(fmt::format("static inline int {}_{}(NetcCore *model, ", name, function), params);
    line("  const void *const inputs[] = {};", inputList(true, true));
    line("  return netc_train_plan(model, {}, inputs, count, loss);\n}}", plan);
  }

  void printCRun(const std::string &entry, const std::vector<Argument> &in, const std::vector<Argument> &results,
                 bool withTargets) {
    out += '\n';
    signature(fmt::format("static inline int {}_{}(NetcCore *model, ", name, entry), parameters(in, results, true));
    line("  const void *const inputs[] = {};", inputList(withTargets, true));
    line("  void *const outputs[] = {};", outputList(results, true));
    line("  return netc_run(model, \"{}\", inputs, outputs, count);\n}}", entry);
  }

  /// A function's first line: `before`, its parameters, `after`.
  void signature(const std::string &before, const std::vector<std::string> &params, const std::string &after = ") {") {
    out += wrapped(before + joined(params) + after, before.rfind('(') + 1) + '\n';
  }

  template <class... Args> void line(fmt::format_string<Args...> format, Args &&...args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
    out += '\n';
  }

  const std::vector<Program> &programs;
  const Program &p; // the interface, which all have in common
  const bool selfTest;
  const std::string source, name, symbol;
  Names names;
  std::vector<Argument> inputs, targets, outputs, evaluation;
  std::string out;
};

} // namespace

std::string header(const std::vector<Program> &programs, const std::string &sourceName, bool selfTest) {
  return HeaderPrinter(programs, sourceName, selfTest).print();
}

} // namespace netc::codegen
