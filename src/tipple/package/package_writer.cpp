#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/format/arrow_ipc.h"
#include "tipple/package/layout.h"
#include "tipple/package/manifest.h"
#include "tipple/package/package.h"

namespace tipple::package {

namespace {

/// So often the disk is told to start writing; what the final sync has to wait for is about this
/// much.
constexpr std::uint64_t writeback_bytes = std::uint64_t{16} << 20;
/// Tables can be thousands, and each open file has a buffer; the longest unused is closed and
/// opened again when it is needed.
constexpr std::size_t open_files_max = 64;
/// Files that are complete wait for their sync until this many more are: by then the disk has
/// written them.
constexpr std::size_t settling_files_max = 2;
/// Characters of the table's name in a file's name.
constexpr std::size_t name_prefix_max = 40;

/// A job file while it is written.
struct Job {
    JobFile info;
    std::string path;
    std::unique_ptr<io::DiskFile>
        file;  ///< nothing while parked, after its sync, and of a reference
    std::vector<SegmentColumn> columns;  ///< of the segment that is open
    Xxh3 hash;
    std::uint64_t writeback_from = 0;
    std::uint64_t last_use = 0;
    bool is_complete = false;
    bool is_synced = false;
    bool is_saved = false;  ///< how it was at the mark is known, or it was not there
};

/// A job as it was at the mark.
struct SavedJob {
    Job* job = nullptr;
    JobFile info;
    std::vector<SegmentColumn> columns;
    Xxh3 hash;
};

/// Jobs that were there at the mark and have changed since, and how many there were.
struct Marked {
    std::vector<SavedJob> saved;
    std::size_t jobs = 0;
};

/// `orders.000017.arrow`. Numbers make it unique, also where upper and lower case are one.
std::string job_name(std::string_view table, std::size_t number, std::string_view extension) {
    std::string prefix;
    for (const char c : table.substr(0, name_prefix_max)) {
        const std::string_view one(&c, 1);
        prefix += (layout::is_safe_name(one) && c != '.') ? c : '_';
    }
    if (prefix.empty()) prefix.push_back('_');
    return fmt::format("{}.{:06}.{}", prefix, number, extension);
}

std::vector<format::IpcField> ipc_fields(const std::vector<SegmentColumn>& columns) {
    std::vector<format::IpcField> fields;
    fields.reserve(columns.size());
    for (const SegmentColumn& column : columns) fields.push_back({column.name, column.type});
    return fields;
}

}  // namespace

struct PackageWriter::Impl {
    Impl(io::FileSystem& file_system, std::string parent, std::string id, std::uint64_t bytes_max)
        : files(file_system),
          packages_folder(std::move(parent)),
          load_id(std::move(id)),
          job_bytes_max(bytes_max) {
        TIPPLE_ASSERT(layout::is_safe_name(load_id) && job_bytes_max > 0);
        new_folder = io::join_path(packages_folder, std::string(layout::new_prefix) + load_id);
        final_folder = io::join_path(packages_folder, load_id);
        jobs_folder = io::join_path(new_folder, layout::jobs_folder);
    }

    void create_folders();
    void remove_folder() noexcept;
    Job& job_for(const std::string& table);
    void put(Job& job, std::string_view bytes);
    void require_open(Job& job);
    void park(Job& job);
    void complete(Job& job);
    void settle(Job& job);
    void save(Job& job);
    void restore(SavedJob& before);
    void remove(Job& job);
    void write_document(std::string_view name, const json::Value& value,
                        std::vector<DocumentFile>& listed);
    void write_file(std::string_view name, std::string_view text);
    void sync_documents();
    void write_documents(const PackageContent& content, const Clock& clock);

    io::FileSystem& files;
    std::string packages_folder;
    std::string load_id;
    std::uint64_t job_bytes_max;
    std::string new_folder;
    std::string final_folder;
    std::string jobs_folder;
    std::vector<std::unique_ptr<Job>> jobs;  ///< in the order they were begun
    std::unordered_map<std::string, Job*> current;
    std::vector<Job*> open;
    std::deque<Job*> settling;
    std::vector<std::unique_ptr<io::WriteFile>> documents;  ///< written and not yet synced
    Marked marked;
    std::size_t next_number = 1;
    std::uint64_t uses = 0;
    bool is_closed = false;
};

void PackageWriter::Impl::create_folders() {
    if (files.find(final_folder) != nullptr) {
        throw Error(ErrorKind::local,
                    "the package \"{}\" exists already; was the clock of this machine set back?",
                    final_folder);
    }
    files.remove(new_folder);
    files.create_folders(jobs_folder);
    files.sync_folder(io::parent_folder(packages_folder));
}

void PackageWriter::Impl::remove_folder() noexcept {
    try {
        for (Job* job : open) job->file.reset();
        documents.clear();
        files.remove(new_folder);
    } catch (const std::exception&) {
        // Left for remove_leftovers: the next run comes by anyway.
    }
}

Job& PackageWriter::Impl::job_for(const std::string& table) {
    Job*& job = current[table];
    if (job == nullptr) {
        auto begun = std::make_unique<Job>();
        begun->info.name = job_name(table, next_number++, "arrow");
        begun->info.table = table;
        begun->path = io::join_path(jobs_folder, begun->info.name);
        begun->is_saved = true;
        job = begun.get();
        jobs.push_back(std::move(begun));
    }
    return *job;
}

void PackageWriter::Impl::park(Job& job) {
    job.file->start_writeback();
    job.file->close();
    job.file.reset();
    std::erase(open, &job);
}

void PackageWriter::Impl::require_open(Job& job) {
    job.last_use = ++uses;
    if (job.file != nullptr) return;
    if (open.size() >= open_files_max) {
        park(**std::min_element(open.begin(), open.end(), [](const Job* a, const Job* b) {
            return a->last_use < b->last_use;
        }));
    }
    job.file = job.info.bytes == 0 ? files.create(job.path) : files.open_append(job.path);
    open.push_back(&job);
}

void PackageWriter::Impl::put(Job& job, std::string_view bytes) {
    require_open(job);
    job.file->write(bytes);
    job.hash.update(bytes);
    job.info.bytes += bytes.size();
}

void PackageWriter::Impl::complete(Job& job) {
    std::string end;
    format::append_end_of_stream(end);
    put(job, end);
    job.file->start_writeback();
    job.info.checksum = job.hash.digest();
    job.is_complete = true;
    current.erase(job.info.table);
}

void PackageWriter::Impl::settle(Job& job) {
    if (job.is_synced) return;
    require_open(job);
    job.file->sync();
    job.file->close();
    job.file.reset();
    std::erase(open, &job);
    job.is_synced = true;
}

void PackageWriter::Impl::save(Job& job) {
    if (!std::exchange(job.is_saved, true)) marked.saved.push_back({.job = &job, .info = job.info, .columns = job.columns, .hash = job.hash});
}

/// The job goes on where it was at the mark.
void PackageWriter::Impl::restore(SavedJob& before) {
    Job& job = *before.job;
    std::erase(settling, &job);
    job.is_synced = false;
    job.is_complete = false;
    require_open(job);
    job.file->truncate(before.info.bytes);
    job.info = std::move(before.info);
    job.columns = std::move(before.columns);
    job.hash = std::move(before.hash);
    job.writeback_from = std::min(job.writeback_from, job.info.bytes);
    current[job.info.table] = &job;
}

void PackageWriter::Impl::remove(Job& job) {
    std::erase(open, &job);
    std::erase(settling, &job);
    if (const auto found = current.find(job.info.table); found != current.end() && found->second == &job) current.erase(found);
    job.file.reset();
    if (!job.info.reference) files.remove(job.path);
}

void PackageWriter::Impl::write_file(std::string_view name, std::string_view text) {
    // Nobody reads the folder before it is renamed, so this needs no temporary name.
    std::unique_ptr<io::WriteFile> file = files.create(io::join_path(new_folder, name));
    file->write(text);
    file->start_writeback();
    documents.push_back(std::move(file));
}

void PackageWriter::Impl::sync_documents() {
    for (const std::unique_ptr<io::WriteFile>& file : documents) {
        file->sync();
        file->close();
    }
    documents.clear();
}

void PackageWriter::Impl::write_document(std::string_view name, const json::Value& value,
                                         std::vector<DocumentFile>& listed) {
    const std::string text = json::to_text(value, {.spacing = json::Spacing::pretty}) + "\n";
    write_file(name, text);
    listed.push_back({std::string(name), text.size(), xxh3_64(text)});
}

void PackageWriter::Impl::write_documents(const PackageContent& content, const Clock& clock) {
    ManifestFile file{.manifest = content.manifest, .fence = content.fence, .documents = {}};
    const std::string now = utc_text(clock.now_us());
    Manifest& manifest = file.manifest;
    manifest.load_id = load_id;
    if (manifest.created_at.empty()) manifest.created_at = now;
    manifest.jobs.clear();
    for (const std::unique_ptr<Job>& job : jobs) manifest.jobs.push_back(job->info);
    write_document(layout::schema_file, content.schema.to_document(), file.documents);
    write_document(layout::schema_change_file, content.schema_change, file.documents);
    write_document(layout::state_file, content.state, file.documents);
    write_file(layout::manifest_file, manifest_text(file));
    layout::append_journal(
        files, new_folder, now, "closed",
        {{"rows", manifest.rows()}, {"jobs", static_cast<std::uint64_t>(manifest.jobs.size())}});
}

PackageWriter::PackageWriter(io::FileSystem& files, std::string packages_folder,
                             std::string load_id, std::uint64_t job_bytes_max)
    : impl_(std::make_unique<Impl>(files, std::move(packages_folder), std::move(load_id),
                                   job_bytes_max)) {
    try {
        impl_->create_folders();
    } catch (...) {
        impl_->remove_folder();
        throw;
    }
}

PackageWriter::~PackageWriter() {
    if (!impl_->is_closed) impl_->remove_folder();
}

void PackageWriter::write(const EncodedBatch& batch) {
    TIPPLE_ASSERT(!impl_->is_closed);
    if (batch.rows == 0) return;
    Job& job = impl_->job_for(batch.table);
    impl_->save(job);
    if (job.info.bytes == 0 || job.columns != batch.columns) {
        std::string start;
        if (job.info.bytes > 0) format::append_end_of_stream(start);
        format::append_schema(start, ipc_fields(batch.columns));
        job.columns = batch.columns;
        impl_->put(job, start);
    }
    impl_->put(job, batch.message);
    job.info.rows += batch.rows;
    job.info.raw_bytes += batch.raw_bytes;
    job.info.batch_bytes = std::max(job.info.batch_bytes, batch.raw_bytes);
    if (job.info.bytes >= impl_->job_bytes_max) {
        impl_->complete(job);
        impl_->settling.push_back(&job);
        if (impl_->settling.size() > settling_files_max) {
            impl_->settle(*impl_->settling.front());
            impl_->settling.pop_front();
        }
    } else if (job.info.bytes - job.writeback_from >= writeback_bytes) {
        job.file->start_writeback();
        job.writeback_from = job.info.bytes;
    }
}

void PackageWriter::add_reference(std::string_view table, FileReference reference,
                                  std::uint64_t rows) {
    TIPPLE_ASSERT(!impl_->is_closed);
    const std::string name(table);
    // Rows that come later must not land in front of the file's, in a job that is open already.
    if (const auto open = impl_->current.find(name); open != impl_->current.end()) {
        Job& job = *open->second;
        impl_->save(job);
        impl_->complete(job);
    }
    auto job = std::make_unique<Job>();
    job->info.name = job_name(table, impl_->next_number++, "ref");
    job->info.table = name;
    job->info.rows = rows;
    job->info.bytes = reference.size;
    job->info.raw_bytes = reference.size;
    job->info.reference = std::move(reference);
    job->is_complete = true;
    job->is_synced = true;
    impl_->jobs.push_back(std::move(job));
}

void PackageWriter::mark() {
    TIPPLE_ASSERT(!impl_->is_closed);
    for (const SavedJob& before : impl_->marked.saved) before.job->is_saved = false;
    for (std::size_t i = impl_->marked.jobs; i < impl_->jobs.size(); ++i) impl_->jobs[i]->is_saved = false;
    impl_->marked = {.saved = {}, .jobs = impl_->jobs.size()};
}

void PackageWriter::roll_back() {
    TIPPLE_ASSERT(!impl_->is_closed);
    for (std::size_t i = impl_->marked.jobs; i < impl_->jobs.size(); ++i) impl_->remove(*impl_->jobs[i]);
    impl_->jobs.resize(impl_->marked.jobs);
    for (SavedJob& before : impl_->marked.saved) impl_->restore(before);
    mark();
}

std::uint64_t PackageWriter::rows() const {
    std::uint64_t sum = 0;
    for (const std::unique_ptr<Job>& job : impl_->jobs) sum += job->info.rows;
    return sum;
}

std::uint64_t PackageWriter::bytes() const {
    std::uint64_t sum = 0;
    for (const std::unique_ptr<Job>& job : impl_->jobs) {
        if (!job->info.reference) sum += job->info.bytes;
    }
    return sum;
}

Package PackageWriter::close(PackageContent content, const Clock& clock) {
    TIPPLE_ASSERT(!impl_->is_closed);
    TIPPLE_ASSERT(content.manifest.load_id.empty() || content.manifest.load_id == impl_->load_id);
    io::FileSystem& files = impl_->files;
    for (const std::unique_ptr<Job>& job : impl_->jobs) {
        if (!job->is_complete) impl_->complete(*job);
    }
    // All are written before the first is synced: a file system that keeps a log writes it once then, and not once per file.
    impl_->write_documents(content, clock);
    for (const std::unique_ptr<Job>& job : impl_->jobs) impl_->settle(*job);
    impl_->sync_documents();
    files.sync_folder(impl_->jobs_folder);
    files.sync_folder(impl_->new_folder);
    // A package that cannot be read again would stop every later run, so find that out while it can
    // still be thrown away.
    Package package(files, impl_->new_folder);
    files.rename(impl_->new_folder, impl_->final_folder);
    // From here on it exists, whatever happens.
    impl_->is_closed = true;
    files.sync_folder(impl_->packages_folder);
    package.folder_ = impl_->final_folder;
    return package;
}

}  // namespace tipple::package
