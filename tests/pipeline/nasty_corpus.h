#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tipple/json/value.h"

namespace tipple::pipeline {

/// JSON records that are hard to agree about: types that change, keys that meet, tables that appear
/// late. Made from a seed, always the same.
///
/// What a record may hold depends on the phase it is in, so that new columns, variants and tables
/// turn up all along, in pages that different workers have at the same time.
class NastyCorpus {
public:
    explicit NastyCorpus(std::uint64_t seed) : random_(seed) {}

    /// Each one line of JSON. `id` is unique over all calls, but for each tenth record, which has
    /// the id of an earlier one.
    std::vector<std::string> records(std::size_t count) {
        std::vector<std::string> records;
        for (std::size_t i = 0; i < count; ++i) records.push_back(record(i * phases / count));
        return records;
    }

private:
    static constexpr std::size_t phases = 12;

    /// As it stands in JSON text.
    struct Key {
        const char* name;
        bool has_lists;  ///< else objects
    };

    std::size_t pick(std::size_t count) { return random_() % count; }
    template <std::size_t N>
    std::string one_of(const std::array<const char*, N>& texts) {
        return texts[pick(N)];
    }

    std::string record(std::size_t phase) {
        const bool is_repeated = next_id_ > 10 && pick(10) == 0;
        const std::size_t id = is_repeated ? pick(next_id_) : next_id_++;
        std::string out = fmt::format("{{\"id\": {}", id);
        // A record with an id of its own goes another way through the shredder.
        if (pick(17) == 0) out += fmt::format(", \"_dlt_id\": \"own {}\"", own_id_++);
        append_members(out, phase, 0, false);
        if (pick(40) == 0) out += ", \"deep\": " + deep(3 * (2 + pick(3)), phase);
        if (pick(25) == 0)
            out += fmt::format(", \"late_{}\": [{{\"v\": {}}}]", phase, scalar(phase));
        if (pick(60) == 0) out += ", \"Meeting\": 1, \"meeting\": \"two\"";
        if (pick(60) == 0) out += ", \"same\": 1, \"same\": [2]";
        return out + "}";
    }

    void append_members(std::string& out, std::size_t phase, int depth, bool is_first) {
        // Whether a key leads to objects or to lists is a matter of its normalized name: two lists
        // of different tables must not become one table, which is an error of its own.
        static constexpr std::array<Key, 24> keys = {{{"a", false},          {"A", false},
                                                      {"a b", true},         {"a__b", true},
                                                      {"a.b", true},         {"_a", false},
                                                      {"b", true},           {"camelCase", false},
                                                      {"CamelCase", false},  {"camel_case", false},
                                                      {"1st", false},        {"value", true},
                                                      {"list", true},        {"", true},
                                                      {" ", true},           {"ключ", true},
                                                      {"日本", true},        {"😀", true},
                                                      {"tab\\there", false}, {"quote\\\"d", false},
                                                      {"\\u0061", false},    {"x-y", false},
                                                      {"x_y", false},        {"select", false}}};
        const std::size_t count = pick(depth == 0 ? 6 : 4);
        for (std::size_t i = 0; i < count; ++i) {
            if (!is_first) out += pick(9) == 0 ? " ,\t" : ", ";
            is_first = false;
            // Later phases know more keys.
            const Key& key = keys[pick(4 + phase * 20 / phases + 1)];
            out += fmt::format("\"{}\": {}", key.name, value(phase, depth + 1, key.has_lists));
        }
    }

    std::string value(std::size_t phase, int depth, bool has_lists) {
        const std::size_t kind = pick(8);
        if (kind == 0 && depth < 4 && !has_lists) {
            std::string out = "{";
            append_members(out, phase, depth, true);
            return out + "}";
        }
        if (kind == 0 && depth < 4) return list(phase, depth);
        if (kind == 1)
            return has_lists ? odd_list()
                             : one_of(std::array{"{}", "{\"a\": null}", "{\"c\": {\"c\": {}}}"});
        return scalar(phase);
    }

    /// Of objects, scalars and lists, mixed.
    std::string list(std::size_t phase, int depth) {
        std::string out = "[";
        const std::size_t count = pick(4);
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0) out += ", ";
            if (pick(3) == 0) {
                out += scalar(phase);
            } else if (depth < 4 && pick(4) == 0) {
                out += list(phase, depth + 1);
            } else {
                out += "{";
                append_members(out, phase, depth + 1, true);
                out += "}";
            }
        }
        return out + "]";
    }

    std::string odd_list() {
        return one_of(std::array{"[]", "[[]]", "[{}]", "[null]", "[[1, [2, \"x\"]], [[3]]]",
                                 "[1, \"one\", null, {\"c\": [true]}]"});
    }

    /// In each phase one kind of scalar is by far the most frequent.
    std::string scalar(std::size_t phase) {
        switch (pick(4) != 0 ? phase % 7 : pick(7)) {
            case 0:
                return std::to_string(static_cast<std::int64_t>(pick(2'000)) - 1'000);
            case 1:
                return one_of(
                    std::array{"0.5", "-0.0", "1e308", "1E-7", "3.0", "12345678901234567.25"});
            case 2:
                return one_of(std::array{"true", "false", "null", "null"});
            case 3:
                return json::quoted(fmt::format("text {}", pick(50)));
            case 4:
                return one_of(std::array{"\"2024-02-29\"", "\"2024-02-29T12:30:00Z\"",
                                         "\"2024-02-29T12:30:00.123456+05:30\"",
                                         "\"1969-12-31 23:59:59\"", "\"2023-02-29\"", "\"12:30\""});
            case 5:
                return one_of(std::array{"9007199254740993", "-9223372036854775808",
                                         "9223372036854775807", "9223372036854775808",
                                         "18446744073709551615", "18446744073709551616",
                                         "1234567890123456789012345678901234567890", "1e400"});
            default:
                return one_of(std::array{"\"\"", "\"null\"", "\"é 日本 🚀\"", "\"\\ud83d\\ude80\"",
                                         "\"line\\nbreak\"", "\"\\\"quoted\\\"\"", "\"\\\\\""});
        }
    }

    /// An object outside, and every third level a list.
    std::string deep(std::size_t depth, std::size_t phase) {
        std::string out = scalar(phase);
        for (std::size_t i = 0; i < depth; ++i)
            out = i % 3 == 0 ? "[" + out + "]" : fmt::format("{{\"d{}\": {}}}", i, out);
        return out;
    }

    std::mt19937_64 random_;
    std::size_t next_id_ = 0;
    std::size_t own_id_ = 0;
};

}  // namespace tipple::pipeline
