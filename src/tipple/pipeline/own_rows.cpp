#include "tipple/pipeline/own_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "tipple/core/error.h"

namespace tipple::pipeline {

OwnRows::OwnRows(const schema::Table& definition, std::string load_id)
    : table_(definition.name()), load_id_(std::move(load_id)), encoder_(format::Compression::lz4) {
    for (const schema::Column& column : definition.columns()) {
        if (column.name() == schema::load_id_column) continue;
        names_.push_back(column.name());
        columns_.emplace_back(columns::column_type(column));
    }
}

columns::ColumnBuilder& OwnRows::column(std::string_view name) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    TIPPLE_ASSERT(found != names_.end());
    return columns_[static_cast<std::size_t>(found - names_.begin())];
}

std::string OwnRows::next_id() { return fmt::format("{}-{}", load_id_, ++added_); }

void OwnRows::end_row(std::string_view id) {
    column(schema::id_column).append_text(id);
    ++rows_;
    for (columns::ColumnBuilder& each : columns_) each.pad_to(rows_);
}

std::size_t OwnRows::bytes() const {
    std::size_t bytes = 0;
    for (const columns::ColumnBuilder& each : columns_) bytes += each.view().byte_size();
    return bytes;
}

std::optional<package::EncodedBatch> OwnRows::take() {
    if (rows_ == 0) return std::nullopt;
    package::EncodedBatch batch{.table = table_, .columns = {}, .rows = rows_, .raw_bytes = 0, .message = {}};
    std::vector<columns::ColumnView> views;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        views.push_back(columns_[i].view());
        batch.columns.push_back({names_[i], views.back().type});
        batch.raw_bytes += views.back().byte_size();
    }
    encoder_.append_batch(batch.message, views, rows_);
    clear();
    return batch;
}

void OwnRows::clear() {
    for (columns::ColumnBuilder& each : columns_) each.clear();
    rows_ = 0;
}

}  // namespace tipple::pipeline
