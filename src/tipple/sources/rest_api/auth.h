#pragma once

#include <memory>

#include "tipple/core/clock.h"
#include "tipple/io/http_session.h"
#include "tipple/sources/rest_api/settings.h"

namespace tipple::sources::rest {

/// What tokens are asked for with. Outlives the authorizer; `session` serves nothing else.
struct AuthContext {
    io::HttpSession& session;
    const Clock& clock;
    /// Gets every token that is got, and what one is asked for with.
    io::Redactor& redactor;
};

/// nullptr for none. A token is asked for when the first request needs it, again shortly before it ends, and once more when a server refuses it.
std::unique_ptr<io::HttpAuthorizer> make_authorizer(const AuthSpec& spec, AuthContext context);

/// `header.claims.signature`: what a token is asked for with by jwt_bearer.
std::string make_jwt_assertion(const AuthSpec& spec, std::int64_t now_us);

}  // namespace tipple::sources::rest
