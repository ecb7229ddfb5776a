#pragma once

#include <memory>

#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/io/environment.h"
#include "tipple/io/file_system.h"
#include "tipple/io/s3_store.h"

namespace tipple::store {

struct AmbientOptions {
    /// Taken instead of what the environment says.
    std::string profile;
    /// For the token service.
    std::string region;
    io::Variables variables;
    io::FileSystem* files = nullptr;
    const Clock* clock = nullptr;
    Log log;
};

/// What AWS's own tools would find here, in their order: variables, the shared files, a web identity (Kubernetes), the container's service, that of the
/// machine. Looked up when a key is needed first; keys that end are renewed before that. Pointers outlive it.
std::shared_ptr<io::S3Credentials> ambient_credentials(AmbientOptions options);

}  // namespace tipple::store
