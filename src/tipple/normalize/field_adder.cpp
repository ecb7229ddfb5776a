#include "tipple/normalize/field_adder.h"

#include <algorithm>
#include <limits>

#include "tipple/core/text.h"
#include "tipple/normalize/json_values.h"

namespace tipple::normalize {

void FieldAdder::begin_page(const JsonPage& page) {
    page_ = page;
    fields_.clear();
    counted_offset_ = 0;
    counted_lines_ = 0;
    if (page.added == nullptr) return;
    const auto add = [&](std::string name, schema::Value value) {
        std::string column = tables_.rules().naming->normalize_path(name);
        fields_.push_back({.name = std::move(name), .column = std::move(column), .value = std::move(value)});
    };
    for (const auto& [name, value] : page.added->constants) add(name, value);
    if (!page.added->place.empty()) add(std::string(page.added->place), schema::Value());
}

void FieldAdder::find_place(std::size_t offset) {
    const AddedFields& added = *page_.added;
    if (added.place.empty()) return;
    std::uint64_t place = 0;
    if (added.line > 0) {
        // Records come in their order, but a page that holds something broken is walked again from there.
        if (offset < counted_offset_) counted_offset_ = counted_lines_ = 0;
        counted_lines_ += count_lines(page_.text.substr(counted_offset_, offset - counted_offset_));
        counted_offset_ = offset;
        place = added.line + counted_lines_;
    } else {
        const auto& starts = page_.record_starts;
        place = added.records_before + static_cast<std::uint64_t>(std::upper_bound(starts.begin(), starts.end(), offset) - starts.begin());
    }
    fields_.back().value = static_cast<std::int64_t>(place);
}

PutResult FieldAdder::put(TableState& table, std::size_t offset) {
    find_place(offset);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const Field& field = fields_[i];
        // Behind all fields of the record, before the columns of the system.
        constexpr std::int32_t last = std::numeric_limits<std::int32_t>::max();
        const auto order = [&] { return FieldOrder{last - 1, last, static_cast<std::int32_t>(i)}; };
        const ColumnState* own = table.find(field.column);
        const bool has_own = own != nullptr && own->builder.length() == table.rows;
        const PutResult result = has_own ? PutResult::collided : tables_.put(table, field.column, field.value, order);
        if (result == PutResult::collided) {
            return tables_.reject(table, field.column, fmt::format("the record has a field \"{}\" of its own, and one of that name is to be added to it; leave that out, or rename the record's", field.name));
        }
        if (result != PutResult::done) return result;
    }
    return PutResult::done;
}

std::optional<schema::Value> FieldAdder::with_fields(const schema::Value& record, std::size_t offset) {
    const auto* object = record.get_if<schema::Object>();
    if (object == nullptr) return std::nullopt;
    find_place(offset);
    schema::Object copy = *object;
    for (const Field& field : fields_) {
        if (std::any_of(object->begin(), object->end(), [&](const schema::Field& own) { return own.name == field.name; })) return std::nullopt;
        copy.push_back({field.name, field.value});
    }
    return schema::Value(std::move(copy));
}

std::string FieldAdder::with_fields(std::string_view text, std::size_t offset) {
    find_place(offset);
    schema::Object added;
    for (const Field& field : fields_) {
        if (text.find('"' + field.name + '"') == std::string_view::npos) added.push_back({field.name, field.value});
    }
    if (added.empty() || !text.starts_with('{') || !text.ends_with('}')) return std::string(text);
    const std::string more = to_json_text(added);
    const std::string_view members = text.substr(0, text.size() - 1);
    const bool is_empty = members.find_first_not_of(" \t\r\n", 1) == std::string_view::npos;
    return fmt::format("{}{}{}", members, is_empty ? "" : ",", std::string_view(more).substr(1));
}

}  // namespace tipple::normalize
