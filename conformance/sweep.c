#include "conformance/sweep.h"

#include <string.h>

#include "conformance/kc_topic.h"
#include "lib/wire/kerr.h"

#define APPLY_MS 10000

/* The topics of this run among all: their number, and their names behind each other. */
static int32_t
ours(struct kc *kc, const struct km_metadata_response *all, struct wire_string **names)
{
    const char *prefix = kc_printf(kc, "kc-%s-", kc->options->run_id);
    int32_t count = 0;

    *names = kc_alloc(kc, (size_t)all->topics.count, sizeof **names);
    for (int32_t i = 0; i < all->topics.count; i++) {
        struct wire_string name = all->topics.items[i].name;

        if (name.size >= (int32_t)strlen(prefix) && memcmp(name.data, prefix, strlen(prefix)) == 0)
            (*names)[count++] = name;
    }
    return count;
}

/* All topics. A broker may not know yet what the controller has just made for a check that ended at
 * once; it learns of topics in the order in which they were made, so that one of our own comes
 * last. */
static const struct km_metadata_response *
topics_list(struct kc *kc)
{
    const char *last = kc_topic_name(kc);
    bool made = kc_topic_create(kc, last, 1) == KE_NONE;
    struct kc_wait wait = kc_wait_begin(kc, APPLY_MS);
    const struct km_metadata_response *all;

    do
        all = kc_topic_metadata(kc, kc_link(kc, 0), NULL, -1);
    while (made && kc_topic_find(all, last) == NULL && !kc_wait_over(kc, &wait));
    return all;
}

void
sweep_topics(struct kc *kc)
{
    struct wire_string *names;
    struct kc_wait wait;
    int32_t count;

    kc_setup_begin(kc);
    count = ours(kc, topics_list(kc), &names);
    if (count > 0)
        kc_topic_delete_all(kc, names, count);
    wait = kc_wait_begin(kc, APPLY_MS);
    while (ours(kc, kc_topic_metadata(kc, kc_link(kc, 0), NULL, -1), &names) > 0)
        kc_wait_more(kc, &wait, "the topics of this run are gone");
    kc_setup_end(kc);
}
