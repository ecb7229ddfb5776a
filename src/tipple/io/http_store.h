#pragma once

#include <memory>

#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/io/http_client.h"
#include "tipple/io/object_store.h"

namespace tipple::io {

/// What HTTP servers have: keys are whole URLs, and there is no listing. Sizes and versions are asked for by HEAD, or by GET where a server does not know that. A
/// read that breaks off goes on where the server says by an ETag or a time that it has the same version. `clock` outlives it.
std::unique_ptr<ObjectStore> http_store(HttpClientOptions options, const Clock& clock, Log log);

}  // namespace tipple::io
