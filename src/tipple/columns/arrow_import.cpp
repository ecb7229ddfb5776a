#include "tipple/columns/arrow_import.h"

#include <charconv>
#include <memory>
#include <string_view>
#include <type_traits>

#include "tipple/core/error.h"

namespace tipple::columns {

namespace {

constexpr std::int64_t us_per_day = 86'400'000'000;

/// One column on its way in.
struct Field {
    const ArrowSchema& schema;
    const ArrowArray& array;
    /// Keeps the array's buffers.
    const std::shared_ptr<const void>& owner;
    std::size_t offset = 0;
    std::size_t rows = 0;

    std::string_view format() const { return schema.format; }
    std::string_view name() const { return schema.name != nullptr ? schema.name : ""; }
    template <typename T>
    const T* values(std::int64_t buffer = 1) const {
        return static_cast<const T*>(array.buffers[buffer]);
    }
    bool is_null(std::size_t row) const {
        return array.n_buffers > 0 && array.buffers[0] != nullptr && !get_bit(values<std::uint8_t>(0), offset + row);
    }
    [[noreturn]] void fail() const {
        throw Error(ErrorKind::usage, "field \"{}\" of an Arrow array has the format \"{}\", which tables do not have; convert it, or write such records as JSON", name(),
                    format());
    }
};

/// The bitmap of nulls from bit 0 on; empty when there are none.
struct Validity {
    explicit Validity(const Field& field) {
        if (field.array.null_count == 0 || field.array.n_buffers == 0 || field.array.buffers[0] == nullptr) return;
        bits.resize_zeroed(bitmap_bytes(field.rows));
        copy_bits(field.values<std::uint8_t>(0), field.offset, bits.data(), 0, field.rows);
        null_count = field.rows - count_set_bits(bits.data(), 0, field.rows);
    }
    Buffer bits;
    std::size_t null_count = 0;
};

/// As they lie.
ColumnBuilder borrow_fixed(const Field& field, ColumnType type) {
    ColumnBuilder column(type);
    const std::size_t width = value_width(column.layout());
    const Validity validity(field);
    column.borrow_values(field.values<std::uint8_t>() + field.offset * width, field.rows * width, field.owner);
    column.finish_rows(field.rows, validity.null_count, validity.bits.data(), nullptr);
    return column;
}

template <typename Offset>
ColumnBuilder borrow_bytes(const Field& field, ColumnType type) {
    ColumnBuilder column(type);
    if (field.rows == 0) return column;
    const Offset* offsets = field.values<Offset>() + field.offset;
    const auto bytes = static_cast<std::size_t>(offsets[field.rows] - offsets[0]);
    if (bytes > limits::text_buffer_bytes_max) {
        throw Error(ErrorKind::usage, "field \"{}\" of an Arrow array holds {} bytes of text, {} at most: give it in smaller arrays", field.name(), bytes,
                    limits::text_buffer_bytes_max);
    }
    const Validity validity(field);
    column.borrow_values(field.values<std::uint8_t>(2) + offsets[0], bytes, field.owner);
    if constexpr (std::is_same_v<Offset, std::int32_t>) {
        column.finish_rows(field.rows, validity.null_count, validity.bits.data(), offsets);
    } else {
        std::vector<std::int32_t> narrow(field.rows + 1);
        for (std::size_t i = 0; i <= field.rows; ++i) narrow[i] = static_cast<std::int32_t>(offsets[i] - offsets[0]);
        column.finish_rows(field.rows, validity.null_count, validity.bits.data(), narrow.data());
    }
    return column;
}

/// `append` is given the builder and one value.
template <typename T, typename Append>
ColumnBuilder convert(const Field& field, ColumnType type, Append append) {
    ColumnBuilder column(type);
    const T* values = field.values<T>() + field.offset;
    for (std::size_t row = 0; row < field.rows; ++row) field.is_null(row) ? column.append_null() : append(column, values[row]);
    return column;
}

template <typename T>
ColumnBuilder convert_integers(const Field& field) {
    return convert<T>(field, {.type = DataType::bigint}, [](ColumnBuilder& column, T value) { column.append_int64(static_cast<std::int64_t>(value)); });
}

/// One value is `us_each` microseconds.
template <typename T>
ColumnBuilder convert_times(const Field& field, ColumnType type, std::int64_t us_each) {
    return convert<T>(field, type, [&](ColumnBuilder& column, T value) {
        std::int64_t us = 0;
        if (__builtin_mul_overflow(static_cast<std::int64_t>(value), us_each, &us)) {
            throw Error(ErrorKind::data, "field \"{}\" of an Arrow array: {} is beyond what microseconds can say", field.name(), value);
        }
        column.append_int64(us);
    });
}

/// The microseconds, and beside them what there is beyond.
ColumnBuilder convert_nanoseconds(const Field& field, ColumnType type) {
    return convert<std::int64_t>(field, type, [](ColumnBuilder& column, std::int64_t ns) { column.append_nanoseconds(ns); });
}

ColumnBuilder import_bools(const Field& field) {
    ColumnBuilder column(ColumnType{.type = DataType::bool_});
    Buffer bits;
    bits.resize_zeroed(bitmap_bytes(field.rows));
    copy_bits(field.values<std::uint8_t>(), field.offset, bits.data(), 0, field.rows);
    const Validity validity(field);
    column.append_bits(field.rows, validity.null_count, validity.bits.data(), bits.data());
    return column;
}

/// `d:PRECISION,SCALE` or, with a third number, bits.
ColumnBuilder import_decimals(const Field& field) {
    int numbers[3] = {0, 0, 128};
    std::string_view rest = field.format().substr(2);
    for (int& number : numbers) {
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error != std::errc()) field.fail();
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        if (rest.empty()) break;
        rest.remove_prefix(1);
    }
    if (numbers[2] != 128) field.fail();
    return borrow_fixed(field, {.type = DataType::decimal, .precision = numbers[0], .scale = numbers[1]});
}

ColumnBuilder import_timestamps(const Field& field) {
    const ColumnType type{.type = DataType::timestamp, .timezone = field.format().size() > 4};
    switch (field.format()[2]) {
        case 's':
            return convert_times<std::int64_t>(field, type, 1'000'000);
        case 'm':
            return convert_times<std::int64_t>(field, type, 1'000);
        case 'u':
            return borrow_fixed(field, type);
        case 'n':
            return convert_nanoseconds(field, type);
    }
    field.fail();
}

ColumnBuilder import_times(const Field& field) {
    const std::string_view format = field.format();
    const ColumnType time{.type = DataType::time};
    if (format == "tdD") return borrow_fixed(field, {.type = DataType::date});
    if (format == "tdm") {
        return convert<std::int64_t>(field, {.type = DataType::date}, [](ColumnBuilder& column, std::int64_t ms) {
            column.append_int32(static_cast<std::int32_t>(schema::civil::floor_div(ms, us_per_day / 1'000)));
        });
    }
    if (format == "tts") return convert_times<std::int32_t>(field, time, 1'000'000);
    if (format == "ttm") return convert_times<std::int32_t>(field, time, 1'000);
    if (format == "ttu") return borrow_fixed(field, time);
    if (format == "ttn") return convert_nanoseconds(field, time);
    if (format.size() >= 4 && format.starts_with("ts")) return import_timestamps(field);
    field.fail();
}

ColumnBuilder import_plain(const Field& field) {
    const std::string_view format = field.format();
    if (format.starts_with("d:")) return import_decimals(field);
    if (format.starts_with('t')) return import_times(field);
    if (format.size() != 1) field.fail();
    switch (format[0]) {
        case 'b':
            return import_bools(field);
        case 'c':
            return convert_integers<std::int8_t>(field);
        case 'C':
            return convert_integers<std::uint8_t>(field);
        case 's':
            return convert_integers<std::int16_t>(field);
        case 'S':
            return convert_integers<std::uint16_t>(field);
        case 'i':
            return convert_integers<std::int32_t>(field);
        case 'I':
            return convert_integers<std::uint32_t>(field);
        case 'l':
            return borrow_fixed(field, {.type = DataType::bigint});
        case 'L':
            return convert<std::uint64_t>(field, {.type = DataType::decimal, .precision = 38},
                                          [](ColumnBuilder& column, std::uint64_t value) { column.append_int128(static_cast<int128>(value)); });
        case 'f':
            return convert<float>(field, {.type = DataType::double_}, [](ColumnBuilder& column, float value) { column.append_double(static_cast<double>(value)); });
        case 'g':
            return borrow_fixed(field, {.type = DataType::double_});
        case 'u':
            return borrow_bytes<std::int32_t>(field, {.type = DataType::text});
        case 'U':
            return borrow_bytes<std::int64_t>(field, {.type = DataType::text});
        case 'z':
            return borrow_bytes<std::int32_t>(field, {.type = DataType::binary});
        case 'Z':
            return borrow_bytes<std::int64_t>(field, {.type = DataType::binary});
    }
    field.fail();
}

/// Each row's value, out of the dictionary's.
ColumnBuilder import_dictionary(const Field& field) {
    const ArrowArray& dictionary = *field.array.dictionary;
    const ColumnBuilder values = import_plain({.schema = *field.schema.dictionary,
                                               .array = dictionary,
                                               .owner = field.owner,
                                               .offset = static_cast<std::size_t>(dictionary.offset),
                                               .rows = static_cast<std::size_t>(dictionary.length)});
    const ColumnBuilder indexes = import_plain(field);
    if (indexes.type().type != DataType::bigint) field.fail();
    const ColumnView all = values.view();
    const ColumnView places = indexes.view();
    ColumnBuilder column(values.type());
    for (std::size_t row = 0; row < field.rows; ++row) {
        if (places.is_null(row)) {
            column.append_null();
        } else {
            column.append_rows(all, static_cast<std::size_t>(places.value<std::int64_t>(row)), 1);
        }
    }
    return column;
}

/// Releases what the interface hands over.
template <typename T>
struct Released {
    explicit Released(T* from) : value(*from) { from->release = nullptr; }
    ~Released() {
        if (value.release != nullptr) value.release(&value);
    }
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;
    T value;
};

}  // namespace

Batch import_array(ArrowSchema* schema, ArrowArray* array) {
    const Released<ArrowSchema> fields(schema);
    const auto held = std::make_shared<const Released<ArrowArray>>(array);
    const std::shared_ptr<const void> owner = held;
    const ArrowArray& root = held->value;
    if (std::string_view(fields.value.format) != "+s" || fields.value.n_children != root.n_children) {
        throw Error(ErrorKind::usage, "an Arrow array of the format \"{}\" was given, where a struct of columns is needed", fields.value.format);
    }
    Batch batch;
    batch.rows = static_cast<std::size_t>(root.length);
    for (std::int64_t i = 0; i < root.n_children; ++i) {
        const ArrowArray& child = *root.children[i];
        const Field field{.schema = *fields.value.children[i],
                          .array = child,
                          .owner = owner,
                          .offset = static_cast<std::size_t>(root.offset + child.offset),
                          .rows = batch.rows};
        if (field.format() == "n") continue;
        batch.names.emplace_back(field.name());
        batch.columns.push_back(field.schema.dictionary != nullptr ? import_dictionary(field) : import_plain(field));
    }
    return batch;
}

StreamReader::StreamReader(ArrowArrayStream* stream) : stream_(*stream) { stream->release = nullptr; }

StreamReader::~StreamReader() {
    if (stream_.release != nullptr) stream_.release(&stream_);
}

void StreamReader::check(int result, const char* what) {
    if (result == 0) return;
    const char* text = stream_.get_last_error(&stream_);
    throw Error(ErrorKind::remote, "an Arrow stream cannot give its {}: {}", what, text != nullptr ? text : errno_text(result));
}

std::optional<Batch> StreamReader::next() {
    // The schema first: an array that was taken must not be left behind.
    ArrowSchema schema;
    check(stream_.get_schema(&stream_, &schema), "schema");
    Released<ArrowSchema> fields(&schema);
    ArrowArray array;
    check(stream_.get_next(&stream_, &array), "next array");
    if (array.release == nullptr) return std::nullopt;
    return import_array(&fields.value, &array);
}

}  // namespace tipple::columns
