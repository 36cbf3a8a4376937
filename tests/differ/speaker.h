/*
 * speaker: who a request to a group comes from: mostly a member as it is remembered, at times
 * another one, or with a generation or an instance id that is not its own.
 */
#ifndef TESTS_DIFFER_SPEAKER_H
#define TESTS_DIFFER_SPEAKER_H

#include "tests/differ/making.h"

struct speaker {
    size_t group; /* MEMORY_NONE: an odd one */
    const struct memory_member *member;
    struct wire_string group_id;
    struct wire_string member_id;
    struct wire_string instance_id;
    int32_t generation;
};

/* speaker_choose takes a member of the consumer protocol or a classic one; lower versions than
 * instance_version_min have no instance ids. */
struct speaker speaker_choose(struct making *m, bool is_consumer, int16_t instance_version_min);

/* A group's name, perhaps an odd one; a member id that may belong to no member, or to one of
 * another group; an instance id. */
struct wire_string speaker_group(struct making *m);
struct wire_string speaker_odd_member(struct making *m);
struct wire_string speaker_instance(struct making *m);

#endif
