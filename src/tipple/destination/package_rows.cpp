#include "tipple/destination/package_rows.h"

#include <algorithm>

#include "tipple/columns/spare_batches.h"
#include "tipple/core/error.h"

namespace tipple::destination {

using columns::Batch;
using columns::ColumnBuilder;
using package::SegmentColumn;

namespace {

/// Opens the package's files at the first row that is asked for and closes them behind the last.
class LazyReader {
public:
    LazyReader(const RowsOptions& options, std::vector<SegmentColumn> columns,
               package::OtherColumns others)
        : options_(options), columns_(std::move(columns)), others_(others) {}

    std::unique_ptr<Batch> next() {
        if (is_at_end_) return nullptr;
        if (!reader_) {
            reader_.emplace(*options_.files, *options_.package, options_.table, columns_,
                            options_.batch_rows, options_.batch_bytes, others_, options_.job);
            reader_->use(spares_);
            if (options_.selected != nullptr) {
                reader_->select(options_.selected->first, options_.selected->count);
                position_ = options_.selected->first;
            }
        }
        std::unique_ptr<Batch> batch = reader_->next();
        if (batch == nullptr) {
            is_at_end_ = true;
            reader_.reset();
            spares_->close();
        } else {
            position_ += batch->rows;
        }
        return batch;
    }

    /// Of the row behind the last one that was read.
    std::uint64_t position() const { return position_; }

    const std::shared_ptr<columns::SpareBatches>& spares() const { return spares_; }

private:
    RowsOptions options_;
    std::vector<SegmentColumn> columns_;
    package::OtherColumns others_;
    std::optional<package::TableReader> reader_;
    std::shared_ptr<columns::SpareBatches> spares_ = std::make_shared<columns::SpareBatches>();
    std::uint64_t position_ = 0;
    bool is_at_end_ = false;
};

/// Copies the rows that stay, run by run.
std::unique_ptr<Batch> without_dropped(std::unique_ptr<Batch> batch, std::uint64_t first,
                                       const DroppedRows& dropped) {
    const columns::BatchView view = batch->view();
    auto kept = std::make_unique<Batch>();
    kept->names = batch->names;
    for (const ColumnBuilder& column : batch->columns) kept->columns.emplace_back(column.type());
    std::size_t row = 0;
    while (row < view.rows) {
        if (dropped.contains(first + row)) {
            ++row;
            continue;
        }
        const std::size_t start = row;
        while (row < view.rows && !dropped.contains(first + row)) ++row;
        for (std::size_t i = 0; i < view.columns.size(); ++i) {
            kept->columns[i].append_rows(view.columns[i], start, row - start);
        }
        kept->rows += row - start;
    }
    return kept;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

columns::ArrowSource source_of(const std::vector<SegmentColumn>& columns,
                               const std::vector<std::string>& hidden) {
    columns::ArrowSource source;
    for (const SegmentColumn& column : columns) {
        if (!contains(hidden, column.name))
            source.fields.push_back({.name = column.name, .type = column.type});
    }
    source.constants.resize(source.fields.size());
    return source;
}

}  // namespace

columns::ArrowSource table_rows(const RowsOptions& options,
                                const std::vector<SegmentColumn>& columns,
                                const std::vector<std::string>& hidden,
                                std::shared_ptr<const DroppedRows> dropped,
                                std::function<void(std::uint64_t rows)> on_rows) {
    // From the last to the first, in which order they can be erased.
    std::vector<std::ptrdiff_t> hidden_indexes;
    for (std::size_t i = columns.size(); i-- > 0;) {
        if (contains(hidden, columns[i].name)) hidden_indexes.push_back(static_cast<std::ptrdiff_t>(i));
    }
    columns::ArrowSource source = source_of(columns, hidden);
    const auto reader = std::make_shared<LazyReader>(options, columns, options.has_root_numbers ? package::OtherColumns::skip : package::OtherColumns::refuse);
    source.take_back = [spares = reader->spares()](std::unique_ptr<Batch> batch) { spares->give(std::move(batch)); };
    source.next =
        [reader, hidden_indexes, dropped, on_rows = std::move(on_rows)]() -> std::unique_ptr<Batch> {
        while (std::unique_ptr<Batch> batch = reader->next()) {
            for (const std::ptrdiff_t index : hidden_indexes) {
                batch->columns.erase(batch->columns.begin() + index);
                batch->names.erase(batch->names.begin() + index);
            }
            const std::uint64_t first = reader->position() - batch->rows;
            on_rows(batch->rows);
            if (dropped != nullptr && dropped->count() > 0)
                batch = without_dropped(std::move(batch), first, *dropped);
            if (batch->rows > 0) return batch;
        }
        return nullptr;
    };
    return source;
}

columns::ArrowSource table_keys(const RowsOptions& options,
                                const std::vector<SegmentColumn>& columns) {
    columns::ArrowSource source = source_of(columns, {});
    const columns::ColumnType position_type{.type = schema::DataType::bigint};
    source.fields.push_back({.name = "position", .type = position_type, .is_nullable = false});
    source.constants.emplace_back();
    RowsOptions all = options;
    all.selected = nullptr;
    source.next = [reader = std::make_shared<LazyReader>(all, columns, package::OtherColumns::skip),
                   position_type, position = std::int64_t{0}]() mutable -> std::unique_ptr<Batch> {
        std::unique_ptr<Batch> batch = reader->next();
        if (batch == nullptr) return nullptr;
        ColumnBuilder positions(position_type);
        for (std::size_t row = 0; row < batch->rows; ++row) positions.append_int64(position++);
        batch->names.emplace_back("position");
        batch->columns.push_back(std::move(positions));
        return batch;
    };
    return source;
}

}  // namespace tipple::destination
