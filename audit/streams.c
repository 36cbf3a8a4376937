#include "audit/streams.h"

#include <string.h>

#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define USER_DATA_VERSION_MAX 11

static const struct {
    const char *suffix;
    const char *inside; /* also in the name; NULL: nothing */
    enum audit_role role;
} endings[] = {
#define ENDING(suffix, inside, role) {suffix, inside, AUDIT_ROLE_##role},
#include "audit/names.def"
};

bool
streams_is_client_id(struct wire_string id)
{
    static const char thread[] = "-StreamThread-";

    return id.size > 0 && memmem(id.data, (size_t)id.size, thread, sizeof thread - 1) != NULL;
}

bool
streams_subscription(
    struct wire_bytes metadata, struct arena *arena, struct km_consumer_protocol_subscription *out)
{
    const struct wire_message *message = &km_consumer_protocol_subscription_message;
    int16_t version;

    if (metadata.size < 2)
        return false;
    version = codec_bytes_int16(metadata.data);
    /* As Kafka does: newer versions are read as the newest known, since they only append. */
    if (version > message->versions.max)
        version = message->versions.max;
    codec_init(&km_consumer_protocol_subscription_desc, out);
    return version >= 0 && codec_decode(message, version, metadata.data + 2,
                               (size_t)metadata.size - 2, arena, out, NULL, NULL) == RC_OK;
}

bool
streams_is_user_data(struct wire_bytes data, struct arena *arena)
{
    struct km_subscription_info_data info;
    size_t used = 0;
    int32_t version;

    if (data.size < 4)
        return false;
    version = codec_bytes_int32(data.data);
    if (version < 1 || version > USER_DATA_VERSION_MAX)
        return false;
    return codec_decode(&km_subscription_info_data_message, (int16_t)version, data.data,
               (size_t)data.size, arena, &info, &used, NULL) == RC_OK &&
           used == (size_t)data.size;
}

/* Returns the place of a name's ending, or NULL where it has none of those that Streams uses. */
static const char *
ending(const char *name, enum audit_role *role)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i].suffix);

        if (length <= size || strcmp(name + length - size, endings[i].suffix) != 0)
            continue;
        if (endings[i].inside != NULL && strstr(name, endings[i].inside) == NULL)
            continue;
        *role = endings[i].role;
        return name + length - size;
    }
    return NULL;
}

enum audit_role
streams_role(const char *name)
{
    enum audit_role role = AUDIT_ROLE_NONE;

    return ending(name, &role) == NULL ? AUDIT_ROLE_NONE : role;
}

bool
streams_owner(const char *name, const char *application_id)
{
    enum audit_role role;
    const char *end = ending(name, &role);
    size_t size = strlen(application_id);

    return end != NULL && size > 0 && strncmp(name, application_id, size) == 0 &&
           name[size] == '-' && name + size + 1 < end;
}
