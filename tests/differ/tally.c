#include "tests/differ/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/wire/codec_tree.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)

static bool
has_error(const struct requests_made *made, const void *answer)
{
    static const char field[] = "error_code=";
    struct buf text;
    bool has = false;

    buf_init(&text, TEXT_BYTES_MAX);
    codec_tree_text(made->api->response, made->version, answer, &text);
    for (const char *at = strstr(buf_text(&text), field); at != NULL && !has;
         at = strstr(at + 1, field))
        has = at[sizeof field - 1] != '0';
    buf_fini(&text);
    return has;
}

void
tally_add(struct tally *tally, const struct requests_made *made, const void *answer)
{
    size_t at = (size_t)(made->api - km_apis);

    tally->asked[at]++;
    tally->succeeded[at] += answer != NULL && !has_error(made, answer);
}

size_t
tally_print(const struct tally *tally, uint32_t enough)
{
    size_t failed = 0;

    for (size_t i = 0; i < KM_API_COUNT; i++) {
        bool never = tally->asked[i] >= enough && tally->succeeded[i] == 0;

        if (tally->asked[i] > 0)
            printf("%s: %" PRIu32 " asked, %" PRIu32 " without an error%s\n", km_apis[i].name,
                tally->asked[i], tally->succeeded[i], never ? ": never" : "");
        failed += never;
    }
    return failed;
}
