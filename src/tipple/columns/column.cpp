#include "tipple/columns/column.h"

#include <algorithm>

#include "tipple/schema/widening.h"

namespace tipple::columns {

ColumnType column_type(const schema::Column& column) {
    TIPPLE_ASSERT(column.is_complete());
    ColumnType type{.type = *column.data_type()};
    if (type.type == DataType::decimal) {
        const schema::DecimalDigits digits = schema::decimal_digits(column);
        type.precision = digits.precision;
        type.scale = digits.scale;
    } else if (type.type == DataType::wei) {
        type.precision = 38;
    } else if (type.type == DataType::timestamp) {
        type.timezone = column.has_timezone();
    }
    return type;
}

Layout layout_of(DataType type) {
    switch (type) {
        case DataType::bool_:
            return Layout::bits;
        case DataType::date:
            return Layout::int32;
        case DataType::bigint:
        case DataType::timestamp:
        case DataType::time:
            return Layout::int64;
        case DataType::double_:
            return Layout::float64;
        case DataType::decimal:
        case DataType::wei:
            return Layout::decimal;
        case DataType::text:
        case DataType::json:
        case DataType::binary:
            return Layout::bytes;
    }
    return Layout::bytes;
}

std::size_t value_width(Layout layout) {
    switch (layout) {
        case Layout::int32:
            return 4;
        case Layout::int64:
        case Layout::float64:
            return 8;
        case Layout::decimal:
            return 16;
        case Layout::bits:
        case Layout::bytes:
            return 0;
    }
    return 0;
}

std::int16_t ColumnView::nanoseconds(std::size_t row) const {
    const auto at = std::ranges::lower_bound(fractions, row, {}, &Fraction::row);
    return at != fractions.end() && at->row == row ? at->ns : std::int16_t{0};
}

std::size_t ColumnView::byte_size() const {
    const std::size_t rows = is_constant ? 1 : length;
    const Layout layout = layout_of(type.type);
    std::size_t bytes = validity != nullptr ? bitmap_bytes(rows) : 0;
    if (layout == Layout::bytes) {
        bytes += (rows + 1) * 4 + (offsets != nullptr ? static_cast<std::size_t>(offsets[rows]) : 0);
    } else {
        bytes += layout == Layout::bits ? bitmap_bytes(rows) : rows * value_width(layout);
    }
    return bytes + fractions.size_bytes();
}

ColumnBuilder::ColumnBuilder(ColumnType type)
    : type_(type), layout_(layout_of(type.type)), width_(value_width(layout_)) {
    if (layout_ == Layout::bytes) offsets_.push<std::int32_t>(0);
}

void ColumnBuilder::fail_too_long() const {
    throw Error(ErrorKind::data, "more than {} bytes of text in one column of one batch",
                limits::text_buffer_bytes_max);
}

void ColumnBuilder::start_validity() {
    validity_.resize_zeroed(bitmap_bytes(length_));
    if (length_ == 0) return;
    std::memset(validity_.data(), 0xFF, length_ / 8);
    for (std::size_t i = length_ / 8 * 8; i < length_; ++i) set_bit(validity_.data(), i);
}

void ColumnBuilder::append_nulls(std::size_t count) {
    if (count == 0) return;
    if (validity_.empty()) {
        // An empty bitmap means "no nulls", so one byte must be there even when the column has no rows yet.
        start_validity();
    }
    const std::size_t length = length_ + count;
    validity_.resize_zeroed(bitmap_bytes(length));
    switch (layout_) {
        case Layout::bytes: {
            const auto end = static_cast<std::int32_t>(values_.size());
            auto* offsets = reinterpret_cast<std::int32_t*>(offsets_.extend(count * 4));
            for (std::size_t i = 0; i < count; ++i) offsets[i] = end;
            break;
        }
        case Layout::bits:
            values_.resize_zeroed(bitmap_bytes(length));
            break;
        default:
            values_.resize_zeroed(length * width_);
    }
    length_ = length;
    null_count_ += count;
}

void ColumnBuilder::extend_validity(std::size_t rows, const std::uint8_t* validity, std::size_t from) {
    if (validity == nullptr && validity_.empty()) return;
    if (validity_.empty()) start_validity();
    validity_.resize_zeroed(bitmap_bytes(length_ + rows));
    if (validity != nullptr) {
        copy_bits(validity, from, validity_.data(), length_, rows);
    } else {
        std::size_t i = length_;
        const std::size_t end = length_ + rows;
        while (i < end && (i & 7) != 0) set_bit(validity_.data(), i++);
        std::memset(validity_.data() + i / 8, 0xFF, (end - i) / 8);
        for (i = end - (end - i) % 8; i < end; ++i) set_bit(validity_.data(), i);
    }
}

void ColumnBuilder::reserve(std::size_t rows, std::size_t text_bytes) {
    switch (layout_) {
        case Layout::bytes:
            offsets_.reserve((rows + 1) * sizeof(std::int32_t));
            values_.reserve(text_bytes);
            break;
        case Layout::bits:
            values_.reserve(bitmap_bytes(rows));
            break;
        default:
            values_.reserve(rows * width_);
    }
}

void ColumnBuilder::append_rows(const ColumnView& source, std::size_t from, std::size_t rows) {
    TIPPLE_ASSERT(source.type == type_ && !source.is_constant);
    if (rows == 0) return;
    std::size_t nulls = 0;
    if (source.validity != nullptr) nulls = rows - count_set_bits(source.validity, from, rows);
    const std::uint8_t* validity = nulls > 0 ? source.validity : nullptr;
    if (layout_ == Layout::bytes) {
        const std::int32_t start = source.offsets[from];
        const auto bytes = static_cast<std::size_t>(source.offsets[from + rows] - start);
        const auto base = static_cast<std::int64_t>(values_.size());
        if (values_.size() + bytes > limits::text_buffer_bytes_max) fail_too_long();
        values_.append(source.values + start, bytes);
        auto* offsets = reinterpret_cast<std::int32_t*>(offsets_.extend(rows * 4));
        for (std::size_t i = 0; i < rows; ++i) {
            offsets[i] = static_cast<std::int32_t>(base + source.offsets[from + i + 1] - start);
        }
    } else if (layout_ == Layout::bits) {
        values_.resize_zeroed(bitmap_bytes(length_ + rows));
        copy_bits(source.values, from, values_.data(), length_, rows);
    } else {
        values_.append(source.values + from * width_, rows * width_);
    }
    extend_validity(rows, validity, from);
    const auto first = std::ranges::lower_bound(source.fractions, from, {}, &Fraction::row);
    for (auto fraction = first; fraction != source.fractions.end() && fraction->row < from + rows; ++fraction) {
        mark_fraction(length_ + fraction->row - from, fraction->ns);
    }
    length_ += rows;
    null_count_ += nulls;
}

void ColumnBuilder::finish_rows(std::size_t rows, std::size_t null_count, const std::uint8_t* validity,
                                const std::int32_t* offsets) {
    if (layout_ == Layout::bytes) {
        if (values_.size() > limits::text_buffer_bytes_max) fail_too_long();
        const std::int32_t start = offsets[0];
        const std::int64_t base = offsets_.as<std::int32_t>()[length_];
        TIPPLE_ASSERT(static_cast<std::size_t>(base + offsets[rows] - start) == values_.size());
        auto* target = reinterpret_cast<std::int32_t*>(offsets_.extend(rows * 4));
        for (std::size_t i = 0; i < rows; ++i) {
            target[i] = static_cast<std::int32_t>(base + offsets[i + 1] - start);
        }
    } else {
        TIPPLE_ASSERT(layout_ != Layout::bits && values_.size() == (length_ + rows) * width_);
    }
    extend_validity(rows, null_count > 0 ? validity : nullptr, 0);
    length_ += rows;
    null_count_ += null_count;
}

void ColumnBuilder::append_bits(std::size_t rows, std::size_t null_count, const std::uint8_t* validity,
                                const std::uint8_t* bits) {
    TIPPLE_ASSERT(layout_ == Layout::bits);
    values_.resize_zeroed(bitmap_bytes(length_ + rows));
    copy_bits(bits, 0, values_.data(), length_, rows);
    extend_validity(rows, null_count > 0 ? validity : nullptr, 0);
    length_ += rows;
    null_count_ += null_count;
}

void ColumnBuilder::truncate(std::size_t length) {
    if (length >= length_) return;
    if (!validity_.empty()) {
        const std::size_t gone = length_ - length;
        null_count_ -= gone - count_set_bits(validity_.data(), length, gone);
        validity_.resize(bitmap_bytes(length));
        for (std::size_t i = length; (i & 7) != 0; ++i) clear_bit(validity_.data(), i);
        if (null_count_ == 0) validity_.clear();
    }
    if (layout_ == Layout::bytes) {
        offsets_.resize((length + 1) * 4);
        values_.resize(static_cast<std::size_t>(offsets_.as<std::int32_t>()[length]));
    } else if (layout_ == Layout::bits) {
        values_.resize(bitmap_bytes(length));
        for (std::size_t i = length; (i & 7) != 0; ++i) clear_bit(values_.data(), i);
    } else {
        values_.resize(length * width_);
    }
    while (!fractions_.empty() && fractions_.back().row >= length) fractions_.pop_back();
    length_ = length;
}

void ColumnBuilder::clear() {
    fractions_.clear();
    validity_.clear();
    values_.clear();
    if (layout_ == Layout::bytes) offsets_.resize(4);
    length_ = 0;
    null_count_ = 0;
}

ColumnView ColumnBuilder::view() const {
    return {.type = type_,
            .length = length_,
            .null_count = null_count_,
            .is_constant = false,
            .validity = null_count_ > 0 ? validity_.data() : nullptr,
            .offsets = layout_ == Layout::bytes ? offsets_.as<std::int32_t>() : nullptr,
            .values = values_.data(),
            .fractions = fractions_};
}

ConstantText::ConstantText(DataType type, std::string text) : type_(type), text_(std::move(text)) {
    TIPPLE_ASSERT(layout_of(type) == Layout::bytes);
    offsets_[0] = 0;
    offsets_[1] = static_cast<std::int32_t>(text_.size());
}

ColumnView ConstantText::view(std::size_t rows) const {
    return {.type = {.type = type_},
            .length = rows,
            .null_count = 0,
            .is_constant = true,
            .validity = nullptr,
            .offsets = offsets_,
            .values = reinterpret_cast<const std::uint8_t*>(text_.data())};
}

BatchView Batch::view() const {
    BatchView view{.rows = rows, .names = {names.begin(), names.end()}, .columns = {}};
    view.columns.reserve(columns.size());
    for (const ColumnBuilder& column : columns) view.columns.push_back(column.view());
    return view;
}

std::size_t Batch::byte_size() const {
    std::size_t bytes = 0;
    for (const ColumnBuilder& column : columns) bytes += column.view().byte_size();
    return bytes;
}

}  // namespace tipple::columns
