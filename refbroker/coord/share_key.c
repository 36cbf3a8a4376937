#include "refbroker/coord/share_key.h"

#include "lib/base/xalloc.h"
#include "lib/wire/codec_tree.h"

char *
share_key_text(const struct share_key *key)
{
    char topic_id[CODEC_TREE_UUID_CHARS + 1];

    codec_tree_uuid(&key->topic_id, topic_id);
    return xasprintf("%s:%s:%d", key->group_id, topic_id, key->partition);
}

/* What stands behind the last colon; *size is then what stands before it. False without a colon. */
static bool
last_part(const char *text, size_t *size, const char **part, size_t *part_size)
{
    for (size_t i = *size; i-- > 0;)
        if (text[i] == ':') {
            *part = text + i + 1;
            *part_size = *size - i - 1;
            *size = i;
            return true;
        }
    return false;
}

/* Integer.parseInt */
static bool
is_number(const char *text, size_t size)
{
    bool negative = size > 0 && text[0] == '-';
    size_t i = size > 0 && (text[0] == '-' || text[0] == '+');
    int64_t number = 0;

    if (i == size)
        return false;
    for (; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (text[i] - '0');
        if (number > (int64_t)INT32_MAX + negative)
            return false;
    }
    return true;
}

/* Uuid.fromString: base64 for URLs of 16 bytes, with or without padding; bits behind them are not
 * looked at. */
static bool
is_uuid(const char *text, size_t size)
{
    if (size == CODEC_TREE_UUID_CHARS + 2 && text[size - 1] == '=' && text[size - 2] == '=')
        size -= 2;
    for (size_t i = 0; i < size; i++)
        if (!((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= 'a' && text[i] <= 'z') ||
                (text[i] >= '0' && text[i] <= '9') || text[i] == '-' || text[i] == '_'))
            return false;
    return size == CODEC_TREE_UUID_CHARS;
}

/* String.trim().isEmpty() */
static bool
is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] > ' ')
            return false;
    return true;
}

bool
share_key_is_text(struct wire_string text)
{
    size_t size = text.size < 0 ? 0 : (size_t)text.size;
    const char *partition, *topic_id;
    size_t partition_size, topic_id_size;

    /* String.split leaves empty parts at the end out. */
    while (size > 0 && text.data[size - 1] == ':')
        size--;
    return last_part(text.data, &size, &partition, &partition_size) &&
           last_part(text.data, &size, &topic_id, &topic_id_size) && !is_blank(text.data, size) &&
           is_uuid(topic_id, topic_id_size) && is_number(partition, partition_size);
}
