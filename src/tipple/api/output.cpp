#include "tipple/api/output.h"

#include <algorithm>

#include "tipple/api/page_writer.h"
#include "tipple/columns/arrow_import.h"
#include "tipple/core/counted.h"

namespace tipple {

namespace {

/// Rows of a page.
constexpr std::size_t rows_max = 10'000;

}  // namespace

Rows::Rows(const std::vector<RowColumn>& columns, std::function<void(columns::Batch)> write)
    : columns_(columns), write_(std::move(write)), batch_(empty_batch()) {}

columns::Batch Rows::empty_batch() const {
    columns::Batch batch;
    for (const RowColumn& column : columns_) {
        if (column.type == DataType::decimal || column.type == DataType::wei) {
            throw Error(ErrorKind::usage, "column \"{}\": typed rows hold no {}; write such values as records", column.name, schema::to_text(column.type));
        }
        batch.names.push_back(column.name);
        batch.columns.emplace_back(columns::ColumnType{.type = column.type});
    }
    return batch;
}

void Rows::begin_row(std::size_t values) {
    if (values != columns_.size()) throw Error(ErrorKind::usage, "a row has {} for {}", counted(values, "value"), counted(columns_.size(), "column"));
    // What a row that failed has left behind.
    for (columns::ColumnBuilder& column : batch_.columns) column.truncate(batch_.rows);
    at_ = 0;
}

columns::ColumnBuilder& Rows::next(std::initializer_list<DataType> fitting, const char* what) {
    const RowColumn& column = columns_[at_];
    if (std::find(fitting.begin(), fitting.end(), column.type) == fitting.end()) {
        throw Error(ErrorKind::usage, "column \"{}\" is a {} column, but {} was given", column.name, schema::to_text(column.type), what);
    }
    return batch_.columns[at_++];
}

void Rows::append(std::nullptr_t) { batch_.columns[at_++].append_null(); }

void Rows::end_row() {
    if (++batch_.rows == rows_max) flush();
}

void Rows::flush() {
    if (batch_.rows == 0) return;
    for (columns::ColumnBuilder& column : batch_.columns) column.truncate(batch_.rows);
    write_(std::exchange(batch_, empty_batch()));
}

void Output::write_json(std::string_view text, const WriteOptions& options) { pages_.write_json(text, options); }

void Output::write(Records records, const WriteOptions& options) { pages_.write_records(std::move(records), options); }

void Output::write(Record record, const WriteOptions& options) { pages_.gather(std::move(record), options); }

void Output::write_arrow(ArrowSchema* schema, ArrowArray* array, const WriteOptions& options) {
    pages_.flush();
    pages_.write_batch(columns::import_array(schema, array), options);
}

void Output::write_arrow(ArrowArrayStream* stream, const WriteOptions& options) {
    pages_.flush();
    columns::StreamReader reader(stream);
    while (std::optional<columns::Batch> batch = reader.next()) pages_.write_batch(*std::move(batch), options);
}

Rows& Output::rows(const std::vector<RowColumn>& columns, const WriteOptions& options) { return pages_.rows(columns, options); }

void Output::materialize() { pages_.materialize(); }

void Output::checkpoint() { pages_.checkpoint(); }

bool Output::wants_more() const { return pages_.wants_more(); }

}  // namespace tipple
