#include "tipple/sources/parquet_footer.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tipple::sources {

namespace {

/// Types of Thrift's compact protocol.
enum class Wire : std::uint8_t { stop = 0, yes = 1, no = 2, byte = 3, i16 = 4, i32 = 5, i64 = 6, real = 7, binary = 8, list = 9, set = 10, map = 11, structure = 12 };

constexpr int depth_max = 32;

/// Reads values one after another. After something that is no Thrift, `failed` is true and all values are zero.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    bool failed() const { return failed_; }
    std::size_t at() const { return at_; }

    std::uint8_t byte() {
        if (at_ >= bytes_.size()) failed_ = true;
        return failed_ ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes_[at_++]);
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t next = byte();
            value |= std::uint64_t{next & 0x7FU} << shift;
            if (next < 0x80) return value;
        }
        failed_ = true;
        return 0;
    }
    std::int64_t integer() {
        const std::uint64_t value = varint();
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    std::string_view binary() {
        const std::uint64_t length = varint();
        if (length > bytes_.size() - at_) failed_ = true;
        if (failed_) return {};
        at_ += length;
        return bytes_.substr(at_ - length, length);
    }
    struct Elements {
        Wire type = Wire::stop;
        std::uint64_t count = 0;
    };
    Elements list() {
        const std::uint8_t head = byte();
        const std::uint64_t count = head >> 4;
        return {static_cast<Wire>(head & 0xF), count == 0xF ? varint() : count};
    }
    /// `take` gets the number, the type and the place of each field of a struct, and reads its value.
    template <typename Take>
    void fields(Take take) {
        std::int64_t id = 0;
        while (!failed_) {
            const std::size_t place = at_;
            const std::uint8_t head = byte();
            const auto type = static_cast<Wire>(head & 0xF);
            if (failed_ || type == Wire::stop) return;
            id = head >> 4 == 0 ? integer() : id + (head >> 4);
            take(id, type, place);
        }
    }
    void skip(Wire type, int depth = 0) {
        if (depth > depth_max) failed_ = true;
        if (failed_) return;
        switch (type) {
            case Wire::yes:
            case Wire::no:
                return;
            case Wire::byte:
                byte();
                return;
            case Wire::i16:
            case Wire::i32:
            case Wire::i64:
                varint();
                return;
            case Wire::real:
                for (int i = 0; i < 8; ++i) byte();
                return;
            case Wire::binary:
                binary();
                return;
            case Wire::list:
            case Wire::set: {
                const Elements elements = list();
                // Truths are a byte each there.
                const bool is_truth = elements.type == Wire::yes || elements.type == Wire::no;
                for (std::uint64_t i = 0; i < elements.count && !failed_; ++i) skip(is_truth ? Wire::byte : elements.type, depth + 1);
                return;
            }
            case Wire::structure:
                fields([&](std::int64_t, Wire field, std::size_t) { skip(field, depth + 1); });
                return;
            case Wire::map:
            case Wire::stop:
                break;
        }
        // Maps are in no part of it.
        failed_ = true;
    }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

/// The places of what says that a column has times, or time stamps with a zone, in nanoseconds.
struct Declaration {
    std::size_t kind_at = 0;  ///< the field of the union `LogicalType`: 7 is a time, 8 a time stamp
    std::size_t zone_at = 0;  ///< the field `isAdjustedToUTC`
    bool has_zone = false;
    bool is_nanoseconds = false;
};

struct Element {
    std::string name;
    std::int64_t children = 0;
    std::optional<Declaration> declaration;
};

/// A struct `TimeType` or `TimestampType`, which are alike.
Declaration read_declaration(Reader& reader, std::size_t kind_at) {
    Declaration found{.kind_at = kind_at};
    reader.fields([&](std::int64_t id, Wire type, std::size_t at) {
        if (id == 1) {
            found.zone_at = at;
            found.has_zone = type == Wire::yes;
        }
        if (id != 2 || type != Wire::structure) return reader.skip(type);
        reader.fields([&](std::int64_t unit, Wire value, std::size_t) {
            if (unit == 3) found.is_nanoseconds = true;
            reader.skip(value);
        });
    });
    return found;
}

Element read_element(Reader& reader) {
    Element element;
    reader.fields([&](std::int64_t id, Wire type, std::size_t) {
        if (id == 4 && type == Wire::binary) {
            element.name = reader.binary();
        } else if (id == 5 && type == Wire::i32) {
            element.children = reader.integer();
        } else if (id == 10 && type == Wire::structure) {
            reader.fields([&](std::int64_t kind, Wire value, std::size_t at) {
                if ((kind != 7 && kind != 8) || value != Wire::structure) return reader.skip(value);
                element.declaration = read_declaration(reader, at);
            });
        } else {
            reader.skip(type);
        }
    });
    return element;
}

/// A field's number and type are in one byte, unless a writer has taken a longer form.
bool is_short(const std::string& footer, std::size_t at) { return (static_cast<std::uint8_t>(footer[at]) & 0xF0) != 0; }

void set_bits(std::string& footer, std::size_t at, std::uint8_t mask, std::uint8_t bits) {
    footer[at] = static_cast<char>((static_cast<std::uint8_t>(footer[at]) & ~mask) | bits);
}

}  // namespace

std::vector<NanosecondColumn> declare_wall_clocks(std::string& footer) {
    const std::string original = footer;
    std::vector<NanosecondColumn> columns;
    Reader reader(original);
    reader.fields([&](std::int64_t id, Wire type, std::size_t) {
        if (id != 2 || type != Wire::list) return reader.skip(type);
        // The tree of columns, each node before its children; the first one is the root.
        const Reader::Elements elements = reader.list();
        std::size_t place = 0;
        std::int64_t nested = 0;
        for (std::uint64_t i = 0; i < elements.count && !reader.failed(); ++i) {
            Element element = read_element(reader);
            if (i == 0) continue;
            if (nested > 0) {
                nested += element.children - 1;
                continue;
            }
            nested = element.children;
            const std::size_t own = place++;
            const std::optional<Declaration>& declared = element.declaration;
            if (nested > 0 || !declared || !declared->is_nanoseconds || !is_short(footer, declared->kind_at) || !is_short(footer, declared->zone_at)) continue;
            set_bits(footer, declared->kind_at, 0xF0, 0x80);
            set_bits(footer, declared->zone_at, 0x0F, static_cast<std::uint8_t>(Wire::no));
            columns.push_back({.place = own, .name = std::move(element.name)});
        }
    });
    if (!reader.failed()) return columns;
    footer = original;
    return {};
}

}  // namespace tipple::sources
