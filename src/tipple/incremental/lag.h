#pragma once

#include "tipple/incremental/spec.h"

namespace tipple::incremental {

/// Where reading begins when `last` is the last value: `spec.lag` behind it, but not behind `spec.initial_value`. Throws Error(usage) for
/// values that have no distance.
schema::Value apply_lag(const Spec& spec, const schema::Value& last);

}  // namespace tipple::incremental
