#include "tipple/normalize/schema_writer.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/schema/widening.h"

namespace tipple::normalize {

SchemaWriter::SchemaWriter(schema::Schema start)
    : current_(std::make_shared<const schema::Schema>(std::move(start))), start_(current_) {}

std::shared_ptr<const schema::Schema> SchemaWriter::snapshot() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

void SchemaWriter::publish(schema::Schema schema) {
    auto next = std::make_shared<const schema::Schema>(std::move(schema));
    const std::lock_guard lock(mutex_);
    current_ = std::move(next);
}

namespace {

/// Whether a column that a page wants to add is the one that is there.
bool agrees(const schema::Column& proposed, const schema::Column& existing) {
    return proposed.data_type() == existing.data_type() && proposed.has_timezone() == existing.has_timezone() &&
           proposed.precision() == existing.precision() && proposed.scale() == existing.scale();
}

/// Digits of a decimal column that holds what is in both; nothing when there is none.
std::optional<schema::DecimalDigits> common_digits(const schema::Column& existing, const schema::Column& wider) {
    return schema::widest(schema::decimal_digits(existing), schema::decimal_digits(wider));
}

bool can_hold(const schema::Column& existing, const schema::Column& wider) {
    return existing.data_type() == wider.data_type() && common_digits(existing, wider).has_value();
}

bool has_conflict(const TableProposal& proposal, const schema::Schema& schema) {
    const schema::Table* table = schema.find(proposal.table);
    if (table == nullptr) return false;
    if (proposal.must_be_new && table->has_complete_columns()) return true;
    // Another page has made the table under another parent: shredding again finds the error and names both lists.
    if (table->is_nested() && table->parent() != proposal.parent) return true;
    for (const schema::Column& column : proposal.columns) {
        const schema::Column* existing = table->find(column.name());
        if (existing != nullptr && existing->is_complete() && !agrees(column, *existing)) return true;
    }
    return std::any_of(proposal.wider.begin(), proposal.wider.end(),
                       [&](const schema::Column& column) { return !can_hold(*table->find(column.name()), column); });
}

void apply(const TableProposal& proposal, schema::Schema& schema) {
    const schema::Table* existing = schema.find(proposal.table);
    schema::Table table = existing != nullptr ? *existing : schema::Table(proposal.table);
    if (existing == nullptr && !proposal.parent.empty()) table.set_property("parent", proposal.parent);
    for (const schema::Column& column : proposal.columns) {
        const schema::Column* known = table.find(column.name());
        if (known == nullptr) {
            table.set_column(column);
        } else if (!known->is_complete()) {
            table.complete_column(column);
        }
    }
    for (const schema::Column& column : proposal.wider) {
        schema::Column& known = *table.find(column.name());
        const schema::DecimalDigits digits = *common_digits(known, column);
        known.set_hint("precision", digits.precision);
        known.set_hint("scale", digits.scale);
    }
    schema.set_table(std::move(table));
}

}  // namespace

SchemaWriter::Admission SchemaWriter::admit(const std::vector<TableProposal>& proposals) {
    if (proposals.empty()) return Admission::admitted;
    schema::Schema next = *snapshot();
    for (const TableProposal& proposal : proposals) {
        if (has_conflict(proposal, next)) return Admission::conflict;
    }
    for (const TableProposal& proposal : proposals) apply(proposal, next);
    publish(std::move(next));
    return Admission::admitted;
}

void SchemaWriter::set_table(schema::Table table) {
    schema::Schema next = *snapshot();
    next.set_table(std::move(table));
    publish(std::move(next));
}

void SchemaWriter::reset(schema::Schema earlier) { publish(std::move(earlier)); }

void SchemaWriter::begin_part(schema::Schema loaded) {
    publish(std::move(loaded));
    start_ = snapshot();
}

json::Object SchemaWriter::change() const {
    json::Object change;
    for (const auto& table : snapshot()->tables()) {
        const schema::Table* before = start_->find(table->name());
        json::Array added;
        for (const schema::Column& column : table->columns()) {
            if (!column.is_complete()) continue;
            const schema::Column* old = before != nullptr ? before->find(column.name()) : nullptr;
            if (old == nullptr || !old->is_complete()) added.emplace_back(column.name());
        }
        if (!added.empty()) change.set(table->name(), std::move(added));
    }
    return change;
}

}  // namespace tipple::normalize
