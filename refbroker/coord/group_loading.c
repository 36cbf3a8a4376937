#include "refbroker/coord/group_loading.h"

#include "lib/wire/codec.h"

bool
group_loading_is_tombstone(const struct group_loading *l)
{
    return l->value.size < 0;
}

bool
group_loading_read(const struct group_loading *l, const struct wire_message *message,
    struct wire_bytes data, void *out)
{
    struct err e;

    return data.size >= 2 && codec_decode(message, 0, data.data + 2, (size_t)data.size - 2,
                                 l->arena, out, NULL, &e) == RC_OK;
}

bool
group_loading_read_value(
    const struct group_loading *l, const struct wire_message *message, void *out)
{
    return group_loading_is_tombstone(l) || group_loading_read(l, message, l->value, out);
}

struct group *
group_loading_group(const struct group_loading *l, struct wire_string group_id)
{
    return group_loading_is_tombstone(l) ? groups_find(l->groups, group_id)
                                         : groups_make(l->groups, group_id);
}
