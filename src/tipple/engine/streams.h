#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tipple/columns/arrow_c.h"

// Private to the module.
namespace tipple::engine {

/// A stream as the library wants it: it asks for the schema several times, never releases what it
/// gets, and copies the stream struct. So the schema is exported once and lent out, and this object
/// is what releases everything.
class LentStream {
public:
    explicit LentStream(columns::ArrowSource source);
    ~LentStream();
    LentStream(const LentStream&) = delete;
    LentStream& operator=(const LentStream&) = delete;

    /// Valid as long as this object.
    ArrowArrayStream* outer() { return &outer_; }
    /// The exception the source or `before_first` ended with, if any.
    std::exception_ptr exception() const { return *exception_; }
    /// Called when the library asks for the first batch, on the thread that asks.
    void set_before_first(std::function<void()> before_first) { before_first_ = std::move(before_first); }

private:
    static LentStream& of(ArrowArrayStream* stream) {
        return *static_cast<LentStream*>(stream->private_data);
    }
    int lend_schema(ArrowSchema* out);
    int next(ArrowArray* out);

    std::shared_ptr<std::exception_ptr> exception_ = std::make_shared<std::exception_ptr>();
    ArrowArrayStream inner_{};
    ArrowArrayStream outer_{};
    ArrowSchema schema_{};
    std::function<void()> before_first_;
    bool is_at_end_ = false;
    bool was_read_twice_ = false;
};

}  // namespace tipple::engine
