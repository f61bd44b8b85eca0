#include "compiler/driver/option_table.h"

#include <fmt/format.h>

namespace netc::driver {
namespace {

/// No line is wider than 80 columns, no --help longer than 23 lines, which leaves one of a screen to type in
/// (test/driver/help.test).
constexpr Command commands[] = {
    {"compile", "to C++, an object file or the text of any stage (the default)",
     R"(usage: netc [compile] FILE.net|.graph|.loops -o FILE | --emit=STAGE

  netc lenet5.net -o lenet5.cpp      C++ for AVX-512 and AVX2, with lenet5.h
  netc lenet5.net -o lenet5.o        also .ll .bc .s, by extension
  netc lenet5.net --emit=gradient    prints a stage
  netc x.graph --pass=simplify,cse --emit=graph

Stages: ast graph gradient optimized layouts schedule fusion memory dot svg
loops cpp llvm.
)"},
    {"train", "trains a model in this process", R"(usage: netc train FILE.net [--data SOURCE] [options]

  netc train examples/lenet5/lenet5.net        the built-in digits
  netc train lenet5.net --data mnist/ --epochs 3 --threads 2
  netc train iris.net --data iris.csv --bind x=c1..c4 --bind label=c5 --out run

SOURCE: a folder with the MNIST files, or with a folder of pictures a class, or
a .csv file. With --out, the same command with --resume goes on after Ctrl-C or
a crash, to the same bits.
)"},
    {"evaluate", "prints loss, metrics and confusion on test data",
     R"(usage: netc evaluate FILE.net --weights FILE [--data SOURCE] [options]

  netc evaluate lenet5.net --weights w.safetensors --data mnist/
  netc evaluate lenet5.net --weights w.safetensors --data mnist/ --json
)"},
    {"predict", "prints what a trained model says about data",
     R"(usage: netc predict FILE.net --weights FILE [FILE... | --data SOURCE] [options]

  netc predict pictures.net --weights w.safetensors bee.jpg more/
  netc predict lenet5.net --weights w.safetensors --data mnist/ --top 3
  netc predict iris.net --weights w.safetensors flowers.csv --format csv

Of a SOURCE with a test part, the samples of that part are shown, numbered from
0. A classifier shows the likeliest classes, any other model its outputs. JSON
is one object a line.
)"},
    {"run", "feeds arrays in, prints or saves any value or gradient",
     R"(usage: netc run FILE --input NAME=FILE... --print NAME,... | --save NAME=FILE

  netc run mlp.net --input x=x.npy --print y,h
  netc run mlp.net --input x=x.npy --input t=t.csv --print 'grad(w)'
  netc run mlp.net --input x=x.npy --weights w.safetensors --save y=y.npy

Engines: eval (the reference evaluator in float64), eval32 (in float32), jit
(compiled code).
)"},
    {"check", "compares gradients with differences, code with the evaluator", R"(usage: netc check FILE.net|.graph [options]

  netc check lenet5.net                 differences in float64; both back ends
  netc check lenet5.net --engine jit    without the C++ (by $CXX, else c++)
)"},
    {"bench", "times a training step and a prediction", R"(usage: netc bench FILE.net [--batch N] [--threads T] [--json]

  netc bench lenet5.net --batch 64     random data in memory, beside the peak
)"},
    {"tune", "measures schedules and keeps the fastest", R"(usage: netc tune FILE.net [-o FILE.sched] [--batch N] [--budget N] [options]

  netc tune lenet5.net --batch 64               writes lenet5.sched
  netc train lenet5.net --tuning lenet5.sched   and any other command

The bits are the same with it or without. Of each kernel at most eight ways to
run it, which the cost model likes best, take turns in a step. Ctrl-C ends the
measuring and keeps what is known by then.
)"},
    {"explain", "derives the gradients, step by step, for people to read",
     R"(usage: netc explain FILE.net [--format text|md|tex|html] [-o FILE]

  netc explain mlp.net                 the formulas and their gradients
  netc explain mlp.net -o mlp.html     one page; also .md and .tex
)"},
    {"fmt", "formats a .net file", R"(usage: netc fmt FILE.net [--write | -o FILE]

  netc fmt lenet5.net                   prints the formatted text
  netc fmt lenet5.net --write           formats the file in place
)"},
};

/// Which commands take an option; letters are the commands' in the order above.
enum Takes : unsigned { C = 1, T = 2, E = 4, P = 8, R = 16, K = 32, B = 64, U = 128, X = 256, F = 512, Models = 255, All = 1023 };

constexpr bool rare = true;

constexpr OptionRow rows[] = {
    {",o", "FILE", "the output; its extension says what it holds", C | U | X | F},
    {"standalone", "", "the runtime goes into the .cpp and .h, too", C},
    {"predict-only", "", "nothing of training; with --weights they are inside", C},
    {"selftest", "", "adds modelSelfTest(): code against formulas", C},
    {"depfile", "FILE", "also write a make rule: what -o depends on", C, rare},
    {"emit", "STAGE", "print a stage's text instead", C},
    {"pass", "A,B", "run just these passes (of graphs or of loops)", C, rare},
    {"print-after-all", "", "print the graph after each pass (stderr)", C, rare},
    {"batch", "N", "the largest batch (default 64)", Models | X},
    {"set", "NAME=VALUE", "override a const of the model", Models | X},
    {"plan", "NAME", "train by this plan of the model", Models | X, rare},
    {"target", "NAME", "x86-64-v4, x86-64-v3, aarch64, native; -o: also A,B", Models, rare},
    {"schedule", "FILE", "take the schedule from a .sched file", Models, rare},
    {"tuning", "FILE", "take what netc tune found for this target", Models, rare},
    {"max-memory", "SIZE", "at most so many bytes at run time: 512K, 3M, 1G", Models, rare},
    {"fast-math", "HOW", "winograd4: faster convolutions, some bits less", Models, rare},
    {"data", "SOURCE", "a folder or .csv file (default: built-in digits)", T | E | P},
    {"bind", "NAME=ARRAY", "feed an input from this array (or c1..c4)", T | E | P | R},
    {"validation", "PART", "test on this part of the training data: 0.1", T | E, rare},
    {"data-memory", "SIZE", "keep at most so much of it in memory (default 1G)", T | E | P, rare},
    {"class-weights", "HOW", "balanced, or a file of a number a class", T | E, rare},
    {"augment", "STEPS", "prepare pictures so, not as the model says", T | E | P, rare},
    {"epochs", "N", "passes over the training data (default 5)", T},
    {"steps", "N", "stop after so many steps", T, rare},
    {"seed", "N", "of parameters, order and uniform() (default 0)", T | E | P | R | K | B | U, rare},
    {"threads", "N", "default 1", T | E | P | R | K | B},
    {"weights", "FILE", "read parameters (.safetensors) first", C | T | E | P | R | K},
    {"map", "HOW", "take what fits of --weights: names, order, or FROM=TO", T, rare},
    {"weights-out", "FILE", "write parameters at the end", T, rare},
    {"out", "DIR", "a folder for weights, metrics, report, checkpoints", T},
    {"checkpoint-every", "N", "steps, or 30s, 2min, 1h, epoch (default 1min)", T, rare},
    {"keep", "N", "as many of the last checkpoints (default 3)", T, rare},
    {"resume", "", "go on from the last checkpoint in --out", T},
    {"input", "NAME=FILE", "an array: .npy or .csv", R},
    {"print", "NAME,..", "print values; grad(NAME) for a gradient", R},
    {"save", "NAME=FILE", "save a value as .npy", R},
    {"engine", "NAME", "eval, eval32 or jit (default eval)", R},
    {"engine", "NAME", "jit or cpp: one back end only (default both)", K},
    {"budget", "N", "seconds for compiling and measuring (default 60)", U},
    {"top", "N", "show so many classes (default 5)", P},
    {"format", "NAME", "text, csv or json (default text)", P},
    {"format", "NAME", "text, md, tex or html (default text)", X},
    {"write", "", "write the result to the file itself", F},
    {"quiet", "", "print the results only", T | E | K | B | U, rare},
    {"json", "", "one line of JSON a result", T | E | P | R | K | B | U, rare},
    {"help", "", "what is used most", All, rare},
    {"help-all", "", "all options", All, rare},
    {"version", "", "the version", All, rare},
};

} // namespace

std::span<const Command> commandTable() { return commands; }
std::span<const OptionRow> optionTable() { return rows; }

unsigned commandBit(std::string_view command) {
  for (unsigned i = 0; i < std::size(commands); ++i)
    if (commands[i].name == command) return 1u << i;
  return 0;
}

std::string spelled(const OptionRow &r) {
  return r.name[0] == ',' ? fmt::format("-{}", r.name.substr(1)) : fmt::format("--{}", r.name);
}

} // namespace netc::driver
