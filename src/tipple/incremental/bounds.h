#pragma once

#include "tipple/schema/value.h"

namespace tipple::incremental {

/// A bound as the type and, for texts, in the form of `like`, a value of the records: a timestamp follows it in whether it has a zone. With
/// `converts`, also text becomes a number, a date or a time, and those become text. What cannot be turned stays as it is.
schema::Value adapt_bound(const schema::Value& bound, const schema::Value& like, bool converts);

}  // namespace tipple::incremental
