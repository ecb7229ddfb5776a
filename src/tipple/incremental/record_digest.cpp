#include "tipple/incremental/record_digest.h"

#include <bit>
#include <cmath>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tipple/core/hash.h"
#include "tipple/core/limits.h"
#include "tipple/schema/coerce.h"

namespace tipple::incremental {

namespace pull = json::pull;
using pull::Fault;

namespace {

/// Kinds of values: digests of different ones differ though their bytes be the same.
enum class Tag : std::uint64_t {
    null = 0x9e3779b97f4a7c15,
    boolean = 0xbf58476d1ce4e5b9,
    integer = 0x94d049bb133111eb,
    large = 0xd6e8feb86659fd93,
    real = 0xa0761d6478bd642f,
    text = 0xe7037ed1a0b428db,
    list = 0x8ebc6af09c88c6e3,
    object = 0x589965cc75374cc3,
};

/// A bijection in which every bit of the input reaches every bit of the output (the finalizer of splitmix64).
std::uint64_t mix(std::uint64_t bits) {
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
}

std::uint64_t tagged(Tag tag, std::uint64_t bits) { return mix(bits ^ static_cast<std::uint64_t>(tag)); }

std::uint64_t of_text(std::string_view text) { return tagged(Tag::text, xxh3_64(text)); }

std::uint64_t of_double(double number) {
    if (!std::isfinite(number)) return tagged(Tag::null, 0);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof(bits));
    return tagged(Tag::real, bits);
}

std::uint64_t next_of_list(std::uint64_t so_far, std::uint64_t element) { return mix(so_far * 3 + element); }

std::uint64_t of_member(std::uint64_t name, std::uint64_t value) { return mix(name * 3 + value); }

std::uint64_t of_json(const json::Value& document);

std::uint64_t mixed_of(const schema::Value& value) {
    if (value.is_null()) return tagged(Tag::null, 0);
    if (const auto* flag = value.get_if<bool>()) return tagged(Tag::boolean, *flag ? 1 : 0);
    if (const auto* integer = value.get_if<std::int64_t>()) return tagged(Tag::integer, static_cast<std::uint64_t>(*integer));
    if (const auto* large = value.get_if<std::uint64_t>()) return tagged(Tag::large, *large);
    if (const auto* number = value.get_if<double>()) return of_double(*number);
    if (const auto* text = value.get_if<std::string>()) return of_text(*text);
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return tagged(Tag::integer, static_cast<std::uint64_t>(timestamp->us));
    if (const auto* binary = value.get_if<schema::Binary>()) return of_text(binary->bytes);
    if (const auto* list = value.get_if<schema::List>()) {
        std::uint64_t bits = 0;
        for (const schema::Value& element : *list) bits = next_of_list(bits, mixed_of(element));
        return tagged(Tag::list, bits);
    }
    if (const auto* object = value.get_if<schema::Object>()) {
        ObjectDigest digest;
        for (const schema::Field& field : *object) digest.add(field.name, field.value);
        return digest.finish().bits;
    }
    if (const auto* whole = value.get_if<schema::Json>()) {
        json::Value document;
        return json::try_parse(whole->text, document) ? of_json(document) : of_text(whole->text);
    }
    // Decimals, dates and times.
    return of_text(schema::coerce(schema::DataType::text, value)->as<std::string>());
}

std::uint64_t of_json(const json::Value& document) {
    if (document.is_bool()) return mixed_of(document.as_bool());
    if (document.is_int()) return mixed_of(document.as_int());
    if (document.is_uint()) return mixed_of(document.as_uint());
    if (document.is_double()) return of_double(document.as_double());
    if (document.is_text()) return of_text(document.as_text());
    std::uint64_t bits = 0;
    if (document.is_array()) {
        for (const json::Value& element : document.as_array()) bits = next_of_list(bits, of_json(element));
        return tagged(Tag::list, bits);
    }
    if (!document.is_object()) return mixed_of({});
    for (const json::Member& member : document.as_object()) bits += of_member(of_text(member.name), of_json(member.value));
    return tagged(Tag::object, bits);
}

/// Where the string ends that begins at `raw`, behind its opening quote, in an indexed text. False when an escape is before that.
bool find_plain_end(const char* raw, std::string_view& text) {
    const char* end = raw;
#if defined(__SSE2__)
    // Behind the text there is padding.
    static_assert(limits::json_padding >= sizeof(__m128i));
    while (true) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(end));
        const __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        const auto places = static_cast<unsigned>(_mm_movemask_epi8(hits));
        end += places != 0 ? static_cast<std::size_t>(std::countr_zero(places)) : sizeof(bytes);
        if (places != 0) break;
    }
#else
    while (*end != '"' && *end != '\\') ++end;
#endif
    text = {raw, static_cast<std::size_t>(end - raw)};
    return *end == '"';
}

std::uint64_t of_number(const pull::Number& number) {
    switch (number.kind) {
        case pull::NumberKind::int64:
            return tagged(Tag::integer, static_cast<std::uint64_t>(number.int64));
        case pull::NumberKind::uint64:
            return tagged(Tag::large, number.uint64);
        case pull::NumberKind::float64:
            return of_double(number.float64);
        case pull::NumberKind::beyond:
            break;
    }
    return of_text(number.text);
}

}  // namespace

std::uint64_t RecordDigest::mixed() const { return is_integer ? tagged(Tag::integer, bits) : bits; }

RecordDigest digest_of(const schema::Value& value) {
    if (const auto* integer = value.get_if<std::int64_t>()) return {static_cast<std::uint64_t>(*integer), true};
    return {mixed_of(value), false};
}

RecordDigest digest_of_list(std::span<const RecordDigest> values) {
    std::uint64_t bits = 0;
    for (const RecordDigest& value : values) bits = next_of_list(bits, value.mixed());
    return {tagged(Tag::list, bits), false};
}

void ObjectDigest::add(std::string_view name, const schema::Value& value) { sum_ += of_member(of_text(name), mixed_of(value)); }

RecordDigest ObjectDigest::finish() const { return {tagged(Tag::object, sum_), false}; }

Fault JsonDigester::read_text(const char* raw, std::string_view& text) {
    if (find_plain_end(raw, text)) return Fault::none;
    if (!pull::unescape_into(raw, scratch_)) return Fault::string_escape;
    text = scratch_;
    return Fault::none;
}

/// `visit(std::string_view name, const pull::Cursor& value)` sees each member.
template <typename Visit>
Fault JsonDigester::digest_members(pull::Cursor& cursor, int depth, std::uint64_t& bits, Visit&& visit) {
    std::uint64_t sum = 0;
    const Fault fault = pull::for_each_member(cursor, [&](pull::Key key, pull::Cursor& member) {
        std::string_view name;
        if (const Fault bad = read_text(key.raw(), name); bad != Fault::none) return bad;
        const std::uint64_t name_bits = of_text(name);
        visit(name, member);
        std::uint64_t value = 0;
        if (const Fault bad = digest_value(member, depth + 1, value); bad != Fault::none) return bad;
        sum += of_member(name_bits, value);
        return Fault::none;
    });
    bits = tagged(Tag::object, sum);
    return fault;
}

Fault JsonDigester::digest_value(pull::Cursor& cursor, int depth, std::uint64_t& bits) {
    if (depth > limits::json_depth_max) return Fault::too_deep;
    switch (cursor.peek()) {
        case '{':
            return digest_members(cursor, depth, bits, [](std::string_view, const pull::Cursor&) {});
        case '[': {
            std::uint64_t list = 0;
            const Fault fault = pull::for_each_element(cursor, [&](pull::Cursor& element) {
                std::uint64_t value = 0;
                if (const Fault bad = digest_value(element, depth + 1, value); bad != Fault::none) return bad;
                list = next_of_list(list, value);
                return Fault::none;
            });
            bits = tagged(Tag::list, list);
            return fault;
        }
        case '"': {
            std::string_view text;
            const Fault fault = read_text(cursor.take() + 1, text);
            bits = of_text(text);
            return fault;
        }
        case 't':
            bits = tagged(Tag::boolean, 1);
            return pull::read_true(cursor.take());
        case 'f':
            bits = tagged(Tag::boolean, 0);
            return pull::read_false(cursor.take());
        case 'n':
            bits = tagged(Tag::null, 0);
            return pull::read_null(cursor.take());
        default:
            break;
    }
    pull::Number number;
    const Fault fault = pull::read_number(cursor.take(), number);
    if (fault == Fault::none) bits = of_number(number);
    return fault;
}

Fault JsonDigester::digest_object(pull::Cursor& cursor, RecordDigest& digest, std::string_view name, std::optional<pull::Cursor>& value) {
    digest.is_integer = false;
    return digest_members(cursor, 1, digest.bits, [&](std::string_view own, const pull::Cursor& member) {
        if (own == name) value = member;
    });
}

Fault JsonDigester::digest(pull::Cursor& cursor, RecordDigest& digest) {
    const char first = cursor.peek();
    if (first == '-' || (first >= '0' && first <= '9')) {
        pull::Number number;
        const Fault fault = pull::read_number(cursor.take(), number);
        if (fault != Fault::none) return fault;
        const bool is_integer = number.kind == pull::NumberKind::int64;
        digest = {is_integer ? static_cast<std::uint64_t>(number.int64) : of_number(number), is_integer};
        return Fault::none;
    }
    digest.is_integer = false;
    return digest_value(cursor, 1, digest.bits);
}

}  // namespace tipple::incremental
