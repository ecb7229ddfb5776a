#include "canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "tipple/core/clock.h"

namespace tipple::golden {

namespace {

const std::vector<std::string> id_columns = {"_dlt_id", "_dlt_parent_id", "_dlt_root_id"};

struct ReadTable {
    std::string parent;
    std::vector<std::string> order;     ///< columns in the order of the schema
    std::vector<std::string> physical;  ///< in the order of the database
    std::map<std::string, std::optional<schema::DataType>> kinds;
    std::map<std::string, std::pair<std::string, bool>> types;  ///< SQL type, nullable
    std::vector<json::Array> rows;

    std::size_t position(const std::string& column) const {
        const auto at = std::find(order.begin(), order.end(), column);
        return at == order.end() ? SIZE_MAX : static_cast<std::size_t>(at - order.begin());
    }
};

/// Compact JSON with numbers spelled as Python does and keys in order: what canonical.py writes, and what decides the order of rows.
void append_python_json(std::string& out, const json::Value& value) {
    if (value.is_double()) {
        out += json::python_number(value.as_double());
    } else if (value.is_array()) {
        out += '[';
        for (std::size_t i = 0; i < value.as_array().size(); ++i) {
            if (i > 0) out += ',';
            append_python_json(out, value.as_array()[i]);
        }
        out += ']';
    } else if (value.is_object()) {
        std::map<std::string_view, const json::Value*> members;
        for (const json::Member& member : value.as_object()) members[member.name] = &member.value;
        out += '{';
        for (const auto& [name, member] : members) {
            if (out.back() != '{') out += ',';
            out += json::to_text(json::Value(std::string(name))) + ':';
            append_python_json(out, *member);
        }
        out += '}';
    } else {
        out += json::to_text(value);
    }
}

json::Value canonical_value(const std::optional<std::string>& text, const std::string& type) {
    if (!text) return nullptr;
    if (type == "BOOLEAN") return *text == "true";
    if (type == "DOUBLE" || type == "FLOAT") {
        if (*text == "nan" || *text == "NaN") return "NaN";
        if (*text == "inf" || *text == "Infinity") return "Infinity";
        if (*text == "-inf" || *text == "-Infinity") return "-Infinity";
        return std::strtod(text->c_str(), nullptr);
    }
    if (type == "JSON") {
        std::string document;
        append_python_json(document, json::parse(*text));
        return document;
    }
    if (type.find("INT") != std::string::npos && type != "HUGEINT") return static_cast<std::int64_t>(std::stoll(*text));
    return *text;
}

class Canonicalizer {
public:
    Canonicalizer(std::map<std::string, ReadTable> tables, std::map<std::string, std::string> load_symbols, const json::Value& exact)
        : tables_(std::move(tables)), load_symbols_(std::move(load_symbols)) {
        all_exact_ = exact == json::Value(true) || exact == json::Value("exact");
        if (exact.is_array()) {
            for (const json::Value& table : exact.as_array()) exact_tables_.insert(table.as_text());
        }
        has_exact_ = all_exact_ || !exact_tables_.empty();
    }

    json::Object run() {
        for (auto& [name, table] : tables_) {
            const std::size_t load = table.position("_dlt_load_id");
            const std::size_t parent = table.position("_dlt_parent_id");
            for (json::Array& row : table.rows) {
                if (load != SIZE_MAX) row[load] = symbol_of_load(row[load]);
                if (parent != SIZE_MAX) children_[json::to_text(row[parent])].emplace_back(name, &row);
            }
        }
        sort_rows();
        return result();
    }

private:
    json::Value symbol_of_load(const json::Value& id) const {
        const auto at = id.is_text() ? load_symbols_.find(id.as_text()) : load_symbols_.end();
        return at == load_symbols_.end() ? std::string("<load:none>") : at->second;
    }

    json::Value place_in_list(const std::string& table, const json::Array& row) const {
        const std::size_t at = tables_.at(table).position("_dlt_list_idx");
        return at == SIZE_MAX ? json::Value(0) : row[at];
    }

    /// K(row): the row's values without ids, and the same of its children.
    std::string key(const std::string& name, const json::Array& row) const {
        const ReadTable& table = tables_.at(name);
        json::Array own = row;
        for (const std::string& column : id_columns) {
            if (const std::size_t at = table.position(column); at != SIZE_MAX) own[at] = nullptr;
        }
        std::vector<std::tuple<std::string, std::int64_t, std::string>> below;
        const std::size_t id = table.position("_dlt_id");
        if (id != SIZE_MAX) {
            const auto found = children_.find(json::to_text(row[id]));
            if (found != children_.end()) {
                for (const auto& [child, child_row] : found->second) {
                    if (child_row == &row) continue;
                    const json::Value place = place_in_list(child, *child_row);
                    below.emplace_back(child, place.is_int() ? place.as_int() : 0, key(child, *child_row));
                }
            }
        }
        std::sort(below.begin(), below.end());
        json::Array kids;
        for (const auto& [child, place, text] : below) kids.push_back(json::Array{child, place, text});
        std::string out;
        append_python_json(out, json::Array{own, kids});
        return out;
    }

    std::size_t depth(const std::string& name, std::set<std::string> seen = {}) const {
        const auto at = tables_.find(name);
        if (at == tables_.end() || at->second.parent.empty() || !tables_.contains(at->second.parent)) return 0;
        if (!seen.insert(name).second) return 0;
        return 1 + depth(at->second.parent, seen);
    }

    void sort_rows() {
        std::vector<std::string> names;
        for (const auto& [name, table] : tables_) names.push_back(name);
        std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
            return std::pair(depth(a), a) < std::pair(depth(b), b);
        });
        std::map<std::string, std::size_t> rank;
        for (const std::string& name : names) {
            ReadTable& table = tables_.at(name);
            const std::size_t parent = table.position("_dlt_parent_id");
            std::vector<std::tuple<std::size_t, std::int64_t, std::string, std::size_t>> order;
            for (std::size_t i = 0; i < table.rows.size(); ++i) {
                const json::Array& row = table.rows[i];
                std::size_t place = 0;
                std::int64_t index = 0;
                if (parent != SIZE_MAX) {
                    const auto found = rank.find(json::to_text(row[parent]));
                    place = found == rank.end() ? SIZE_MAX : found->second;
                    const json::Value list_place = place_in_list(name, row);
                    index = list_place.is_int() ? list_place.as_int() : 0;
                }
                order.emplace_back(place, index, key(name, row), i);
            }
            std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
                return std::tie(std::get<0>(a), std::get<1>(a), std::get<2>(a)) < std::tie(std::get<0>(b), std::get<1>(b), std::get<2>(b));
            });
            std::vector<std::size_t> sorted;
            for (const auto& entry : order) sorted.push_back(std::get<3>(entry));
            sorted_[name] = sorted;
            const std::size_t id = table.position("_dlt_id");
            for (std::size_t i = 0; i < sorted.size() && id != SIZE_MAX; ++i) rank.try_emplace(json::to_text(table.rows[sorted[i]][id]), i);
        }
    }

    json::Object result() {
        std::map<std::string, json::Value> symbols;
        for (const auto& [name, table] : tables_) {
            const std::size_t id = table.position("_dlt_id");
            if (id == SIZE_MAX) continue;
            const bool keeps = all_exact_ || exact_tables_.contains(name);
            for (std::size_t i = 0; i < table.rows.size(); ++i) {
                const json::Value& own = table.rows[sorted_.at(name)[i]][id];
                symbols.try_emplace(json::to_text(own), keeps ? own : json::Value(fmt::format("<id:{}:{}>", name, i + 1)));
            }
        }
        json::Object out;
        for (const auto& [name, table] : tables_) out.set(name, describe(name, table, symbols));
        return out;
    }

    json::Value describe(const std::string& name, const ReadTable& table, const std::map<std::string, json::Value>& symbols) const {
        json::Array columns;
        for (const std::string& column : table.order) {
            const auto& kind = table.kinds.at(column);
            const auto& [type, is_nullable] = table.types.at(column);
            columns.push_back(json::Array{column, kind ? json::Value(std::string(schema::to_text(*kind))) : json::Value(), is_nullable, type});
        }
        json::Array rows;
        for (const std::size_t i : sorted_.at(name)) {
            json::Array row = table.rows[i];
            for (const std::string& column : id_columns) {
                const std::size_t at = table.position(column);
                if (at == SIZE_MAX || row[at].is_null()) continue;
                const auto symbol = symbols.find(json::to_text(row[at]));
                if (symbol != symbols.end()) {
                    row[at] = symbol->second;
                } else if (!has_exact_) {
                    row[at] = "<orphan>";
                }
            }
            rows.push_back(std::move(row));
        }
        json::Object described{{"columns", std::move(columns)}, {"rows", std::move(rows)}};
        if (table.physical != table.order) {
            json::Array physical;
            for (const std::string& column : table.physical) physical.emplace_back(column);
            described.set("physical_order", std::move(physical));
        }
        return described;
    }

    std::map<std::string, ReadTable> tables_;
    std::map<std::string, std::string> load_symbols_;
    std::map<std::string, std::vector<std::pair<std::string, const json::Array*>>> children_;
    std::map<std::string, std::vector<std::size_t>> sorted_;
    std::set<std::string> exact_tables_;
    bool all_exact_ = false;
    bool has_exact_ = false;
};

ReadTable read_table(Store& store, const std::string& dataset, const std::string& name, const schema::Schema& schema,
                     const std::map<std::string, std::string>& load_times) {
    ReadTable table;
    const schema::Table* known = schema.find(name);
    if (known != nullptr) table.parent = known->parent();
    std::map<std::string, std::string> values;
    for (const Store::Column& column : store.columns(dataset, name)) {
        table.physical.push_back(column.name);
        table.types[column.name] = {column.type, column.is_nullable};
        values[column.name] = store.value_sql(column);
        const schema::Column* hints = known != nullptr ? known->find(column.name) : nullptr;
        table.kinds[column.name] = hints != nullptr ? hints->data_type() : std::nullopt;
    }
    if (known != nullptr) {
        for (const schema::Column& column : known->columns()) {
            if (table.types.contains(column.name())) table.order.push_back(column.name());
        }
    }
    for (const std::string& column : table.physical) {
        if (known == nullptr || known->find(column) == nullptr) table.order.push_back(column);
    }
    std::string list;
    for (const std::string& column : table.order) list += (list.empty() ? "" : ", ") + values.at(column);
    for (const Store::Row& row : store.query(fmt::format("SELECT {} FROM {}", list, Store::quoted(dataset, name)))) {
        json::Array cells;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const auto time = row[i] ? load_times.find(*row[i]) : load_times.end();
            cells.push_back(time != load_times.end() ? json::Value(time->second) : canonical_value(row[i], table.types.at(table.order[i]).first));
        }
        table.rows.push_back(std::move(cells));
    }
    return table;
}

}  // namespace

CanonicalDataset read_canonical(Store& store, const std::string& dataset, const schema::Schema& schema, const json::Value& exact) {
    CanonicalDataset result;
    std::map<std::string, std::string> load_symbols;
    std::map<std::string, std::string> load_times;
    const auto count = [&](const std::string& table) {
        return static_cast<std::int64_t>(std::stoll(*store.query(fmt::format("SELECT count(*) FROM {}", Store::quoted(dataset, table))).at(0).at(0)));
    };
    const std::vector<std::string> names = store.tables(dataset);
    const std::set<std::string> tables(names.begin(), names.end());
    if (tables.contains("_dlt_loads")) {
        for (const Store::Row& row : store.query(fmt::format("SELECT load_id, status FROM {} ORDER BY load_id", Store::quoted(dataset, "_dlt_loads")))) {
            if (*row[1] == "0") ++result.loads;
            const auto [at, is_new] = load_symbols.try_emplace(*row[0], fmt::format("<load:{}>", load_symbols.size() + 1));
            if (is_new) load_times[utc_text(load_id_time_us(*row[0]))] = fmt::format("<load_time:{}>", load_symbols.size());
        }
    }
    std::map<std::string, ReadTable> read;
    for (const std::string& table : tables) {
        if (table.starts_with("_dlt_")) {
            result.system.set(table, count(table));
        } else {
            read.emplace(table, read_table(store, dataset, table, schema, load_times));
        }
    }
    store.close();
    result.tables = Canonicalizer(std::move(read), std::move(load_symbols), exact).run();
    return result;
}

json::Object canonical_schema(const schema::Schema& schema) {
    json::Object out;
    for (const auto& table : schema.tables()) {
        if (table->is_internal()) continue;
        json::Object described;
        for (const json::Member& property : table->properties()) {
            // The reference's cases leave these out.
            const bool is_left_out = property.name == "description" || property.name == "x-merge-source-filter" ||
                                     property.name == "x-merge-destination-scope" || property.name == "x-merge-skip-unchanged-rows";
            if (!is_left_out && !property.value.is_null()) described.set(property.name, property.value);
        }
        json::Object columns;
        for (const schema::Column& column : table->columns()) {
            json::Object hints;
            for (const json::Member& hint : column.hints()) {
                const bool is_shown_elsewhere = hint.name == "data_type" || (hint.name == "nullable" && column.is_complete());
                if (!is_shown_elsewhere && !hint.value.is_null() && hint.name != "description") hints.set(hint.name, hint.value);
            }
            if (!column.is_complete()) hints.set("incomplete", true);
            if (!hints.empty()) columns.set(column.name(), std::move(hints));
        }
        if (!columns.empty()) described.set("columns", std::move(columns));
        out.set(table->name(), std::move(described));
    }
    return out;
}

namespace {

/// Marks of typed values in a state, and what the cases call them.
constexpr std::pair<std::string_view, const char*> marks[] = {{"\uf026", "$decimal"}, {"\uf027", "$datetime"}, {"\uf028", "$date"}, {"\uf029", "$uuid"},
                                                              {"\uf02b", "$bytes"},   {"\uf02c", "$wei"},      {"\uf02d", "$time"}};

json::Value unmarked(const std::string& text) {
    for (const auto& [mark, name] : marks) {
        if (text.starts_with(mark)) return json::Object{{name, text.substr(mark.size())}};
    }
    return text;
}

}  // namespace

json::Value canonical_state(const json::Value& state) {
    if (state.is_text()) return unmarked(state.as_text());
    if (state.is_array()) {
        json::Array array;
        for (const json::Value& element : state.as_array()) array.push_back(canonical_state(element));
        return array;
    }
    if (!state.is_object()) return state;
    json::Object object;
    for (const json::Member& member : state.as_object()) {
        json::Value value = canonical_state(member.value);
        if (member.name == "unique_hashes" && value.is_array()) {
            std::sort(value.as_array().begin(), value.as_array().end(), [](const json::Value& a, const json::Value& b) { return a.as_text() < b.as_text(); });
        }
        object.set(member.name, std::move(value));
    }
    return object;
}

}  // namespace tipple::golden
