#pragma once

#include <memory>

#include "tipple/json/value.h"
#include "tipple/source/source.h"

namespace tipple::golden {

/// Column hints of a case: a list, or an object by name.
std::vector<schema::Column> make_columns(const json::Value& hints);

/// One name or a list of names; nullptr = none.
std::vector<std::string> make_names(const json::Value* value);

/// The resources of one run of a case as a source. Throws Error(usage) for what cases can say but this runner cannot do.
std::unique_ptr<extract::SourceDriver> make_case_source(const std::string& name, const json::Array& resources);

/// Of a write disposition in its object form.
schema::MergeOptions merge_options(const json::Object& disposition);

}  // namespace tipple::golden
