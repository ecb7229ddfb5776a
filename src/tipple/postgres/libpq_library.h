#pragma once

#include <libpq-fe.h>

#define TIPPLE_LIBPQ_FUNCTIONS(use) \
    use(PQcancel) use(PQclear) use(PQcmdStatus) use(PQcmdTuples) use(PQconndefaults) use(PQconnectPoll) \
    use(PQconnectStartParams) use(PQconninfo) use(PQconninfoFree) use(PQconninfoParse) use(PQconsumeInput) use(PQerrorMessage) \
    use(PQfinish) use(PQflush) use(PQfmod) use(PQfname) use(PQfreeCancel) use(PQfreemem) use(PQftype) use(PQgetCancel) \
    use(PQgetCopyData) use(PQgetResult) use(PQgetisnull) use(PQgetlength) use(PQgetlineAsync) use(PQgetvalue) use(PQhost) \
    use(PQhostaddr) use(PQisBusy) use(PQnfields) use(PQport) use(PQputCopyData) use(PQputCopyEnd) use(PQresultErrorField) \
    use(PQresultStatus) use(PQsendDescribePrepared) use(PQsendPrepare) use(PQsendQuery) use(PQsendQueryParams) \
    use(PQserverVersion) use(PQsetNoticeReceiver) use(PQsetSingleRowMode) use(PQsetnonblocking) use(PQsocket) use(PQstatus) \
    use(PQtransactionStatus)

namespace tipple::postgres {

/// The functions of libpq that are used here, by its own names.
struct LibpqLibrary {
#define TIPPLE_LIBPQ_MEMBER(name) decltype(&::name) name = nullptr;
    TIPPLE_LIBPQ_FUNCTIONS(TIPPLE_LIBPQ_MEMBER)
#undef TIPPLE_LIBPQ_MEMBER
};

/// libpq, which the first call opens. From any thread. Throws ErrorKind::local where it is missing.
const LibpqLibrary& libpq();

}  // namespace tipple::postgres
