#include <benchmark/benchmark.h>

#include "micro/sample_text.h"
#include "micro/shredded_page.h"

namespace tipple::bench {
namespace {

void shred(benchmark::State& state, std::string lines) {
    ShreddedPage page(std::move(lines));
    for (auto _ : state) {
        const normalize::PageResult& result = page.shred();
        benchmark::DoNotOptimize(result.tables.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(page.text_bytes()) * state.iterations());
    state.SetItemsProcessed(static_cast<std::int64_t>(page.result().records) * state.iterations());
}

/// Argument: bytes of a page.
void shred_nested(benchmark::State& state) {
    shred(state, nested_lines(static_cast<std::size_t>(state.range(0))));
}
void shred_flat(benchmark::State& state) {
    shred(state, flat_lines(static_cast<std::size_t>(state.range(0))));
}

/// What the first page of a load costs: every name is new.
void shred_first_page(benchmark::State& state) {
    const std::string lines = nested_lines(64 << 10);
    for (auto _ : state) ShreddedPage page(lines);
}

BENCHMARK(shred_nested)->Arg(64 << 10)->Arg(limits::page_bytes)->Arg(16 << 20);
BENCHMARK(shred_flat)->Arg(64 << 10)->Arg(limits::page_bytes)->Arg(16 << 20);
BENCHMARK(shred_first_page);

}  // namespace
}  // namespace tipple::bench
