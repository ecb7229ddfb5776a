#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "tipple/schema/datetime_text.h"

namespace tipple::bench {
namespace {

constexpr int texts_count = 1024;

std::vector<std::string> timestamps(const char* zone, bool has_fraction) {
    std::vector<std::string> texts;
    for (int i = 0; i < texts_count; ++i) {
        texts.push_back(fmt::format(
            "{}-{:02}-{:02}T{:02}:{:02}:{:02}{}{}", 2000 + i % 30, 1 + i % 12, 1 + i % 28, i % 24,
            i % 60, i * 7 % 60, has_fraction ? fmt::format(".{:03}", i * 13 % 1000) : "", zone));
    }
    return texts;
}

template <typename Parse>
void parse_all(benchmark::State& state, const std::vector<std::string>& texts, Parse&& parse) {
    for (auto _ : state) {
        for (const std::string& text : texts) benchmark::DoNotOptimize(parse(text));
    }
    state.SetItemsProcessed(texts_count * state.iterations());
}

void timestamp_common_utc(benchmark::State& state) {
    parse_all(state, timestamps("Z", true), schema::parse_common_timestamp);
}
void timestamp_common_offset(benchmark::State& state) {
    parse_all(state, timestamps("+02:00", false), schema::parse_common_timestamp);
}
void timestamp_any_form(benchmark::State& state) {
    parse_all(state, timestamps("Z", true), schema::parse_datetime);
}
/// What most texts of a text column cost, before it is known that they are no timestamps.
void timestamp_not_one(benchmark::State& state) {
    std::vector<std::string> texts(texts_count, "refs/heads/main-17 at noon");
    parse_all(state, texts, schema::parse_common_timestamp);
}

BENCHMARK(timestamp_common_utc);
BENCHMARK(timestamp_common_offset);
BENCHMARK(timestamp_any_form);
BENCHMARK(timestamp_not_one);

}  // namespace
}  // namespace tipple::bench
