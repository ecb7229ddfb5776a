#pragma once

#include <string>

#include "tipple/incremental/cursor.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/io/object_store.h"
#include "tipple/json/value.h"
#include "tipple/schema/value.h"

namespace tipple::sources::files {

/// A file of a listing as the reference describes it: `file_url`, `file_name`, `modification_date` and so on.
schema::Object file_item(const std::string& url, const io::ObjectInfo& file);

/// Files as the reference remembers them: the latest time of one that was read, and which ones had just that. State and hashes are the reference's.
class Watermark {
public:
    /// By the time a file was written.
    static incremental::Spec by_time();

    /// `state`: what the resource remembers.
    Watermark(incremental::Spec spec, const std::string& resource, const json::Object& state);
    bool is_new(const std::string& url, const io::ObjectInfo& file);
    /// The file was read.
    void take(const std::string& url, const io::ObjectInfo& file);
    void remember(json::Object& state);

private:
    incremental::PageFold fold(const std::string& url, const io::ObjectInfo& file);

    incremental::Spec spec_;
    incremental::Cursor cursor_;
    incremental::PageFilter filter_;
};

}  // namespace tipple::sources::files
