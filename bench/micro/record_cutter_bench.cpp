#include <cstring>

#include <benchmark/benchmark.h>

#include "micro/sample_text.h"
#include "tipple/core/limits.h"
#include "tipple/json/record_cutter.h"

namespace tipple::bench {
namespace {

void cut(benchmark::State& state, const std::string& text, const json::Path& select) {
    std::string buffer;
    std::size_t records = 0;
    for (auto _ : state) {
        // Cutting blanks what lies between records, so each turn needs the text anew: a memcpy, a
        // few percent of the time. Not left out: stopping the clock costs more than that.
        buffer.assign(text);
        json::RecordCutter cutter(select);
        cutter.scan(buffer.data(), buffer.size());
        cutter.finish();
        records = cutter.starts().size();
        benchmark::DoNotOptimize(records);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
    state.SetItemsProcessed(static_cast<std::int64_t>(records) * state.iterations());
}

void cut_array_nested(benchmark::State& state) {
    cut(state, as_array(nested_lines(limits::page_bytes)), json::Path());
}
void cut_array_flat(benchmark::State& state) {
    cut(state, as_array(flat_lines(limits::page_bytes)), json::Path());
}
void cut_documents(benchmark::State& state) {
    cut(state, nested_lines(limits::page_bytes), json::Path());
}
void cut_selected(benchmark::State& state) {
    const std::string text = R"({"meta":{"page":1},"result":{"items":)" +
                             as_array(nested_lines(limits::page_bytes)) + "}}";
    cut(state, text, json::Path::parse("result.items"));
}

BENCHMARK(cut_array_nested);
BENCHMARK(cut_array_flat);
BENCHMARK(cut_documents);
BENCHMARK(cut_selected);

}  // namespace
}  // namespace tipple::bench
