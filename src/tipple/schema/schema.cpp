#include "tipple/schema/schema.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::schema {

// Column

Column::Column(std::string name, DataType type, bool nullable) : name_(std::move(name)) {
    hints_.append("data_type", to_text(type));
    hints_.append("nullable", nullable);
    refresh();
}

Column::Column(std::string name, json::Object hints)
    : name_(std::move(name)), hints_(std::move(hints)) {
    hints_.erase("name");
    const json::Value* type = hints_.find("data_type");
    if (type != nullptr && !type->is_null()) {
        const auto found = type->is_text() ? find_data_type(type->as_text()) : std::nullopt;
        if (!found) {
            throw Error(ErrorKind::usage, "column \"{}\" has an unknown data type {}",
                        excerpt(name_), excerpt(json::to_text(*type)));
        }
        // An old name is written as the new one.
        hints_.set("data_type", to_text(*found));
    }
    const json::Value* nullable = hints_.find("nullable");
    if (nullable != nullptr && !nullable->is_null() && !nullable->is_bool()) {
        throw Error(ErrorKind::usage, "column \"{}\": nullable must be true or false, not a {}",
                    excerpt(name_), nullable->type_name());
    }
    refresh();
}

bool Column::has_timezone() const {
    const json::Value* timezone = hints_.find("timezone");
    return timezone == nullptr || !timezone->is_bool() || timezone->as_bool();
}

bool Column::flag(std::string_view hint) const {
    const json::Value* value = hints_.find(hint);
    if (value == nullptr || value->is_null()) return false;
    return !value->is_bool() || value->as_bool();
}

void Column::set_data_type(DataType type) {
    set_hint("data_type", to_text(type));
}
void Column::set_nullable(bool nullable) {
    set_hint("nullable", nullable);
}

void Column::set_hint(std::string_view hint, json::Value value) {
    hints_.set(hint, std::move(value));
    refresh();
}

void Column::erase_hint(std::string_view hint) {
    hints_.erase(hint);
    refresh();
}

std::optional<int> Column::find_int(std::string_view hint) const {
    const json::Value* value = hints_.find(hint);
    if (value == nullptr || !value->is_int()) return std::nullopt;
    const std::int64_t number = value->as_int();
    if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max())
        return std::nullopt;
    return static_cast<int>(number);
}

void Column::refresh() {
    const json::Value* type = hints_.find("data_type");
    data_type_ =
        type != nullptr && type->is_text() ? find_data_type(type->as_text()) : std::nullopt;
    const json::Value* nullable = hints_.find("nullable");
    nullable_ = nullable == nullptr || !nullable->is_bool() || nullable->as_bool();
}

// Table

std::optional<Disposition> Table::disposition() const {
    return find_disposition(text("write_disposition"));
}

std::string Table::text(std::string_view property) const {
    const json::Value* value = properties_.find(property);
    return value != nullptr && value->is_text() ? value->as_text() : std::string();
}

json::Value Table::normalizer_hint(std::string_view name) const {
    const json::Value* hints = properties_.find("x-normalizer");
    if (hints == nullptr || !hints->is_object()) return {};
    const json::Value* value = hints->as_object().find(name);
    return value != nullptr ? *value : json::Value();
}

void Table::erase_normalizer_hint(std::string_view name) {
    json::Value* hints = properties_.find("x-normalizer");
    if (hints == nullptr || !hints->is_object()) return;
    hints->as_object().erase(name);
    if (hints->as_object().empty()) properties_.erase("x-normalizer");
}

void Table::set_normalizer_hint(std::string_view name, json::Value value) {
    json::Value& hints = properties_["x-normalizer"];
    if (!hints.is_object()) hints = json::Object();
    if (!value.is_null()) {
        hints.as_object().set(name, std::move(value));
        return;
    }
    hints.as_object().erase(name);
    if (hints.as_object().empty()) properties_.erase("x-normalizer");
}

const Column* Table::find(std::string_view column) const {
    const auto at = index_.find(std::string(column));
    return at != index_.end() ? &columns_[at->second] : nullptr;
}

Column* Table::find(std::string_view column) {
    return const_cast<Column*>(static_cast<const Table*>(this)->find(column));
}

std::vector<std::string> Table::columns_with(std::string_view hint) const {
    std::vector<std::string> names;
    for (const Column& column : columns_) {
        if (column.flag(hint)) names.push_back(column.name());
    }
    return names;
}

bool Table::has_complete_columns() const {
    return std::any_of(columns_.begin(), columns_.end(),
                       [](const Column& column) { return column.is_complete(); });
}

void Table::set_column(Column column) {
    const auto [at, is_new] = index_.try_emplace(column.name(), columns_.size());
    if (is_new) {
        columns_.push_back(std::move(column));
    } else {
        columns_[at->second] = std::move(column);
    }
}

void Table::complete_column(Column column) {
    const Column* known = find(column.name());
    if (known != nullptr && !known->is_complete() && column.is_complete())
        erase_column(column.name());
    set_column(std::move(column));
}

void Table::erase_column(std::string_view column) {
    const auto at = index_.find(std::string(column));
    if (at == index_.end()) return;
    columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(at->second));
    reindex();
}

void Table::reindex() {
    index_.clear();
    for (std::size_t i = 0; i < columns_.size(); ++i) index_.emplace(columns_[i].name(), i);
}

// Schema

const Table* Schema::find(std::string_view table) const {
    const auto at = index_.find(std::string(table));
    return at != index_.end() ? tables_[at->second].get() : nullptr;
}

std::shared_ptr<const Table> Schema::find_shared(std::string_view table) const {
    const auto at = index_.find(std::string(table));
    return at != index_.end() ? tables_[at->second] : nullptr;
}

const Table& Schema::require(std::string_view table) const {
    const Table* found = find(table);
    TIPPLE_ASSERT(found != nullptr);
    return *found;
}

void Schema::set_table(Table table) {
    auto shared = std::make_shared<const Table>(std::move(table));
    const auto [at, is_new] = index_.try_emplace(shared->name(), tables_.size());
    if (is_new) {
        tables_.push_back(std::move(shared));
    } else {
        tables_[at->second] = std::move(shared);
    }
}

void Schema::erase_table(std::string_view table) {
    const auto at = index_.find(std::string(table));
    if (at == index_.end()) return;
    tables_.erase(tables_.begin() + static_cast<std::ptrdiff_t>(at->second));
    index_.clear();
    for (std::size_t i = 0; i < tables_.size(); ++i) index_.emplace(tables_[i]->name(), i);
}

const Table& Schema::root_of(const Table& table) const {
    const Table* root = &table;
    for (std::size_t steps = 0; root->is_nested(); ++steps) {
        TIPPLE_ASSERT(steps <= tables_.size());
        root = &require(root->parent());
    }
    return *root;
}

std::vector<const Table*> Schema::chain_of(std::string_view root) const {
    std::unordered_map<std::string, std::vector<std::size_t>> children;
    for (std::size_t i = 0; i < tables_.size(); ++i) {
        if (tables_[i]->is_nested()) children[tables_[i]->parent()].push_back(i);
    }
    // Always the first table in schema order whose parent is in the chain already.
    std::vector<const Table*> chain;
    std::set<std::size_t> next;
    const auto top = index_.find(std::string(root));
    if (top != index_.end()) next.insert(top->second);
    while (!next.empty() && chain.size() < tables_.size()) {
        const Table* table = tables_[*next.begin()].get();
        next.erase(next.begin());
        chain.push_back(table);
        for (const std::size_t child : children[table->name()]) next.insert(child);
    }
    return chain;
}

Disposition Schema::disposition_of(const Table& table) const {
    const Table* at = &table;
    for (std::size_t steps = 0;; ++steps) {
        TIPPLE_ASSERT(steps <= tables_.size());
        if (const auto disposition = at->disposition()) return *disposition;
        if (!at->is_nested()) return Disposition::append;
        at = &require(at->parent());
    }
}

void Schema::continue_from(const Schema& saved) {
    version_ = saved.version_;
    version_hash_ = saved.version_hash_;
    previous_hashes_ = saved.previous_hashes_;
}

std::string Schema::naming() const {
    const json::Value* names = normalizers_.find("names");
    if (names == nullptr || !names->is_text()) return std::string(default_naming);
    // Old documents name the reference's own conventions by their full path.
    std::string_view name = names->as_text();
    for (const std::string_view prefix :
         {"dlt.common.normalizers.names.", "dlt.common.normalizers.naming."}) {
        if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    return std::string(name);
}

}  // namespace tipple::schema
