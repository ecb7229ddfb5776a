#include <algorithm>
#include <unordered_map>
#include <utility>

#include "tipple/columns/spare_batches.h"
#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/format/arrow_ipc.h"
#include "tipple/package/package.h"

namespace tipple::package {

namespace {

using columns::Buffer;
using columns::ColumnBuilder;
using format::MessageHeader;

/// Batches with more rows grow as they are filled: a row count is only a claim until the rows are
/// read.
constexpr std::size_t reserved_rows_max = 1 << 20;
constexpr std::size_t read_buffer_bytes = std::size_t{256} << 10;

/// A job file read from start to end, each byte into its checksum.
class JobInput {
public:
    JobInput(io::FileSystem& files, const std::string& path, std::uint64_t bytes)
        : file_(files.open_read(path)), left_(bytes), buffer_(read_buffer_bytes) {}

    /// Bytes of the file, as the manifest counts them, that were not read yet.
    std::uint64_t left() const { return left_; }
    std::uint64_t digest() const { return hash_.digest(); }

    void read(char* out, std::size_t length) {
        if (length > left_) throw Error(ErrorKind::corrupt, "it ends in the middle of a message");
        left_ -= length;
        char* at = out;
        std::size_t missing = length;
        while (missing > 0) {
            if (begin_ == end_ && missing >= buffer_.size()) {
                const std::size_t got = read_some(at, missing);
                at += got;
                missing -= got;
                continue;
            }
            if (begin_ == end_) {
                begin_ = 0;
                end_ = read_some(buffer_.data(), buffer_.size());
            }
            const std::size_t count = std::min(missing, end_ - begin_);
            std::copy_n(buffer_.data() + begin_, count, at);
            begin_ += count;
            at += count;
            missing -= count;
        }
        hash_.update({out, length});
    }

private:
    std::size_t read_some(char* out, std::size_t length) {
        const std::size_t got = file_->read(out, length);
        if (got == 0) throw Error(ErrorKind::corrupt, "it is shorter than the manifest says");
        return got;
    }

    std::unique_ptr<io::ReadFile> file_;
    std::uint64_t left_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    Xxh3 hash_;
};

struct JobToRead {
    std::string path;
    JobFile info;
};

}  // namespace

struct TableReader::Impl {
    bool require_message();
    bool open_next_job();
    void finish_job();
    void start_segment(std::vector<format::IpcField> segment);
    void decode_into(std::vector<ColumnBuilder>& builders);
    void gather(std::vector<ColumnBuilder>& builders);
    void append_split_rows(columns::Batch& batch, std::size_t rows_max);
    void skip(std::uint64_t rows);
    /// What `action` returns. An error of it names the damaged file.
    template <typename Action>
    auto named(Action action) const;
    std::unique_ptr<columns::Batch> next();
    std::unique_ptr<columns::Batch> new_batch() const;
    void learn_from(const columns::Batch& batch);

    io::FileSystem* files = nullptr;
    std::vector<SegmentColumn> columns;
    std::unordered_map<std::string, std::size_t> column_index;
    std::size_t batch_rows_max = 0;
    std::uint64_t batch_bytes_max = 0;

    std::shared_ptr<columns::SpareBatches> spares;  ///< nullptr = none

    std::uint64_t rows_left = 0;                   ///< of the table, as the manifest says
    std::uint64_t rows_wanted = UINT64_MAX;        ///< that are still to be given out
    std::vector<std::size_t> text_bytes_expected;  ///< of the next batch, for each column

    std::vector<JobToRead> jobs;
    std::size_t job_index = 0;
    std::unique_ptr<JobInput> input;  ///< of jobs[job_index]
    std::uint64_t rows_read = 0;      ///< of that file

    bool is_in_segment = false;
    std::vector<format::IpcField> fields;  ///< of the segment
    static constexpr std::size_t skipped = SIZE_MAX;
    OtherColumns other_columns = OtherColumns::refuse;
    std::vector<std::size_t> targets;  ///< for each field, its place in `columns`, or `skipped`
    std::vector<bool> is_present;      ///< for each column, whether the segment has it
    /// For each field, whether its values cannot be decoded straight into its column: they are of a narrower type, or other fields have values
    /// of the same column.
    std::vector<bool> is_gathered;
    std::vector<ColumnBuilder> parts;                    ///< of such fields, the message's values
    std::unordered_map<std::string, std::string> moves;  ///< name in the files -> name in the table

    format::BatchDecoder decoder;
    std::string header_bytes;
    MessageHeader header;
    Buffer body;
    bool has_message = false;  ///< `header` and `body` are read and not decoded yet

    /// A message that did not fit into the batch it began in; rows from `split_from` on are still
    /// to be given out.
    std::vector<ColumnBuilder> split;
    std::size_t split_rows = 0;
    std::size_t split_from = 0;
};

template <typename Action>
auto TableReader::Impl::named(Action action) const {
    try {
        return action();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::corrupt || job_index == jobs.size()) throw;
        throw error.with_context(fmt::format("the job file \"{}\" is damaged", jobs[job_index].path));
    }
}

bool TableReader::Impl::open_next_job() {
    if (job_index == jobs.size()) return false;
    const JobToRead& job = jobs[job_index];
    if (files->find(job.path) == nullptr) throw Error(ErrorKind::corrupt, "it is missing");
    input = std::make_unique<JobInput>(*files, job.path, job.info.bytes);
    rows_read = 0;
    is_in_segment = false;
    return true;
}

void TableReader::Impl::finish_job() {
    const JobFile& job = jobs[job_index].info;
    if (is_in_segment) throw Error(ErrorKind::corrupt, "its last stream does not end");
    if (rows_read != job.rows) {
        throw Error(ErrorKind::corrupt, "it has {} rows where the manifest says {}", rows_read,
                    job.rows);
    }
    if (input->digest() != job.checksum)
        throw Error(ErrorKind::corrupt, "its checksum is not the manifest's");
    input.reset();
    ++job_index;
}

void TableReader::Impl::start_segment(std::vector<format::IpcField> segment) {
    fields = std::move(segment);
    targets.clear();
    parts.clear();
    is_present.assign(columns.size(), false);
    is_gathered.clear();
    for (const format::IpcField& field : fields) {
        const auto move = moves.find(field.name);
        const auto found = column_index.find(move == moves.end() ? field.name : move->second);
        parts.emplace_back(field.type);
        is_gathered.push_back(false);
        if (found == column_index.end() && other_columns == OtherColumns::skip) {
            targets.push_back(skipped);
            continue;
        }
        const bool may_be_shared = !moves.empty();
        if (found == column_index.end() || (is_present[found->second] && !may_be_shared)) {
            throw Error(ErrorKind::corrupt, "it has a column \"{}\" that the table has not",
                        excerpt(field.name));
        }
        const columns::ColumnType& expected = columns[found->second].type;
        if (!columns::can_widen(field.type, expected)) {
            throw Error(ErrorKind::corrupt, "its column \"{}\" is {} where the table's is {}",
                        excerpt(field.name), schema::to_text(field.type.type),
                        schema::to_text(expected.type));
        }
        is_gathered.back() = !(expected == field.type) || is_present[found->second];
        const auto other = std::find(targets.begin(), targets.end(), found->second);
        if (other != targets.end()) is_gathered[static_cast<std::size_t>(other - targets.begin())] = true;
        targets.push_back(found->second);
        is_present[found->second] = true;
    }
    is_in_segment = true;
}

/// Reads on until a batch of rows is there. False at the end of the last file.
bool TableReader::Impl::require_message() {
    while (!has_message) {
        if (input == nullptr && !open_next_job()) return false;
        if (input->left() == 0) {
            finish_job();
            continue;
        }
        char prefix[format::message_prefix_bytes];
        input->read(prefix, sizeof(prefix));
        const std::uint32_t header_length = format::parse_message_prefix({prefix, sizeof(prefix)});
        if (header_length == 0) {
            if (!is_in_segment) throw Error(ErrorKind::corrupt, "a stream ends that did not begin");
            is_in_segment = false;
            continue;
        }
        // Checked before memory is taken for it.
        if (header_length > input->left())
            throw Error(ErrorKind::corrupt, "it ends in the middle of a message");
        header_bytes.resize(header_length);
        input->read(header_bytes.data(), header_bytes.size());
        header = format::parse_message_header(header_bytes);
        if ((header.kind == MessageHeader::Kind::schema) == is_in_segment) {
            throw Error(ErrorKind::corrupt, "its messages are not in order");
        }
        if (header.kind == MessageHeader::Kind::schema) {
            start_segment(std::move(header.fields));
            continue;
        }
        if (header.body_length > input->left())
            throw Error(ErrorKind::corrupt, "it ends in the middle of a message");
        body.clear();
        body.resize(header.body_length);
        input->read(reinterpret_cast<char*>(body.data()), body.size());
        rows_read += header.rows;
        if (rows_read > jobs[job_index].info.rows)
            throw Error(ErrorKind::corrupt, "it has more rows than the manifest says");
        has_message = header.rows > 0;
    }
    return true;
}

/// Appends the rows of the message to `builders`, which have equal lengths and are one for each
/// column.
void TableReader::Impl::decode_into(std::vector<ColumnBuilder>& builders) {
    std::vector<ColumnBuilder*> pointers;
    pointers.reserve(targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (is_gathered[i]) parts[i].clear();
        pointers.push_back(targets[i] == skipped ? nullptr : is_gathered[i] ? &parts[i] : &builders[targets[i]]);
    }
    decoder.append_to(header, {reinterpret_cast<const char*>(body.data()), body.size()}, fields,
                      pointers);
    for (std::size_t i = 0; i < builders.size(); ++i) {
        if (!is_present[i]) builders[i].append_nulls(header.rows);
    }
    gather(builders);
    has_message = false;
}

/// Appends to columns that several fields or fields of narrower types make up.
void TableReader::Impl::gather(std::vector<ColumnBuilder>& builders) {
    for (std::size_t column = 0; column < builders.size(); ++column) {
        std::vector<columns::ColumnView> sources;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            if (is_gathered[i] && targets[i] == column) sources.push_back(parts[i].view());
        }
        if (sources.size() == 1) append_widened(builders[column], sources.front(), 0, header.rows);
        if (sources.size() < 2) continue;
        for (std::size_t row = 0; row < header.rows; ++row) {
            const auto source = std::find_if(sources.begin(), sources.end(), [&](const columns::ColumnView& each) { return !each.is_null(row); });
            append_widened(builders[column], source == sources.end() ? sources.front() : *source, row, 1);
        }
    }
}

void TableReader::Impl::append_split_rows(columns::Batch& batch, std::size_t rows_max) {
    const std::size_t count = std::min(split_rows - split_from, rows_max - batch.rows);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        batch.columns[i].append_rows(split[i].view(), split_from, count);
    }
    split_from += count;
    batch.rows += count;
}

void TableReader::Impl::skip(std::uint64_t rows) {
    while (rows > 0 && require_message()) {
        if (header.rows <= rows) {
            rows -= header.rows;
            has_message = false;
            continue;
        }
        split_rows = header.rows;
        split_from = rows;
        decode_into(split);
        return;
    }
}

/// An empty batch with room for what it will probably hold: growing on the way costs a third of the
/// whole reading.
std::unique_ptr<columns::Batch> TableReader::Impl::new_batch() const {
    auto batch = std::make_unique<columns::Batch>();
    const std::unique_ptr<columns::Batch> spare = spares == nullptr ? nullptr : spares->take();
    const std::size_t rows = std::min<std::uint64_t>(batch_rows_max, rows_left);
    std::size_t at = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        // A spare has the columns of one of these batches, in their order, or fewer of them.
        const bool has_spare = spare != nullptr && at < spare->columns.size() && spare->names[at] == columns[i].name && spare->columns[at].type() == columns[i].type;
        batch->names.push_back(columns[i].name);
        if (has_spare) {
            batch->columns.push_back(std::move(spare->columns[at++]));
            batch->columns.back().clear();
        } else {
            batch->columns.emplace_back(columns[i].type);
        }
        batch->columns.back().reserve(std::min(rows, reserved_rows_max), text_bytes_expected[i]);
    }
    return batch;
}

/// Texts of the next batch are taken to be about as long as those of this one.
void TableReader::Impl::learn_from(const columns::Batch& batch) {
    rows_left -= batch.rows;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const columns::ColumnView view = batch.columns[i].view();
        if (view.offsets == nullptr) continue;
        const auto bytes = static_cast<std::size_t>(view.offsets[batch.rows]);
        text_bytes_expected[i] = rows_left < batch.rows ? 0 : bytes + bytes / 16;
    }
}

std::unique_ptr<columns::Batch> TableReader::Impl::next() {
    std::unique_ptr<columns::Batch> batch = new_batch();
    std::uint64_t batch_bytes = 0;
    const std::size_t rows_max = std::min<std::uint64_t>(batch_rows_max, rows_wanted);
    while (batch->rows < rows_max) {
        if (split_from < split_rows) {
            append_split_rows(*batch, rows_max);
            batch_bytes = batch->byte_size();
            continue;
        }
        if (!require_message()) break;
        const std::uint64_t bytes = format::decoded_bytes(
            header, {reinterpret_cast<const char*>(body.data()), body.size()});
        if (batch->rows > 0 && batch_bytes + bytes > batch_bytes_max) break;
        if (header.rows <= rows_max - batch->rows) {
            const std::size_t rows = header.rows;
            decode_into(batch->columns);
            batch->rows += rows;
            batch_bytes += bytes;
        } else {
            for (ColumnBuilder& builder : split) builder.clear();
            split_rows = header.rows;
            split_from = 0;
            decode_into(split);
        }
    }
    if (batch->rows == 0) return nullptr;
    rows_wanted -= batch->rows;
    learn_from(*batch);
    return batch;
}

TableReader::TableReader(io::FileSystem& files, const Package& package, std::string_view table,
                         std::vector<SegmentColumn> columns, std::size_t batch_rows_max,
                         std::uint64_t batch_bytes_max, OtherColumns other_columns,
                         const JobFile* only)
    : impl_(std::make_unique<Impl>()) {
    TIPPLE_ASSERT(batch_rows_max > 0);
    impl_->files = &files;
    impl_->columns = std::move(columns);
    impl_->batch_rows_max = batch_rows_max;
    impl_->batch_bytes_max = batch_bytes_max;
    impl_->other_columns = other_columns;
    for (std::size_t i = 0; i < impl_->columns.size(); ++i) {
        TIPPLE_ASSERT(impl_->column_index.emplace(impl_->columns[i].name, i).second);
        impl_->split.emplace_back(impl_->columns[i].type);
    }
    for (const columns::ColumnMove& move : package.manifest().moves) {
        if (move.table == table) impl_->moves.emplace(move.from, move.to);
    }
    for (const JobFile* job : package.jobs_of(table)) {
        if (job->reference || (only != nullptr && job->name != only->name)) continue;
        impl_->jobs.push_back({package.path_of(*job), *job});
        impl_->rows_left += job->rows;
    }
    impl_->text_bytes_expected.resize(impl_->columns.size());
}

TableReader::~TableReader() = default;
TableReader::TableReader(TableReader&&) noexcept = default;

void TableReader::select(std::uint64_t first, std::uint64_t count) {
    impl_->rows_wanted = count;
    impl_->rows_left = std::min(impl_->rows_left - std::min(impl_->rows_left, first), count);
    impl_->named([&] { impl_->skip(first); });
}

void TableReader::use(std::shared_ptr<columns::SpareBatches> spares) { impl_->spares = std::move(spares); }

std::unique_ptr<columns::Batch> TableReader::next() {
    return impl_->named([this] { return impl_->next(); });
}

}  // namespace tipple::package
