#include "conformance/mutants.h"

#include <stddef.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define PREFIX_CHARS 8 /* of "mutants_" */

/* The side of a row says which member of the rule its function is. */
#define SIDE_request(function)                                                                     \
    {                                                                                              \
        .on_request = (function)                                                                   \
    }
#define SIDE_response(function)                                                                    \
    {                                                                                              \
        .on_response = (function)                                                                  \
    }
#define SIDE_frame(function)                                                                       \
    {                                                                                              \
        .on_frame = (function)                                                                     \
    }
#define SIDE_garbage(function)                                                                     \
    {                                                                                              \
        .on_request = (function), .keeps_garbage = true                                            \
    }
#define SIDE_greeting(function)                                                                    \
    {                                                                                              \
        .on_request = (function), .greeting = "HTTP/1.1 400\r\n\r\n"                               \
    }

static const struct mutant mutants[] = {
#define MUTANT(function, side, check, observed, what)                                              \
    {&#function[PREFIX_CHARS], check, observed, what, SIDE_##side(function)},
#define UNUSUAL(function, side, check, what) MUTANT(function, side, check, NULL, what)
#include "conformance/mutants.def"
#undef UNUSUAL
#undef MUTANT
};

size_t
mutants_count(void)
{
    return ARRAY_LEN(mutants);
}

const struct mutant *
mutants_at(size_t i)
{
    return &mutants[i];
}
