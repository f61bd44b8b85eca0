#include "tables.h"

#include "netc/model.h"
#include "failure.h"

#include <cstdio>
#include <cstring>

namespace netc {

std::size_t bytesOf(std::int64_t type) {
  return type == NETC_F32 || type == NETC_I32 ? 4 : 1;
}

std::size_t elementCount(const std::int64_t *shape, std::int64_t rank) {
  std::size_t count = 1;
  for (std::int64_t axis = 0; axis < rank; ++axis)
    count *= static_cast<std::size_t>(shape[axis]);
  return count;
}

bool inStore(const NetcTensor &tensor) {
  return tensor.role == NETC_PARAM || tensor.role == NETC_STATE;
}

bool isOptimizerState(const NetcModel &model, const NetcTensor &tensor) {
  if (tensor.role != NETC_STATE) return false;
  for (std::int64_t i = 0; i < model.tensorCount; ++i) {
    const NetcTensor &parameter = model.tensors[i];
    std::size_t length = std::strlen(parameter.name);
    if (parameter.role == NETC_PARAM && !std::strncmp(tensor.name, parameter.name, length) &&
        tensor.name[length] == '.')
      return true;
  }
  return false;
}

const NetcEntry *findEntry(const NetcTarget &target, const char *name) {
  for (std::int64_t i = 0; i < target.entryCount; ++i)
    if (!std::strcmp(target.entries[i].name, name)) return &target.entries[i];
  return nullptr;
}

static const char *roleOf(const char *entry) {
  const char *dot = std::strrchr(entry, '.');
  return dot ? dot + 1 : entry;
}

static bool isOfPlan(const char *entry, const char *plan, std::size_t length) {
  const char *role = roleOf(entry);
  std::size_t own = role == entry ? 0 : static_cast<std::size_t>(role - entry) - 1;
  return own == length && !std::strncmp(entry, plan, length);
}

bool isTraining(const NetcEntry &entry) {
  return !std::strcmp(roleOf(entry.name), "trainStep") || !std::strcmp(roleOf(entry.name), "accumulate");
}

bool isUpdate(const NetcEntry &entry) {
  return !std::strcmp(roleOf(entry.name), "apply");
}

const NetcEntry *trainingEntry(const NetcTarget &target, const char *plan) {
  for (std::int64_t i = 0; i < target.entryCount; ++i) {
    const NetcEntry &entry = target.entries[i];
    if (isTraining(entry) && (!plan || isOfPlan(entry.name, plan, std::strlen(plan)))) return &entry;
  }
  return nullptr;
}

const NetcEntry *besides(const NetcTarget &target, const NetcEntry &of, const char *role) {
  std::size_t before = static_cast<std::size_t>(roleOf(of.name) - of.name), plan = before ? before - 1 : 0;
  for (std::int64_t i = 0; i < target.entryCount; ++i)
    if (isOfPlan(target.entries[i].name, of.name, plan) && !std::strcmp(roleOf(target.entries[i].name), role))
      return &target.entries[i];
  return nullptr;
}

std::size_t workspaceBytes(const NetcTarget &target) {
  std::int64_t most = 0;
  for (std::int64_t i = 0; i < target.entryCount; ++i)
    most = target.entries[i].workspaceBytes > most ? target.entries[i].workspaceBytes : most;
  return static_cast<std::size_t>(most);
}

namespace {

bool checkTensor(const NetcModel &model, const NetcTensor &tensor, char *message) {
  if (tensor.rank < 0 || tensor.rank > static_cast<std::int64_t>(maxRank))
    return fail(message, Status::badModel, "%s: rank %lld, expected at most %zu", tensor.name,
                static_cast<long long>(tensor.rank), maxRank),
           false;
  if (!inStore(tensor)) return true;
  if (tensor.type != NETC_F32)
    return fail(message, Status::badModel, "%s: parameters and states must be f32", tensor.name), false;
  std::size_t end = static_cast<std::size_t>(tensor.store) + 4 * elementCount(tensor.shape, tensor.rank);
  if (tensor.store < 0 || tensor.store % 4 != 0 || end > static_cast<std::size_t>(model.storeBytes))
    return fail(message, Status::badModel, "%s: does not lie in the store of %lld bytes", tensor.name,
                static_cast<long long>(model.storeBytes)),
           false;
  return true;
}

// For Options.target and NETC_TARGET. "native" code was compiled for the machine that it is on.
bool machineSupports(const char *target) {
  if (!std::strcmp(target, "native")) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (!std::strcmp(target, "x86-64-v3")) return v3;
  if (!std::strcmp(target, "x86-64-v4"))
    return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  return false;
#elif defined(__aarch64__)
  return !std::strcmp(target, "aarch64");
#else
  return false;
#endif
}

void listTargets(const NetcModel &model, char *list, std::size_t size) {
  std::size_t used = 0;
  list[0] = 0;
  for (std::int64_t i = 0; i < model.targetCount && used < size; ++i)
    used += static_cast<std::size_t>(
        std::snprintf(list + used, size - used, "%s%s", i ? ", " : "", model.targets[i].name));
}

} // namespace

bool checkTables(const NetcModel &model, char *message) {
  if (model.version != NETC_ABI_VERSION)
    return fail(message, Status::badModel, "tables of version %lld, this runtime has version %d",
                static_cast<long long>(model.version), NETC_ABI_VERSION),
           false;
  for (std::int64_t i = 0; i < model.tensorCount; ++i)
    if (!checkTensor(model, model.tensors[i], message)) return false;
  for (std::int64_t t = 0; t < model.targetCount; ++t)
    for (std::int64_t e = 0; e < model.targets[t].entryCount; ++e) {
      const NetcEntry &entry = model.targets[t].entries[e];
      if (entry.scalarCount > static_cast<std::int64_t>(Core::maxScalars) ||
          entry.resultCount > static_cast<std::int64_t>(Core::maxResults))
        return fail(message, Status::badModel,
                    "%s: %lld run-time scalars and %lld results, expected at most %zu and %zu", entry.name,
                    static_cast<long long>(entry.scalarCount), static_cast<long long>(entry.resultCount),
                    Core::maxScalars, Core::maxResults),
               false;
    }
  return true;
}

const NetcTarget *chooseTarget(const NetcModel &model, const char *name, char *message) {
  char list[120];
  listTargets(model, list, sizeof list);
  for (std::int64_t i = 0; i < model.targetCount; ++i) {
    const NetcTarget &target = model.targets[i];
    if (name && std::strcmp(target.name, name)) continue;
    if (machineSupports(target.name)) return &target;
    if (name)
      return fail(message, Status::noTarget, "this machine does not support the target %s", name), nullptr;
  }
  if (name)
    fail(message, Status::noTarget, "no target '%.40s'; the model has %s", name, list);
  else
    fail(message, Status::noTarget, "this machine supports none of the model's targets: %s", list);
  return nullptr;
}

} // namespace netc
