// Checks the loop IR. Reports all violations, each at its place in the text if there is one, naming kernel, operand,
// found and expected. A declaration or a statement is reported once, and of a buffer or register that a report
// speaks about nothing more is said: the next one would likely be the same mistake seen from elsewhere.
//
//  1. Buffers, registers, variables, scalars that are named exist; names are unique; offsets are multiples of 64.
//  2. Operations are primitives with the right number and types of arguments; stores match their buffer's type.
//  3. Variables are used only inside their loop; no loop reuses a variable of a loop around it.
//  4. Register indices are in range for all values of their variables.
//  5. Addresses of loads and stores are in range for every count from 1 to the batch.
//  6. Constants and inputs are never stored to; kernels before `commit` do not store to the store.
//  7. Store buffers and workspace buffers lie inside storeBytes and workspaceBytes; inputs and outputs have the type and
//     size of their slot.
//  8. A kernel that runs depth first with the next one has the same parallel extent, or as many turns; no commit stands between them.
//  9. Only entries named accumulate (of any plan) say `every`, 1 or more or -1; then the plan has an entry apply.
#pragma once

#include "compiler/loop/loop.h"
#include "compiler/support/diagnostics.h"

namespace netc::loop {

bool verify(const Program &, Diagnostics &);

} // namespace netc::loop
