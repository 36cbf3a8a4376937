/*
 * f_otlp: any bytes as the metrics that a client pushes, up to what /metrics says of them.
 *
 * Whatever comes in, what goes out are lines of Prometheus' text format: a type for each name
 * before its values, names and labels of letters, digits and bars, values of labels in quotes.
 */
#include <ctype.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/client_samples.h"

#define MEMORY_BYTES ((size_t)16 << 20)
#define OUT_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct arena texts;
static struct buf out;

static void
start(void)
{
    if (out.size_max != 0)
        return;
    arena_init(&arena, MEMORY_BYTES);
    arena_init(&texts, MEMORY_BYTES);
    buf_init(&out, OUT_BYTES);
}

static const char *
name_check(const char *at)
{
    REQUIRE(isalpha((unsigned char)*at));
    while (isalnum((unsigned char)*at) || *at == '_')
        at++;
    return at;
}

static const char *
labels_check(const char *at)
{
    for (char before = '{'; *at == before; before = ',') {
        at = name_check(at + 1);
        REQUIRE(at[0] == '=' && at[1] == '"');
        for (at += 2; *at != '"'; at++) {
            REQUIRE((unsigned char)*at >= ' ');
            if (*at == '\\')
                at++;
        }
        at++;
    }
    return *at == '}' ? at + 1 : at;
}

static void
lines_check(const char *at)
{
    const char *of = "";

    while (*at != '\0') {
        const char *end = strchr(at, '\n');

        REQUIRE(end != NULL);
        if (*at == '#') {
            REQUIRE(strncmp(at, "# TYPE client_", 14) == 0);
            of = at + 7;
            at = name_check(of);
            REQUIRE(strncmp(at, " gauge\n", 7) == 0 || strncmp(at, " counter\n", 9) == 0);
        } else {
            size_t size = (size_t)(name_check(at) - at);

            REQUIRE(strncmp(at, of, size) == 0 && of[size] == ' ');
            at = labels_check(at + size);
            REQUIRE(*at == ' ' && strchr(at, '\n') == end && end - at < 32);
        }
        at = end + 1;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct client_traits traits = {.values = {[CLIENT_TRAIT_CLIENT_ID] = "c\"\n\\"}};
    struct client_samples_owner owner = {0};
    struct client_samples samples;
    struct otlp_report report;
    struct err e;

    start();
    arena_reset(&arena);
    arena_reset(&texts);
    buf_clear(&out);
    if (otlp_read(data, size, &arena, &report, &e) != RC_OK)
        return 0;
    client_samples_init(&samples);
    for (size_t i = 0; i < report.point_count; i++) {
        struct client_sample sample;

        if (client_samples_name(&report.points[i], &traits, &texts, &sample))
            (void)client_samples_put(&samples, &owner, &sample);
    }
    client_samples_write(&samples, &out);
    REQUIRE(memchr(buf_text(&out), '\0', out.size) == NULL);
    lines_check(buf_text(&out));
    client_samples_drop(&samples, &owner);
    REQUIRE(samples.count == 0 && samples.bytes == 0 && map_count(&samples.families) == 0);
    client_samples_fini(&samples);
    return 0;
}
