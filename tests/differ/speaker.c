#include "tests/differ/speaker.h"

#include "lib/base/xalloc.h"

static struct wire_string
group(struct making *m, size_t *number)
{
    *number = MEMORY_NONE;
    if (making_chance(m, 40))
        return making_text("");
    if (making_chance(m, 20))
        return making_text(arena_printf(m->arena, "an unknown group.%u", m->memory->age));
    *number = making_below(m, MEMORY_GROUPS);
    return making_text(m->memory->groups[*number]);
}

struct wire_string
speaker_group(struct making *m)
{
    size_t number;

    return group(m, &number);
}

/* One of the latest members of a group, or NULL. */
static const struct memory_member *
member(struct making *m, size_t group, bool is_consumer)
{
    const struct memory_member *found[3];
    size_t count = 0;

    for (size_t i = m->memory->member_count; i-- > 0 && count < ARRAY_LEN(found);) {
        const struct memory_member *candidate = &m->memory->members[i];

        if (candidate->group == group && candidate->state != MEMORY_GONE &&
            candidate->is_consumer == is_consumer)
            found[count++] = candidate;
    }
    return count == 0 ? NULL : found[making_below(m, count)];
}

struct wire_string
speaker_odd_member(struct making *m)
{
    size_t count = m->memory->member_count;

    if (count > 0 && making_chance(m, 2))
        return making_text(m->memory->members[making_below(m, count)].text);
    return making_text(making_chance(m, 2) ? "" : "nobody");
}

struct wire_string
speaker_instance(struct making *m)
{
    return making_text(memory_instance_name(making_below(m, MEMORY_INSTANCES)));
}

struct speaker
speaker_choose(struct making *m, bool is_consumer, int16_t instance_version_min)
{
    static const int32_t odd[] = {-1, 0, 1, -2, 100, INT32_MAX};
    struct speaker s = {.generation = -1, .instance_id = making_text(NULL)};

    s.group_id = group(m, &s.group);
    s.member = member(m, s.group, is_consumer);
    if (s.member == NULL || making_chance(m, 12)) {
        s.member = NULL;
        s.member_id = speaker_odd_member(m);
    } else {
        s.member_id = making_text(s.member->text);
        s.generation = s.member->generation;
        if (s.member->instance != MEMORY_NONE)
            s.instance_id = making_text(memory_instance_name(s.member->instance));
    }
    if (making_chance(m, 12))
        s.instance_id = speaker_instance(m);
    if (making_chance(m, 12))
        s.generation = odd[making_below(m, ARRAY_LEN(odd))];
    else if (making_chance(m, 12))
        s.generation += making_chance(m, 2) ? 1 : -1;
    if (m->version < instance_version_min)
        s.instance_id = making_text(NULL);
    return s;
}
