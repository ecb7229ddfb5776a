#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/schema/name_rule.h"
#include "tipple/schema/schema.h"
#include "tipple/schema/value.h"

namespace tipple::schema {

/// What a schema's settings say about columns that are not known yet: detectors, preferred types, default hints. Built once per schema;
/// immutable. Rules are normalized with the schema's naming convention by whoever wrote the settings.
class Inference {
public:
    /// `now_us` is the reference point of the `timestamp` detector.
    Inference(const Schema& schema, std::int64_t now_us);

    /// First detector that recognises `value`, or nothing.
    std::optional<DataType> detect(const Value& value) const;
    /// Only what concerns text: whether `text` reads as a timestamp or date and which, for the hot path.
    std::optional<DataType> detect_text(std::string_view text) const;
    bool detects_integers() const { return detects_integers_; }

    /// The first preferred type rule that matches the column name.
    std::optional<DataType> preferred_type(std::string_view column) const;

    /// The type of a new column that first holds `value`: preferred, detected, natural. Preferred types do not apply to variants.
    DataType infer(std::string_view column, const Value& value, bool is_variant) const;

    /// A new column of that name: nullable by the `not_null` rules, every other matching default hint set.
    Column make_column(std::string_view column, DataType type) const;
    bool is_not_null(std::string_view column) const;

private:
    std::vector<std::string> detectors_;
    std::vector<std::pair<std::shared_ptr<const NameRule>, DataType>> preferred_;
    std::vector<std::pair<std::string, std::vector<std::shared_ptr<const NameRule>>>> default_hints_;
    std::int64_t now_us_ = 0;
    bool detects_integers_ = false;
    bool detects_text_timestamp_ = false;
    bool detects_text_date_ = false;
};

}  // namespace tipple::schema
