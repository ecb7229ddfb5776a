#include "tipple/pipeline/packages.h"

#include <algorithm>

#include "tipple/pipeline/pipeline.h"

namespace tipple::pipeline {

PackageInfo describe_package(const package::Package& package) {
    const package::Manifest& manifest = package.manifest();
    PackageInfo info{.load_id = manifest.load_id,
                     .state = package.package_state(),
                     .schema_name = manifest.schema_name,
                     .created_at = manifest.created_at,
                     .tool_version = manifest.tool_version,
                     .folder = package.folder(),
                     .rows = manifest.rows(),
                     .journal = package.read_journal()};
    const bool has_rows = info.state == package::PackageState::normalized;
    for (const package::TableLoad& load : manifest.loads) {
        for (const std::string& name : load.tables) {
            PackageTable table{.table = name, .disposition = std::string(schema::to_text(load.disposition)), .rows = manifest.rows_of(name)};
            for (const package::JobFile* job : package.jobs_of(name)) {
                table.bytes += has_rows ? job->bytes : 0;
                ++table.files;
            }
            info.tables.push_back(std::move(table));
        }
    }
    for (const json::Value& line : info.journal) {
        const json::Value* message = line.as_object().find("message");
        if (message == nullptr || !message->is_text()) continue;
        info.error = message->as_text();
        info.failure = line.as_object();
    }
    return info;
}

std::vector<PackageInfo> Pipeline::packages() {
    // A run that goes on may move a package while it is looked at; whoever only looks does not wait for it.
    const std::unique_ptr<io::FileLock> held = try_lock();
    const package::PackageStore store(files_, folder_);
    std::vector<PackageInfo> infos;
    for (const package::Package& package : store.finished()) infos.push_back(describe_package(package));
    for (const package::Package& package : store.pending()) infos.push_back(describe_package(package));
    std::stable_sort(infos.begin(), infos.end(), [](const PackageInfo& a, const PackageInfo& b) { return load_id_time_us(a.load_id) < load_id_time_us(b.load_id); });
    return infos;
}

RunReport Pipeline::retry(Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    RunReport report = begin_report();
    const std::unique_ptr<io::FileLock> held = lock();
    package::PackageStore store = open_store();
    for (const package::Manifest& manifest : finish_pending(store, report, observer, std::move(stop))) report.rows += manifest.rows();
    store.retain(config_.packages_kept);
    report.seconds.total = watch.seconds();
    return report;
}

void Pipeline::discard_package(const std::string& load_id) {
    const std::unique_ptr<io::FileLock> held = lock();
    package::PackageStore store = open_store();
    const std::vector<std::string> waiting = store.pending_ids();
    if (std::find(waiting.begin(), waiting.end(), load_id) == waiting.end()) {
        throw Error(ErrorKind::usage, "no package {} of pipeline \"{}\" waits to be loaded into {}", load_id, config_.name, destination_.description());
    }
    // The commit may be there although nobody was told. A package that cannot be read does not say what else its load would have written.
    destination::LoadKey load{.load_id = load_id};
    try {
        for (const package::Package& package : store.pending()) {
            if (package.load_id() == load_id) load = destination::load_key(package);
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::corrupt) throw;
    }
    if (destination_.has_load(load)) {
        throw Error(ErrorKind::usage, "package {} is loaded already, only the answer was lost: tipple packages retry closes it, and tipple undo takes the load back", load_id);
    }
    store.discard(load_id);
}

}  // namespace tipple::pipeline
