#pragma once

#include <exception>
#include <new>

#include "tipple/core/error.h"

namespace tipple::api {

/// Calls code of the program that uses the library. What it throws becomes an Error that begins with what `place` returns; of exceptions that are no
/// Error nothing says that trying again would help. A request to stop passes as it is.
template <typename Place, typename Call>
auto call_user_code(const Place& place, const Call& call) {
    try {
        return call();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::cancelled) throw;
        throw error.with_context(place());
    } catch (const Bug&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        throw Error(ErrorKind::remote, "{}: {}", place(), error.what());
    }
}

}  // namespace tipple::api
