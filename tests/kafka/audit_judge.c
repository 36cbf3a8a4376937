/*
 * audit_judge: compares what `kdl audit -o json` says with what an estate's truth table says.
 *
 *   audit_judge TRUTH AUDIT [traits]   all of it; or, for a copy of the estate without its groups,
 * transactions, compaction and idempotence only
 *
 * Prints a line for each difference, how precise each fact is and how much of what there is it
 * finds (unknown finds nothing), and one with the counts; 0 where there is no difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/jdoc.h"
#include "lib/base/xalloc.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)

static const char *const facts[] = {
    "transactions", "compaction", "idempotence", "streams_state", "groups"};
#define TRAITS 3 /* of these are in a copy without groups */

static unsigned right;
static unsigned wrong;

/* Of one fact, over all topics. */
static struct rate {
    unsigned yes;     /* is true */
    unsigned found;   /* is true and was said */
    unsigned said;    /* was said */
    unsigned unknown; /* neither yes nor no */
} rates[ARRAY_LEN(facts)];

static struct jdoc *
load(const char *path)
{
    struct jdoc *doc = NULL;
    struct buf text;
    struct err e;
    FILE *file = fopen(path, "re");
    size_t got;

    if (file == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(2);
    }
    buf_init(&text, FILE_BYTES_MAX);
    do {
        char *room = buf_reserve(&text, BUFSIZ);

        got = room == NULL ? 0 : fread(room, 1, BUFSIZ, file);
        buf_commit(&text, got);
    } while (got > 0);
    fclose(file);
    if (jdoc_parse((const char *)text.data, text.size, &doc, &e) != RC_OK) {
        fprintf(stderr, "%s: %s\n", path, e.text);
        exit(2);
    }
    buf_fini(&text);
    return doc;
}

static void
expect(const char *topic, const char *what, const char *expected, const char *seen)
{
    if (strcmp(expected, seen) == 0) {
        right++;
        return;
    }
    wrong++;
    printf("WRONG %s %s: expected %s, seen %s\n", topic, what, expected, seen);
}

static const struct jdoc *
find(const struct jdoc *list, const char *name)
{
    for (size_t i = 0; i < jdoc_count(list); i++)
        if (strcmp(jdoc_get_text(jdoc_at(list, i), "name", ""), name) == 0)
            return jdoc_at(list, i);
    return NULL;
}

static void
rate(struct rate *rate, const char *expected, const char *seen)
{
    bool is = strcmp(expected, "yes") == 0, said = strcmp(seen, "yes") == 0;

    rate->yes += is;
    rate->said += said;
    rate->found += is && said;
    rate->unknown += !said && strcmp(seen, "no") != 0;
}

static double
percent(unsigned part, unsigned whole)
{
    return whole == 0 ? 100 : 100.0 * part / whole;
}

static void
rates_print(size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("RATE %s: precision %.1f %%, recall %.1f %% of %u, %u unknown\n", facts[i],
            percent(rates[i].found, rates[i].said), percent(rates[i].found, rates[i].yes),
            rates[i].yes, rates[i].unknown);
}

static void
compare(const struct jdoc *truth, const struct jdoc *seen, bool traits_only)
{
    static const char *const designs[] = {"coordinated", "wal"};
    const char *name = jdoc_get_text(truth, "name", "");

    for (size_t i = 0; i < (traits_only ? TRAITS : ARRAY_LEN(facts)); i++) {
        const struct jdoc *fact = jdoc_get(jdoc_get(seen, "facts"), facts[i]);

        /* The copy of a log that was emptied holds nothing that could tell. */
        const char *value = jdoc_get_text(fact, "value", "nothing");
        bool emptied = traits_only && jdoc_get_int(jdoc_get(seen, "sampled"), "batches", -1) == 0;
        const char *expected = jdoc_get_text(jdoc_get(truth, facts[i]), "value", "nothing");

        rate(&rates[i], expected, value);
        if (!emptied || strcmp(value, "unknown") != 0)
            expect(name, facts[i], expected, value);
        /* Nothing is said without a witness. */
        expect(name, "evidence", "yes",
            jdoc_count(jdoc_get(fact, "evidence")) > 0 &&
                    jdoc_get_text(jdoc_at(jdoc_get(fact, "evidence"), 0), "api", NULL) != NULL
                ? "yes"
                : "no");
    }
    for (size_t i = 0; i < ARRAY_LEN(designs) && !traits_only; i++) {
        const char *expected = jdoc_get_text(jdoc_get(truth, designs[i]), "verdict", NULL);
        const struct jdoc *verdict = jdoc_get(jdoc_get(seen, "verdicts"), designs[i]);

        if (expected != NULL)
            expect(name, designs[i], expected, jdoc_get_text(verdict, "verdict", "nothing"));
        expect(name, "reasons", "yes",
            strcmp(jdoc_get_text(verdict, "verdict", ""), "READY") == 0 ||
                    jdoc_count(jdoc_get(verdict, "reasons")) > 0
                ? "yes"
                : "no");
    }
}

int
main(int argc, char **argv)
{
    bool traits_only = argc == 4 && strcmp(argv[3], "traits") == 0;
    struct jdoc *truth, *audit;
    const struct jdoc *wanted, *seen;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: audit_judge TRUTH AUDIT [traits]\n");
        return 2;
    }
    truth = load(argv[1]);
    audit = load(argv[2]);
    wanted = jdoc_get(truth, "topics");
    seen = jdoc_get(audit, "topics");
    for (size_t i = 0; i < jdoc_count(wanted); i++) {
        const char *name = jdoc_get_text(jdoc_at(wanted, i), "name", "");
        const struct jdoc *topic = find(seen, name);

        if (topic == NULL)
            expect(name, "topic", "there", "absent");
        else
            compare(jdoc_at(wanted, i), topic, traits_only);
    }
    if (jdoc_count(wanted) != jdoc_count(seen))
        expect("all", "number of topics", "that of the truth table", "another");
    rates_print(traits_only ? TRAITS : ARRAY_LEN(facts));
    printf("%zu topics: %u right, %u wrong\n", jdoc_count(wanted), right, wrong);
    jdoc_free(truth);
    jdoc_free(audit);
    return right > 0 && wrong == 0 ? 0 : 1;
}
