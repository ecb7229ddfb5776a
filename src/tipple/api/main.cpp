#include "tipple/api/main.h"

#include <utility>

#include "tipple/api/user_code.h"

namespace tipple {

extract::SourceEntry source_entry(NamedSource source) {
    extract::SourceEntry entry{.name = source.name, .summary = source.summary, .options = source.options, .takes_any_option = source.options.empty()};
    entry.make = [source = std::move(source)](const extract::SourceContext& context) {
        return api::call_user_code([&] { return fmt::format("source \"{}\"", source.name); }, [&] { return make_driver(source.make(context.options)); });
    };
    return entry;
}

}  // namespace tipple
