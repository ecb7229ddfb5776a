#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tipple/json/pull.h"
#include "tipple/json/value.h"
#include "tipple/schema/value.h"

/// What tells records apart where there are too many for the reference's hashes: 64 bits that cost a fortieth of them. Of JSON text and of the typed values
/// it stands for they are the same; the order of an object's members does not count.
namespace tipple::incremental {

struct RecordDigest {
    std::uint64_t bits = 0;
    /// The key is one integer, and `bits` is that integer.
    bool is_integer = false;

    /// Comparable with those of keys that are no integers.
    std::uint64_t mixed() const;
};

/// Of a key's value, a list of such, or a whole record.
RecordDigest digest_of(const schema::Value& value);
/// The same of the value at the cursor, which moves behind it.
class JsonDigester {
public:
    json::pull::Fault digest(json::pull::Cursor& cursor, RecordDigest& digest);
    /// The same of an object; `value`: where the last of its members stands that has this name, if any.
    json::pull::Fault digest_object(json::pull::Cursor& cursor, RecordDigest& digest, std::string_view name, std::optional<json::pull::Cursor>& value);

private:
    json::pull::Fault digest_value(json::pull::Cursor& cursor, int depth, std::uint64_t& bits);
    template <typename Visit>
    json::pull::Fault digest_members(json::pull::Cursor& cursor, int depth, std::uint64_t& bits, Visit&& visit);
    /// Valid until the next text.
    json::pull::Fault read_text(const char* raw, std::string_view& text);

    std::string scratch_;
};
/// Of an object whose members come one by one.
class ObjectDigest {
public:
    void add(std::string_view name, const schema::Value& value);
    RecordDigest finish() const;

private:
    std::uint64_t sum_ = 0;
};
/// Of a key of several columns, by the digests of their values.
RecordDigest digest_of_list(std::span<const RecordDigest> values);

}  // namespace tipple::incremental
