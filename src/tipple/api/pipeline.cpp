#include "tipple/api/pipeline.h"

#include <algorithm>
#include <thread>

#include "tipple/destinations/builtin.h"
#include "tipple/io/data_folder.h"
#include "tipple/pipeline/pipeline.h"

namespace tipple {

namespace {

struct ChosenDestination {
    destination::DestinationEntry entry;
    config::Options options;
};

ChosenDestination choose(const PipelineOptions& options) {
    if (const auto* own = std::get_if<destination::DestinationEntry>(&options.destination.get())) return {.entry = *own, .options = {}};
    const std::string& text = std::get<std::string>(options.destination.get());
    destination::Registry registry;
    destinations::add_builtin(registry);
    if (const destination::DestinationEntry* kind = registry.find(text)) {
        // A kind that is a file gets the pipeline's name; others cannot be guessed, and say so.
        return {.entry = *kind, .options = kind->parse(kind->endings.empty() ? text : options.name + kind->endings.front())};
    }
    const destination::DestinationEntry& entry = registry.require_for(text);
    return {.entry = entry, .options = entry.parse(text)};
}

}  // namespace

struct Pipeline::Impl {
    explicit Impl(PipelineOptions given);

    PipelineOptions options;
    std::unique_ptr<io::FileSystem> files = io::local_file_system();
    SystemClock clock;
    std::unique_ptr<destination::Destination> destination;
    std::optional<pipeline::Pipeline> pipeline;
};

Pipeline::Impl::Impl(PipelineOptions given) : options(std::move(given)) {
    if (options.name.empty()) throw Error(ErrorKind::usage, "a pipeline needs a name");
    const ChosenDestination chosen = choose(options);
    const std::string folder = options.data_folder.empty() ? io::default_data_folder() : options.data_folder;
    pipeline::PipelineConfig config{.name = options.name,
                                    .dataset = options.dataset.empty() ? options.name : options.dataset,
                                    .data_folder = io::join_path(folder, "pipelines"),
                                    .tool_version = "tipple " TIPPLE_VERSION,
                                    .max_nesting = chosen.entry.max_nesting,
                                    .workers = options.workers > 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency()),
                                    .memory_bytes = options.memory_bytes,
                                    .retry_budget_seconds = options.retry_budget_seconds};
    destination::DestinationContext context;
    context.options = chosen.options;
    context.dataset = config.dataset;
    context.pipeline = config.name;
    context.tool_version = config.tool_version;
    context.memory_bytes = pipeline::destination_memory(config);
    context.threads = config.workers;
    context.data_folder = config.data_folder;
    context.lock_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options.lock_timeout_seconds * 1'000));
    context.adopt_tables = options.adopts_tables;
    context.files = files.get();
    context.clock = &clock;
    context.log = options.log;
    // Where the pipeline's folder is depends on what the destination says it is.
    const std::unique_ptr<destination::Destination> probe = chosen.entry.make(context);
    context.temp_folder = io::join_path(pipeline::pipeline_folder(config, *probe), "temp");
    destination = chosen.entry.make(context);
    pipeline.emplace(std::move(config), *destination, *files, clock, options.log);
}

Pipeline::Pipeline(PipelineOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Pipeline::~Pipeline() = default;
Pipeline::Pipeline(Pipeline&&) noexcept = default;

LoadInfo Pipeline::run(const Source& source, const RunOptions& options) {
    Observer nobody;
    return run(source, options, nobody);
}

LoadInfo Pipeline::run(const Source& source, const RunOptions& options, Observer& observer, std::stop_token stop) {
    const std::unique_ptr<extract::SourceDriver> driver = make_driver(source);
    return impl_->pipeline->run({{.driver = driver.get(), .schema_name = source.name()}}, options, observer, std::move(stop));
}

destination::QueryResult Pipeline::query(std::string_view sql) { return impl_->destination->query(sql, {}); }

std::string Pipeline::table_name(std::string_view table) const { return impl_->destination->quote_table(table); }

}  // namespace tipple
