#include "tipple/incremental/record_set.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tipple/core/limits.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {
namespace {

RecordDigest of_json(std::string text) {
    text += "\n";
    const std::size_t size = text.size();
    text.resize(size + limits::json_padding);
    json::pull::Index index;
    EXPECT_EQ(index.build(text.data(), size), json::pull::Fault::none);
    json::pull::Cursor cursor = index.cursor();
    RecordDigest digest;
    EXPECT_EQ(JsonDigester().digest(cursor, digest), json::pull::Fault::none) << text;
    EXPECT_TRUE(cursor.is_at_end()) << text;
    return digest;
}

RecordDigest integer(std::int64_t number) { return digest_of(number); }

RecordSet stored(RecordSet set) {
    const json::Object packed = json::parse(json::to_text(set.pack())).as_object();
    const std::optional<RecordSet> read = RecordSet::unpack(packed);
    EXPECT_TRUE(read) << json::to_text(packed);
    return read.value_or(RecordSet());
}

TEST(RecordDigest, IsThatOfTheValueHoweverItIsWritten) {
    EXPECT_EQ(of_json(R"({"a":1,"b":"é"})").bits, of_json(R"({ "b" : "\u00e9", "\u0061" : 1 })").bits);
    EXPECT_EQ(of_json(R"({"a":[1,{"b":null,"c":2.5}],"d":true,"e":18446744073709551615})").bits,
              digest_of(schema::Object{{"e", std::uint64_t{18446744073709551615U}},
                                       {"d", true},
                                       {"a", schema::List{std::int64_t{1}, schema::Object{{"c", 2.5}, {"b", schema::Value()}}}}})
                  .bits);
    ObjectDigest object;
    object.add("t", schema::Timestamp{.us = 5});
    object.add("a", std::string("x"));
    EXPECT_EQ(object.finish().bits, of_json(R"({"a":"x","t":5})").bits) << "timestamps are microseconds";
    EXPECT_EQ(digest_of(schema::Json{R"([1,"x"])"}).bits, of_json(R"([1, "x"])").bits);
}

TEST(RecordDigest, DiffersWhereValuesDo) {
    const std::vector<std::string> values = {"0",       "1",         "-1",        "\"1\"",     "true",          "false",         "null",           "1.5",
                                             "\"\"",    "[]",        "{}",        "[1,2]",     "[2,1]",         "[[1],2]",       "[1,[2]]",        "{\"a\":1}",
                                             "[null]",  "{\"a\":null}", "{\"1\":\"a\"}", "{\"a\":\"1\"}", "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", "{\"a\":{\"b\":1}}", "[{\"a\":1}]"};
    RecordSet set;
    for (const std::string& value : values) set.add(of_json(value));
    set.settle();
    EXPECT_EQ(set.size(), values.size());
}

TEST(RecordDigest, OfAnIntegerIsTheInteger) {
    EXPECT_TRUE(of_json("-7").is_integer);
    EXPECT_EQ(of_json("-7").bits, integer(-7).bits);
    EXPECT_FALSE(of_json("7.0").is_integer);
    EXPECT_NE(of_json("[7]").mixed(), of_json("7").mixed());
}

TEST(RecordSet, KnowsWhatItWasGiven) {
    RecordSet set;
    EXPECT_FALSE(set.contains(integer(0)));
    for (const std::int64_t number : {5, -3, 5, 9}) set.add(integer(number));
    set.settle();
    EXPECT_EQ(set.size(), 3U);
    EXPECT_TRUE(set.contains(integer(-3)));
    EXPECT_FALSE(set.contains(integer(3)));
    EXPECT_FALSE(set.contains(of_json("\"5\"")));
    // From the first key on that is no integer, all are known by digests.
    set.add(of_json("\"5\""));
    set.settle();
    for (const std::int64_t number : {5, -3, 9}) EXPECT_TRUE(set.contains(integer(number)));
    EXPECT_TRUE(set.contains(of_json("\"5\"")));
    EXPECT_FALSE(set.contains(of_json("\"9\"")));

    RecordSet numbers;
    numbers.add(integer(100));
    numbers.add(set);
    numbers.settle();
    EXPECT_EQ(numbers.size(), 5U);
    EXPECT_TRUE(numbers.contains(integer(100)));
    EXPECT_TRUE(numbers.contains(of_json("\"5\"")));
}

TEST(RecordSet, IsTheSameWhenItIsReadAgain) {
    std::mt19937_64 random(7);
    for (const std::size_t count : {0U, 1U, 2U, 3U, 1'000U, 100'000U}) {
        RecordSet integers;
        RecordSet sparse;
        RecordSet digests;
        std::vector<RecordDigest> members;
        for (std::size_t i = 0; i < count; ++i) {
            integers.add(integer(static_cast<std::int64_t>(i) - 50));
            sparse.add(integer(static_cast<std::int64_t>(random())));
            digests.add({random(), false});
        }
        for (RecordSet* set : {&integers, &sparse, &digests}) {
            RecordSet again = stored(*set);
            set->settle();
            EXPECT_EQ(again.size(), set->size());
            EXPECT_EQ(json::to_text(again.pack()), json::to_text(set->pack()));
        }
    }
    RecordSet extremes;
    for (const std::int64_t number : {INT64_MIN, std::int64_t{0}, INT64_MAX}) extremes.add(integer(number));
    EXPECT_TRUE(stored(extremes).contains(integer(INT64_MIN)));
    EXPECT_TRUE(stored(extremes).contains(integer(INT64_MAX)));
}

TEST(RecordSet, FindsAllAndNothingElseWhereverTheyLie) {
    std::mt19937_64 random(11);
    const auto power = [&] { return static_cast<std::int64_t>(random() >> (random() % 64)); };
    for (const std::size_t count : {3U, 4U, 1'500U, 70'000U}) {
        std::vector<std::int64_t> dense;
        std::vector<std::int64_t> crowded = {INT64_MAX - 1, INT64_MIN};
        std::vector<std::int64_t> skewed;
        for (std::size_t i = 0; i < count; ++i) {
            dense.push_back(static_cast<std::int64_t>(random() % (count * 2)) * 2);
            crowded.push_back(static_cast<std::int64_t>(random() % 50'000) * 2);
            skewed.push_back(power() & ~std::int64_t{1});
        }
        for (std::vector<std::int64_t>* numbers : {&dense, &crowded, &skewed}) {
            RecordSet set;
            for (const std::int64_t number : *numbers) set.add(integer(number));
            const RecordSet again = stored(std::move(set));
            std::sort(numbers->begin(), numbers->end());
            numbers->erase(std::unique(numbers->begin(), numbers->end()), numbers->end());
            EXPECT_EQ(again.size(), numbers->size());
            std::size_t missed = 0;
            std::size_t invented = 0;
            for (const std::int64_t number : *numbers) {
                missed += again.contains(integer(number)) ? 0 : 1;
                invented += again.contains(integer(number + 1)) ? 1 : 0;
            }
            EXPECT_EQ(missed, 0U);
            EXPECT_EQ(invented, 0U) << "odd ones are in none";
            RecordSet more = again;
            more.add(integer(7));
            more.settle();
            EXPECT_TRUE(more.contains(integer(7)));
            EXPECT_TRUE(more.contains(integer(numbers->back())));
        }
    }
}

/// Members as the first version that packed them wrote them.
TEST(RecordSet, ReadsAndWritesTheSameBits) {
    RecordSet integers;
    for (const std::int64_t number : {-3, 5, 6, 7, 1'000, INT32_MAX}) integers.add(integer(number));
    EXPECT_EQ(json::to_text(integers.pack()), R"({"v":1,"kind":"integers","count":6,"plain_bits":28,"members":"f/////////0AAAA4AAAAAAAAAAAAPg/v//wW"})");
    RecordSet digests;
    for (const std::uint64_t bits : std::initializer_list<std::uint64_t>{0x0123456789abcdef, 0xfedcba9876543210, 0x8000000000000000, 0x8000000000000001, 3}) digests.add({bits, false});
    EXPECT_EQ(json::to_text(digests.pack()), R"({"v":1,"kind":"digests","count":5,"plain_bits":61,"members":"AAAAAAAAAAMEjRWeJq83r725dTDsqGQgAAAAAAAAAAd7cuph2VDIOA=="})");
}

TEST(RecordSet, TakesLittleRoom) {
    std::mt19937_64 random(7);
    RecordSet integers;
    RecordSet digests;
    for (std::int64_t i = 0; i < 100'000; ++i) {
        integers.add(integer(i * 3));
        digests.add({random(), false});
    }
    EXPECT_LT(json::to_text(integers.pack()).size(), 60'000U) << "3 bits each";
    EXPECT_LT(json::to_text(digests.pack()).size(), 840'000U) << "49 bits each";
}

TEST(RecordSet, RefusesWhatItCannotRead) {
    RecordSet set;
    for (std::int64_t i = 0; i < 100; ++i) set.add(integer(i * i));
    const json::Object good = set.pack();
    EXPECT_TRUE(RecordSet::unpack(good));
    const auto with = [&](std::string_view name, json::Value value) {
        json::Object changed = good;
        changed.set(name, std::move(value));
        return RecordSet::unpack(changed);
    };
    EXPECT_FALSE(with("v", 2)) << "of a newer version";
    EXPECT_FALSE(with("count", 1'000'000'000));
    EXPECT_FALSE(with("count", -1));
    EXPECT_FALSE(with("plain_bits", 64));
    EXPECT_FALSE(with("members", "?"));
    EXPECT_FALSE(with("members", good.find("members")->as_text().substr(0, 40)));
    EXPECT_FALSE(RecordSet::unpack({}));
}

}  // namespace
}  // namespace tipple::incremental
