#include "tipple/schema/detect.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

constexpr std::int64_t now_us = 1'700'000'000'000'000;

Schema with_settings(std::string_view settings) {
    Schema schema = Schema::make("s");
    const json::Value parsed = json::parse(settings);
    for (const auto& [key, value] : parsed.as_object()) schema.settings().set(key, value);
    return schema;
}

Inference inference(std::string_view settings = "{}") {
    return {with_settings(settings), now_us};
}

Value text(std::string value) {
    return Value(std::move(value));
}

TEST(Detect, TimestampsByDefault) {
    const Inference rules = inference();
    EXPECT_EQ(rules.infer("a", text("2024-01-01T00:00:00Z"), false), DataType::timestamp);
    EXPECT_EQ(rules.infer("a", text("12341:30"), false), DataType::timestamp);
    EXPECT_EQ(rules.infer("a", text("٢٠٢٤/01/01 10:00"), false), DataType::timestamp);
    for (const char* other : {"2024-01-01", "2024", "1633344898", "10:30", "", "now", "T10:30"}) {
        EXPECT_EQ(rules.infer("a", text(other), false), DataType::text) << other;
    }
    EXPECT_EQ(rules.detect_text("0001-01-01T00:00:00+02:00"), std::nullopt)
        << "not a timestamp in UTC";
    EXPECT_EQ(rules.infer("a", Value(std::int64_t{1'700'000'000}), false), DataType::bigint);
    EXPECT_EQ(rules.infer("a__v_text", text("2024-01-01T00:00:00Z"), true), DataType::timestamp)
        << "detectors also look at variants";
}

TEST(Detect, DatesWhenAsked) {
    const Inference rules = inference(R"({"detections":["iso_timestamp","iso_date"]})");
    EXPECT_EQ(rules.detect_text("2024-01-01"), DataType::date);
    EXPECT_EQ(rules.detect_text("2024"), DataType::date);
    EXPECT_EQ(rules.detect_text("2024-01-01T10:00"), DataType::timestamp);
    EXPECT_EQ(inference(R"({"detections":["iso_date"]})").detect_text("2024-01-01T10:00"),
              std::nullopt);
}

TEST(Detect, Numbers) {
    const Inference rules =
        inference(R"({"detections":["timestamp","large_integer","wei_to_double"]})");
    EXPECT_TRUE(rules.detects_integers());
    EXPECT_EQ(rules.detect(Value(std::int64_t{1'700'000'000 + 157'680'000})), DataType::timestamp);
    EXPECT_EQ(rules.detect(Value(std::int64_t{1'700'000'000 + 157'680'001})), std::nullopt);
    EXPECT_EQ(rules.detect(Value(std::int64_t{1'700'000'000 - 157'680'000})), DataType::timestamp);
    EXPECT_EQ(rules.detect(Value(1.7e9)), DataType::timestamp);
    EXPECT_EQ(rules.detect(Value(true)), std::nullopt);
    EXPECT_EQ(rules.detect(Value(std::uint64_t{1} << 63)), DataType::wei);
    EXPECT_EQ(rules.detect(Value(std::int64_t{5})), std::nullopt);
    EXPECT_EQ(rules.detect(Value(Wei{})), DataType::double_);
    EXPECT_FALSE(inference().detects_integers());
    EXPECT_EQ(inference().infer("a", Value(std::uint64_t{1} << 63), false), DataType::bigint);
}

TEST(Detect, OlderSchemasHaveTheirDetectorsInTheNormalizers) {
    Schema schema = with_settings(R"({"detections":[]})");
    EXPECT_EQ(Inference(schema, now_us).detect_text("2024-01-01T10:00"), std::nullopt);
    schema.normalizers().set("detections", json::Array{"iso_timestamp"});
    EXPECT_EQ(Inference(schema, now_us).detect_text("2024-01-01T10:00"), DataType::timestamp);
}

TEST(Detect, PreferredTypes) {
    const Inference rules = inference(
        R"({"preferred_types":{"re:_at$":"timestamp","amount":"decimal","blob":"json","re:^created":"text"}})");
    EXPECT_EQ(rules.infer("created_at", Value(std::int64_t{1'700'000'000}), false),
              DataType::timestamp)
        << "the first rule that matches";
    EXPECT_EQ(rules.infer("bad_at", text("zzz"), false), DataType::timestamp)
        << "even when it will not fit";
    EXPECT_EQ(rules.infer("amount", text("1.20"), false), DataType::decimal);
    EXPECT_EQ(rules.infer("amounts", text("1.20"), false), DataType::text)
        << "plain rules match the whole name";
    EXPECT_EQ(rules.infer("bad_at__v_text", text("zzz"), true), DataType::text)
        << "variants are not preferred";
    EXPECT_EQ(rules.preferred_type("blob"), DataType::json);
    EXPECT_EQ(rules.preferred_type("other"), std::nullopt);
}

TEST(Detect, DefaultHints) {
    const Inference rules = inference();
    const Column id = rules.make_column("_dlt_id", DataType::text);
    EXPECT_EQ(json::to_text(id.hints()),
              R"({"data_type":"text","nullable":false,"unique":true,"row_key":true})");
    EXPECT_EQ(json::to_text(rules.make_column("a", DataType::bigint).hints()),
              R"({"data_type":"bigint","nullable":true})");
    const Inference required =
        inference(R"({"default_hints":{"not_null":["re:^req"],"sort":["b","re:."]}})");
    EXPECT_TRUE(required.is_not_null("req_x"));
    EXPECT_FALSE(required.is_not_null("x_req"));
    EXPECT_EQ(json::to_text(required.make_column("req_x", DataType::bigint).hints()),
              R"({"data_type":"bigint","nullable":false,"sort":true})");
}

TEST(Detect, RefusesSettingsItDoesNotUnderstand) {
    for (const char* settings :
         {R"({"detections":["iso_time"]})", R"({"detections":"iso_date"})", R"({"detections":[1]})",
          R"({"preferred_types":{"a":"integer"}})", R"({"preferred_types":{"a":1}})",
          R"({"preferred_types":[]})", R"({"preferred_types":{"re:(":"text"}})",
          R"({"default_hints":{"unique":"a"}})"}) {
        EXPECT_THROW(inference(settings), Error) << settings;
    }
    EXPECT_NO_THROW(
        inference(R"({"detections":null,"preferred_types":null,"default_hints":null})"));
}

TEST(Detect, AHugeNameDoesNotExhaustTheStack) {
    const Inference rules = inference(R"({"preferred_types":{"re:(a|b)*c$":"text"}})");
    EXPECT_EQ(rules.preferred_type(std::string(1'000'000, 'a')), std::nullopt);
    EXPECT_EQ(rules.preferred_type(std::string(1'000, 'a') + "c"), DataType::text);
}

}  // namespace
}  // namespace tipple::schema
