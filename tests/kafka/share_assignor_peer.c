/*
 * share_assignor_peer: our side of the comparison with Kafka's own assignor of share groups
 * (kdl.share.ShareAssignorOracle).
 *
 *   share_assignor_peer make SEED N FILE   N random groups: topics, members, what each reads and has
 *   share_assignor_peer solve FILE         what our assignor makes of them
 *
 * A group is a line `group NUMBER TYPE`, a line `topic ID NAME PARTITIONS` for each topic that
 * somebody reads, in the order of their ids, a line `member ID READS NAMES OWNED` for each member,
 * and `end`. READS are places of topics, NAMES how many it names, those included that are not there,
 * OWNED partitions as TOPIC:PARTITION, lists with commas, `-` where there is nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/share_assignor.h"

#define TOPICS_MAX 6
#define MEMBERS_MAX 14
#define PARTITIONS_MAX 20
#define ID_BYTES 16
#define LINE_BYTES 65536

/* --- make ----------------------------------------------------------------------------------------
 */

static int
pick(struct env *env, int below)
{
    uint8_t bytes[4];

    env_random_bytes(env, bytes, sizeof bytes);
    return (int)((bytes[0] | (unsigned)bytes[1] << 8 | (unsigned)bytes[2] << 16) % (unsigned)below);
}

struct made {
    struct env *env;
    FILE *out;
    int topic_count;
    int member_count;
    int partitions[TOPICS_MAX];
    bool reads[MEMBERS_MAX][TOPICS_MAX];
    int owned_percent;
};

static int
compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_BYTES);
}

static void
topics_make(struct made *m)
{
    uint8_t ids[TOPICS_MAX][ID_BYTES];

    env_random_bytes(m->env, ids, sizeof ids);
    qsort(ids, (size_t)m->topic_count, sizeof *ids, compare_ids);
    for (int i = 0; i < m->topic_count; i++) {
        m->partitions[i] = 1 + pick(m->env, PARTITIONS_MAX);
        fputs("topic ", m->out);
        for (int k = 0; k < ID_BYTES; k++)
            fprintf(m->out, "%02x", ids[i][k]);
        fprintf(m->out, " t%d-%d %d\n", pick(m->env, 10000), i, m->partitions[i]);
    }
}

/* Every topic has a reader, and every member reads something. */
static void
reads_make(struct made *m, bool homogeneous)
{
    for (int i = 0; i < m->member_count; i++)
        for (int k = 0; k < m->topic_count; k++)
            m->reads[i][k] = homogeneous || pick(m->env, 2) == 0;
    for (int i = 0; i < m->member_count; i++)
        m->reads[i][pick(m->env, m->topic_count)] = true;
    for (int k = 0; k < m->topic_count; k++)
        m->reads[pick(m->env, m->member_count)][k] = true;
}

static void
member_make(struct made *m, int member, bool homogeneous)
{
    const char *between = "";
    int count = 0;

    fprintf(m->out, "member m%02d-%d ", pick(m->env, 100), member);
    for (int i = 0; i < m->topic_count; i++)
        if (m->reads[member][i])
            fprintf(m->out, "%s%d", count++ == 0 ? "" : ",", i);
    fprintf(m->out, " %d ", count + (homogeneous ? 0 : pick(m->env, 3)));
    for (int i = 0; i < m->topic_count; i++)
        for (int k = 0; k < m->partitions[i]; k++)
            if (pick(m->env, 100) < m->owned_percent) {
                fprintf(m->out, "%s%d:%d", between, i, k);
                between = ",";
            }
    fputs(*between == '\0' ? "-\n" : "\n", m->out);
}

static void
group_make(struct env *env, FILE *out, int number)
{
    struct made m = {.env = env, .out = out};
    bool homogeneous = pick(env, 2) == 0;

    m.topic_count = 1 + pick(env, TOPICS_MAX);
    m.member_count = 1 + pick(env, MEMBERS_MAX);
    m.owned_percent = pick(env, 3) == 0 ? 0 : pick(env, 60);
    fprintf(out, "group %d %s\n", number, homogeneous ? "HOMOGENEOUS" : "HETEROGENEOUS");
    topics_make(&m);
    reads_make(&m, homogeneous);
    for (int i = 0; i < m.member_count; i++)
        member_make(&m, i, homogeneous);
    fputs("end\n", out);
}

/* --- solve ---------------------------------------------------------------------------------------
 */

struct solving {
    struct share_assignor_group group;
    struct share_assignor_topic topics[TOPICS_MAX];
    struct share_assignor_member members[MEMBERS_MAX];
    struct share_parts owned[MEMBERS_MAX];
    char names[TOPICS_MAX][32];
    char ids[MEMBERS_MAX][32];
    int32_t places[MEMBERS_MAX][TOPICS_MAX];
};

static const int32_t *
numbers(void)
{
    static int32_t all[PARTITIONS_MAX];

    for (int32_t i = 0; i < PARTITIONS_MAX; i++)
        all[i] = i;
    return all;
}

static void
topic_read(struct solving *s, const char *line)
{
    int32_t place = s->group.topic_count++;
    struct share_assignor_topic *topic = &s->topics[place];
    unsigned byte;

    for (int i = 0; i < ID_BYTES; i++) {
        sscanf(line + 6 + 2 * i, "%2x", &byte);
        topic->topic_id.bytes[i] = (uint8_t)byte;
    }
    sscanf(line + 6 + 2 * ID_BYTES, "%31s %" SCNd32, s->names[place], &topic->partition_count);
    topic->name = s->names[place];
    topic->partitions = numbers();
}

/* Partitions stand by topic. */
static void
owned_read(struct solving *s, struct share_parts *owned, char *list)
{
    char *rest = NULL;
    int last = -1;

    for (char *at = strtok_r(list, ",", &rest); at != NULL; at = strtok_r(NULL, ",", &rest)) {
        int32_t partition;
        int topic;

        if (sscanf(at, "%d:%" SCNd32, &topic, &partition) != 2)
            continue;
        if (topic != last)
            share_parts_topic_add(owned, &s->topics[topic].topic_id);
        last = topic;
        share_parts_add(owned, owned->count - 1, partition);
    }
    share_parts_replay(owned);
}

static void
member_read(struct solving *s, const char *line)
{
    int32_t number = s->group.member_count++;
    struct share_assignor_member *member = &s->members[number];
    static char reads[LINE_BYTES], owned[LINE_BYTES];
    char *rest = NULL;

    sscanf(line, "member %31s %65535s %zu %65535s", s->ids[number], reads, &member->name_count,
        owned);
    for (char *at = strtok_r(reads, ",", &rest); at != NULL; at = strtok_r(NULL, ",", &rest))
        s->places[number][member->topic_count++] = (int32_t)strtol(at, NULL, 10);
    member->topics = s->places[number];
    owned_read(s, &s->owned[number], owned);
    member->owned = &s->owned[number];
}

/* As it is recorded: topics in the order of their table, with partitions in that of theirs. */
static void
target_tell(const struct solving *s, const struct share_parts *target)
{
    for (size_t i = 0; i < target->count; i++) {
        const struct share_parts_topic *topic = &target->topics[i];

        printf(" %" PRId32 ":", share_assignor_topic_find(&s->group, &topic->topic_id));
        for (int32_t k = 0; k < topic->partition_count; k++)
            printf("%s%" PRId32, k == 0 ? "" : ",", topic->partitions[k]);
    }
}

static void
solve(struct solving *s)
{
    s->group.topics = s->topics;
    s->group.members = s->members;
    share_assignor_simple(&s->group);
    for (int32_t i = 0; i < s->group.member_count; i++) {
        fputs(s->ids[i], stdout);
        target_tell(s, &s->members[i].target);
        putchar('\n');
        share_parts_fini(&s->members[i].target);
        share_parts_fini(&s->owned[i]);
    }
}

static int
solve_file(const char *path)
{
    static char line[LINE_BYTES];
    static struct solving s;
    FILE *in = fopen(path, "r");

    if (in == NULL)
        return 1;
    while (fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, "group ", 6) == 0) {
            memset(&s, 0, sizeof s);
            s.group.homogeneous = strstr(line, "HOMOGENEOUS") != NULL;
            fputs(line, stdout);
        } else if (strncmp(line, "topic ", 6) == 0) {
            topic_read(&s, line);
        } else if (strncmp(line, "member ", 7) == 0) {
            member_read(&s, line);
        } else {
            solve(&s);
        }
    }
    fclose(in);
    return 0;
}

int
main(int argc, char **argv)
{
    struct env env;
    FILE *out;

    if (argc == 3 && strcmp(argv[1], "solve") == 0)
        return solve_file(argv[2]);
    if (argc != 5 || strcmp(argv[1], "make") != 0 || (out = fopen(argv[4], "w")) == NULL) {
        fputs("usage: share_assignor_peer make SEED N FILE | solve FILE\n", stderr);
        return 2;
    }
    env_init_seeded(&env, strtoull(argv[2], NULL, 10), 0);
    for (int i = 0, count = (int)strtol(argv[3], NULL, 10); i < count; i++)
        group_make(&env, out, i);
    return fclose(out) == 0 ? 0 : 1;
}
