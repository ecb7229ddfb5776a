#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "tipple/io/file_system.h"
#include "tipple/io/object_store.h"
#include "tipple/sources/files/file_list.h"
#include "tipple/sources/files/listing.h"

namespace tipple::sources::files {

/// Fetches files of a store before it is their turn: while one is worked on, the next ones are asked for and their bytes wait. Changes nothing of what is read.
class ReadAhead {
public:
    /// How far it goes.
    struct Limits {
        std::size_t files;
        std::uint64_t bytes;  ///< of all files that wait; what the current one has left of its own comes on top
    };
    /// A file as it was found, at its start.
    struct Fetched {
        io::ObjectInfo info;
        std::unique_ptr<io::ReadFile> file;
    };

    /// `files` of `place` in the order in which they are read; both outlive it and what it hands out. The first one is left to whoever reads it.
    ReadAhead(const Place& place, const FileList& files, Limits limits);
    ~ReadAhead();

    /// Works on a thread of its own until all files were fetched or taken, `finish` was called or a stop was requested. What cannot be fetched is left to
    /// whoever reads it and will be told why.
    void fetch(const std::stop_token& stop);
    /// On the thread that reads: it is the turn of the file at `index` of the list; greater each time. Nothing when it was not fetched. What is on its way is waited for until
    /// some of it has come.
    std::optional<Fetched> take(std::size_t index);
    /// No file is taken any more, and those that were taken are not read any more.
    void finish();

private:
    class File;
    struct Waiting {
        io::ObjectInfo info;
        std::unique_ptr<File> file;
    };
    void fetch_one(std::size_t index);
    bool wants_more(std::size_t index, std::uint64_t bytes);

    const Place& place_;
    const FileList& files_;
    const Limits limits_;
    std::stop_source cancel_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_:
    std::map<std::size_t, Waiting> waiting_;
    std::optional<std::size_t> fetching_;
    std::size_t next_ = 1;
    std::size_t turn_ = 0;
    std::uint64_t bytes_ = 0;
    bool is_finished_ = false;
};

}  // namespace tipple::sources::files
