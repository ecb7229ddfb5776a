#pragma once

#include "tipple/core/log.h"
#include "tipple/io/file_system.h"
#include "tipple/package/package.h"
#include "tipple/schema/schema.h"

namespace tipple::destination {

/// Digits behind the second that a store keeps of a column of timestamps or times; 6 = all that there are.
using KeptDigits = int (*)(const schema::Column& column);
constexpr int all_digits = 6;

/// Warns of columns of which the store rounds values of the package, with how many and the first one. A hint asks for so few digits, and nobody may lose
/// any without a word. Files by reference are not looked at; only columns with few digits are read again.
void warn_of_rounded_times(io::FileSystem& files, const package::Package& package, KeptDigits kept, const Log& log);

}  // namespace tipple::destination
