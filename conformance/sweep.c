#include "conformance/sweep.h"

#include <string.h>

#include "conformance/kc_topic.h"
void
sweep_topics(struct kc *kc)
{
    const char *prefix = kc_printf(kc, "kc-%s-", kc->options->run_id);
    const struct km_metadata_response *all;
    struct wire_string *names;
    int32_t count = 0;

    kc_setup_begin(kc);
    all = kc_topic_metadata(kc, kc_link(kc, 0), NULL, -1);
    names = kc_alloc(kc, (size_t)all->topics.count, sizeof *names);
    for (int32_t i = 0; i < all->topics.count; i++) {
        struct wire_string name = all->topics.items[i].name;

        if (name.size >= (int32_t)strlen(prefix) && memcmp(name.data, prefix, strlen(prefix)) == 0)
            names[count++] = name;
    }
    if (count > 0)
        kc_topic_delete_all(kc, names, count);
    kc_setup_end(kc);
}
