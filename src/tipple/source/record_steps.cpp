#include "tipple/source/record_steps.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/json/read.h"

namespace tipple::extract {

namespace pull = json::pull;
using columns::ColumnBuilder;
using columns::ColumnType;
using pull::Fault;
using schema::DataType;
using schema::Value;

namespace {

void check_size(std::size_t bytes, const std::string& resource) {
    if (bytes <= RecordSteps::page_bytes_max) return;
    throw Error(ErrorKind::data,
                "resource \"{}\": with what \"steps\" make of it, a page has more than {} MiB; "
                "drop fields before \"explode\", or let the source write smaller pages",
                resource, RecordSteps::page_bytes_max >> 20);
}

/// A page of JSON that is written anew: records that come one after another, each on the line that
/// it had.
class Rewriting {
public:
    Rewriting(const std::vector<Step>& steps, const JsonPage& page, const std::string& resource)
        : steps_(steps),
          resource_(resource),
          text_(reinterpret_cast<const char*>(page.text.data()), page.size) {}

    std::size_t end_of_record(const JsonPage& page, std::size_t from) const {
        if (!page.record_starts.empty()) {
            const auto next =
                std::upper_bound(page.record_starts.begin(), page.record_starts.end(), from);
            return next == page.record_starts.end() ? page.size : *next;
        }
        return std::min(text_.find('\n', from), page.size - 1) + 1;
    }

    void add(std::size_t offset, json::Value record) {
        if (record.is_null()) {
            write(offset, "null");
        } else {
            apply_steps(steps_, std::move(record),
                        [&](const json::Value& made) { write(offset, json::to_text(made)); });
        }
        ++place_;
    }
    /// What is no JSON.
    void keep(std::size_t offset, std::size_t end) {
        write(offset, text_.substr(offset, end - offset));
        at_ = end;
        ++place_;
    }

    RecordOrigins finish(JsonPage& page) {
        page.size = out_.size();
        page.record_starts = std::move(starts_);
        columns::Buffer text;
        text.append(out_.data(), out_.size());
        std::memset(text.extend(limits::json_padding), ' ', limits::json_padding);
        page.text = std::move(text);
        return std::move(origins_);
    }

private:
    void write(std::size_t offset, std::string_view record) {
        out_.append(static_cast<std::size_t>(
                        std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                   text_.begin() + static_cast<std::ptrdiff_t>(offset), '\n')),
                    '\n');
        at_ = offset;
        starts_.push_back(out_.size());
        origins_.places.push_back(place_);
        origins_.offsets.push_back(offset);
        out_ += record;
        out_ += ' ';
        check_size(out_.size(), resource_);
    }

    const std::vector<Step>& steps_;
    const std::string& resource_;
    std::string_view text_;
    std::string out_;
    std::vector<std::size_t> starts_;
    RecordOrigins origins_;
    std::size_t at_ = 0;     ///< up to where line ends were copied
    std::size_t place_ = 0;  ///< of the record at hand
};

/// A column that says the same in every row.
ColumnBuilder constant(const json::Value& value, std::size_t rows) {
    const auto filled = [&](DataType type, const auto& append) {
        ColumnBuilder column(ColumnType{.type = type});
        for (std::size_t row = 0; row < rows; ++row) append(column);
        return column;
    };
    if (value.is_bool())
        return filled(DataType::bool_,
                      [&](ColumnBuilder& column) { column.append_bool(value.as_bool()); });
    if (value.is_int())
        return filled(DataType::bigint,
                      [&](ColumnBuilder& column) { column.append_int64(value.as_int()); });
    if (value.is_number())
        return filled(DataType::double_,
                      [&](ColumnBuilder& column) { column.append_double(value.as_double()); });
    if (value.is_text())
        return filled(DataType::text,
                      [&](ColumnBuilder& column) { column.append_text(value.as_text()); });
    const std::string text = json::to_text(value);
    return filled(DataType::json, [&](ColumnBuilder& column) { column.append_text(text); });
}

ColumnBuilder masked(const ColumnBuilder& column) {
    const columns::ColumnView view = column.view();
    ColumnBuilder result(ColumnType{.type = DataType::text});
    for (std::size_t row = 0; row < view.length; ++row) {
        view.is_null(row) ? result.append_null() : result.append_text(masked_text);
    }
    return result;
}

/// Columns by name, in order; of one that comes twice the last counts, where the first one stood.
class ColumnSet {
public:
    void put(const std::string& name, ColumnBuilder column) {
        erase_null(name);
        const auto known = std::find(batch_.names.begin(), batch_.names.end(), name);
        if (known != batch_.names.end()) {
            batch_.columns[static_cast<std::size_t>(known - batch_.names.begin())] =
                std::move(column);
        } else {
            batch_.names.push_back(name);
            batch_.columns.push_back(std::move(column));
        }
    }
    /// One that has nothing but nulls.
    void put_null(const std::string& name) {
        erase_null(name);
        if (const auto known = std::find(batch_.names.begin(), batch_.names.end(), name);
            known != batch_.names.end()) {
            batch_.columns.erase(batch_.columns.begin() + (known - batch_.names.begin()));
            batch_.names.erase(known);
        }
        null_columns_.push_back(name);
    }
    void append(std::string name, ColumnBuilder column) {
        batch_.names.push_back(std::move(name));
        batch_.columns.push_back(std::move(column));
    }
    void finish(ColumnPage& page) {
        batch_.rows = page.batch.rows;
        page.batch = std::move(batch_);
        page.null_columns = std::move(null_columns_);
    }

private:
    void erase_null(const std::string& name) { std::erase(null_columns_, name); }

    columns::Batch batch_;
    std::vector<std::string> null_columns_;
};

void change(const Step& step, ColumnPage& page) {
    ColumnSet result;
    const std::size_t own = page.batch.names.size() - page.origin_columns;
    for (const std::string& name : page.null_columns) {
        if (step.keeps(name)) result.put_null(step.name_of(name));
    }
    for (std::size_t i = 0; i < own; ++i) {
        const std::string& name = page.batch.names[i];
        if (!step.keeps(name)) continue;
        result.put(step.name_of(name), step.masks(name) ? masked(page.batch.columns[i])
                                                        : std::move(page.batch.columns[i]));
    }
    for (const auto& [name, value] : step.set)
        value.is_null() ? result.put_null(name)
                        : result.put(name, constant(value, page.batch.rows));
    for (std::size_t i = own; i < page.batch.names.size(); ++i)
        result.append(std::move(page.batch.names[i]), std::move(page.batch.columns[i]));
    result.finish(page);
}

/// Removes places, of which `dropped` are those among `places`.
void erase_places(std::vector<std::size_t>& places, const std::vector<std::size_t>& dropped) {
    std::size_t at = 0;
    std::size_t next = 0;
    std::erase_if(places, [&](std::size_t) {
        const bool is_dropped = next < dropped.size() && dropped[next] == at;
        if (is_dropped) ++next;
        ++at;
        return is_dropped;
    });
}

/// A row's fields but for those that say where it comes from.
Value record_of(const columns::BatchView& view, std::size_t count,
                const std::vector<std::string>& null_columns, std::size_t row) {
    schema::Object fields;
    for (std::size_t i = 0; i < count; ++i)
        fields.push_back({std::string(view.names[i]), columns::exact_value_at(view.columns[i], row)});
    for (const std::string& name : null_columns) fields.push_back({name, Value()});
    return fields;
}

}  // namespace

RecordOrigins RecordSteps::apply(const std::vector<Step>& steps, Page& page,
                                 const std::string& resource) {
    if (auto* json = std::get_if<JsonPage>(&page)) return apply(steps, *json, resource);
    if (auto* values = std::get_if<ValuePage>(&page))
        return apply(steps, values->records, resource);
    auto& columns = std::get<ColumnPage>(page);
    const bool explodes = std::any_of(steps.begin(), steps.end(),
                                      [](const Step& step) { return !step.explode.empty(); });
    if (!explodes) return apply(steps, columns, resource);
    const columns::BatchView view = columns.batch.view();
    const std::size_t own = view.names.size() - columns.origin_columns;
    ValuePage records{.records = {}, .origin = columns.origin, .table = columns.table};
    std::vector<std::size_t> places;
    std::size_t cells = 0;
    for (std::size_t row = 0; row < view.rows; ++row) {
        apply_steps(steps, record_of(view, own, columns.null_columns, row), [&](Value made) {
            auto& fields = std::get<schema::Object>(static_cast<Value::variant&>(made));
            for (std::size_t i = own; i < view.names.size(); ++i)
                fields.push_back(
                    {std::string(view.names[i]), columns::value_at(view.columns[i], row)});
            cells += fields.size();
            check_size(cells * sizeof(schema::Field), resource);
            records.records.push_back(std::move(made));
            places.push_back(row);
        });
    }
    page = std::move(records);
    return {.places = std::move(places)};
}

RecordOrigins RecordSteps::apply(const std::vector<Step>& steps, JsonPage& page,
                                 const std::string& resource) {
    const char* text = reinterpret_cast<const char*>(page.text.data());
    Rewriting rewriting(steps, page, resource);
    const auto walk = [&](std::size_t from, std::size_t to) -> pull::WalkEnd {
        if (const Fault fault = index_.build(text + from, to - from); fault != Fault::none)
            return {fault, from};
        const pull::WalkEnd end = pull::for_each_document(
            index_.cursor(), to - from, [&](std::size_t offset, pull::Cursor& cursor) {
                json::Value record;
                if (const Fault fault = json::read_value(cursor, record); fault != Fault::none)
                    return fault;
                rewriting.add(from + offset, std::move(record));
                return Fault::none;
            });
        return {end.fault, from + end.offset};
    };
    const pull::WalkEnd whole = walk(0, page.size);
    // As whoever reads the page will do it: from what is no JSON on, each record by itself.
    for (std::size_t at = whole.fault == Fault::none ? page.size : whole.offset; at < page.size;) {
        const std::size_t end = rewriting.end_of_record(page, at);
        const std::string_view record(text + at, end - at);
        const std::size_t begin = record.find_first_not_of(" \t\r\n");
        if (begin != std::string_view::npos) {
            if (const pull::WalkEnd part = walk(at, end); part.fault != Fault::none)
                rewriting.keep(std::max(part.offset, at + begin), end);
        }
        at = end;
    }
    return rewriting.finish(page);
}

RecordOrigins RecordSteps::apply(const std::vector<Step>& steps, std::vector<Value>& records,
                                 const std::string& resource) {
    std::vector<Value> result;
    std::vector<std::size_t> places;
    std::size_t cells = 0;
    for (std::size_t place = 0; place < records.size(); ++place) {
        const auto take = [&](Value made) {
            if (const auto* fields = made.get_if<schema::Object>()) cells += fields->size();
            check_size(cells * sizeof(schema::Field), resource);
            result.push_back(std::move(made));
            places.push_back(place);
        };
        records[place].is_null() ? take(Value())
                                 : apply_steps(steps, std::move(records[place]), take);
    }
    records = std::move(result);
    return {.places = std::move(places)};
}

RecordOrigins RecordSteps::apply(const std::vector<Step>& steps, ColumnPage& page,
                                 const std::string& resource) {
    std::vector<std::size_t> places(page.batch.rows);
    std::iota(places.begin(), places.end(), std::size_t{0});
    for (const Step& step : steps) {
        if (step.filter) erase_places(places, filter_.filter(*step.filter, page.batch, resource));
        change(step, page);
    }
    return {.places = std::move(places)};
}

}  // namespace tipple::extract
