#pragma once

#include <cstdint>
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
    /// The same of an object, of which `visit(std::string_view name, json::pull::Cursor value) -> Fault` sees each member on the way.
    template <typename Visit>
    json::pull::Fault digest_object(json::pull::Cursor& cursor, RecordDigest& digest, Visit&& visit) {
        return digest_members(cursor, 1, digest.bits, visit);
    }

private:
    json::pull::Fault digest_value(json::pull::Cursor& cursor, int depth, std::uint64_t& bits);
    template <typename Visit>
    json::pull::Fault digest_members(json::pull::Cursor& cursor, int depth, std::uint64_t& bits, Visit&& visit) {
        using json::pull::Fault;
        std::uint64_t sum = 0;
        const Fault fault = json::pull::for_each_member(cursor, [&](json::pull::Key key, json::pull::Cursor& member) {
            std::string_view name;
            if (const Fault bad = read_text(key.raw(), name); bad != Fault::none) return bad;
            const std::uint64_t name_bits = bits_of_text(name);
            if (const Fault bad = visit(name, member); bad != Fault::none) return bad;
            std::uint64_t value = 0;
            if (const Fault bad = digest_value(member, depth + 1, value); bad != Fault::none) return bad;
            sum += bits_of_member(name_bits, value);
            return Fault::none;
        });
        bits = bits_of_object(sum);
        return fault;
    }
    /// Valid until the next text.
    json::pull::Fault read_text(const char* raw, std::string_view& text);
    static std::uint64_t bits_of_text(std::string_view text);
    static std::uint64_t bits_of_member(std::uint64_t name, std::uint64_t value);
    static std::uint64_t bits_of_object(std::uint64_t sum);

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
