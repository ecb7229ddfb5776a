#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "tipple/io/file_system.h"

namespace tipple::io {

/// An object as a store lists it.
struct ObjectInfo {
    std::string key;  ///< below the store's root, parts divided by `/`
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;  ///< since 1970; 0 where nobody knows
    std::string etag;              ///< as the store gives it, without quotes; empty where there is none
    /// False where only reading it shows how long it is.
    bool has_size = true;
    bool operator==(const ObjectInfo&) const = default;
};

/// Named objects to be read: a bucket of an object store, a folder, or what HTTP servers have. Errors: Error(transient) for what another try may
/// mend and all tries did not, Error(usage) for what the user has to change (bucket, region, credentials, a key that is not there), Error(remote) for
/// other answers, Error(local), Error(cancelled). Messages name the object by its URL and show no secret. Thread-safe.
class ObjectStore {
public:
    virtual ~ObjectStore() = default;
    /// The object's name for people and for `_source_file`, without secrets: `s3://bucket/a/b.csv`, or an absolute path.
    virtual std::string url(std::string_view key) const = 0;
    /// Hands over all objects whose keys begin with `prefix`, in the order of the keys' bytes, page by page, keeping none; no placeholders of folders (empty
    /// ones whose keys end with a slash). False from `take` ends it.
    virtual void list(const std::string& prefix, std::stop_token stop, const std::function<bool(ObjectInfo)>& take) = 0;
    /// Nothing when there is no such object.
    virtual std::optional<ObjectInfo> find(const std::string& key, std::stop_token stop) = 0;
    /// Reads exactly this version of the object, in memory of a fixed size: a read that breaks off goes on where it stood, and one that meets another
    /// version throws Error(transient). `read_at` asks for a range. The store outlives the file.
    virtual std::unique_ptr<ReadFile> open_read(const ObjectInfo& object, std::stop_token stop) = 0;
};

/// When an object may be written.
enum class PutCondition : std::uint8_t {
    always,
    if_absent,  ///< only when there is no object of that key
};

/// A bucket that can be written too.
class WritableObjectStore : public ObjectStore {
public:
    /// Writes a whole object. False when `condition` did not hold: somebody else has written the object, or an attempt of this very call whose answer
    /// was lost.
    virtual bool put(const std::string& key, std::string_view bytes, PutCondition condition, std::stop_token stop) = 0;
    /// Writes an object of any size in parts, which nobody sees before `close` has returned; the destructor takes away what is unfinished, and so does
    /// the next one of the same key where the program died before that. One writer per key at a time.
    virtual std::unique_ptr<WriteFile> create(const std::string& key, std::stop_token stop) = 0;
    /// Fine when it is not there.
    virtual void remove(const std::string& key, std::stop_token stop) = 0;
    /// One attempt, which nobody waits for longer than about a second. False when it is not known to have succeeded.
    virtual bool remove_once(const std::string& key) = 0;
};

/// The files below a folder of this machine; folders that are links are not entered. `files` outlives it.
std::unique_ptr<ObjectStore> folder_store(FileSystem& files, std::string folder);

}  // namespace tipple::io
