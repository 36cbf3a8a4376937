/*
 * assignor_peer: our side of the comparison with Kafka's own server-side assignors
 * (AssignorOracle).
 *
 *   assignor_peer make SEED N FILE   N random groups: topics, members, what each reads and owns
 *   assignor_peer solve FILE         what our assignors make of them
 *
 * A group is a line `group NUMBER ASSIGNOR TYPE`, a line `topic ID PARTITIONS` for each topic, a
 * line `member ID INSTANCE TOPICS OWNED` for each member, and `end`. Topics are told by place,
 * partitions as TOPIC:PARTITION, lists with commas, `-` where there is nothing. Of an even
 * assignment only sizes are printed: which partitions these are is the order of a hash table.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/assignor.h"

#define TOPICS_MAX 8
#define MEMBERS_MAX 12
#define PARTITIONS_MAX 24
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
    int owners[TOPICS_MAX][PARTITIONS_MAX]; /* -1: nobody */
    bool reads[MEMBERS_MAX][TOPICS_MAX];
};

static int
compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static void
topics_make(struct made *m)
{
    uint8_t ids[TOPICS_MAX][16];

    env_random_bytes(m->env, ids, sizeof ids);
    qsort(ids, (size_t)m->topic_count, sizeof *ids, compare_ids);
    for (int i = 0; i < m->topic_count; i++) {
        m->partitions[i] = 1 + pick(m->env, PARTITIONS_MAX);
        fputs("topic ", m->out);
        for (int k = 0; k < 16; k++)
            fprintf(m->out, "%02x", ids[i][k]);
        fprintf(m->out, " %d\n", m->partitions[i]);
    }
}

static void
owners_make(struct made *m, int free_percent)
{
    for (int i = 0; i < m->topic_count; i++)
        for (int k = 0; k < m->partitions[i]; k++)
            m->owners[i][k] = pick(m->env, 100) < free_percent ? -1 : pick(m->env, m->member_count);
}

static void
member_print(const struct made *m, int member)
{
    const char *between = "";

    fprintf(m->out, "member m%02d-%d ", pick(m->env, 100), member);
    if (pick(m->env, 4) == 0)
        fprintf(m->out, "i%02d-%d ", pick(m->env, 100), member);
    else
        fputs("- ", m->out);
    for (int i = 0; i < m->topic_count; i++)
        if (m->reads[member][i]) {
            fprintf(m->out, "%s%d", between, i);
            between = ",";
        }
    fputs(*between == '\0' ? "- " : " ", m->out);
    between = "";
    for (int i = 0; i < m->topic_count; i++)
        for (int k = 0; k < m->partitions[i]; k++)
            if (m->owners[i][k] == member) {
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
    bool common[TOPICS_MAX];

    m.topic_count = 1 + pick(env, TOPICS_MAX);
    m.member_count = 1 + pick(env, MEMBERS_MAX);
    fprintf(out, "group %d %s %s\n", number, pick(env, 3) == 0 ? "range" : "uniform",
        homogeneous ? "HOMOGENEOUS" : "HETEROGENEOUS");
    topics_make(&m);
    owners_make(&m, pick(env, 101));
    for (int i = 0; i < m.topic_count; i++)
        common[i] = pick(env, 4) > 0;
    for (int i = 0; i < m.member_count; i++)
        for (int k = 0; k < m.topic_count; k++)
            m.reads[i][k] = homogeneous ? common[k] : pick(env, 2) == 0;
    for (int i = 0; i < m.member_count; i++)
        member_print(&m, i);
    fputs("end\n", out);
}

/* --- solve ---------------------------------------------------------------------------------------
 */

struct solving {
    struct assignor_group group;
    struct assignor_topic topics[TOPICS_MAX];
    struct assignor_member members[MEMBERS_MAX];
    char ids[MEMBERS_MAX][32];
    char instances[MEMBERS_MAX][32];
    int32_t places[MEMBERS_MAX][TOPICS_MAX];
    struct topic_parts owned[MEMBERS_MAX];
    bool range;
};

static void
topic_read(struct solving *s, const char *line)
{
    struct assignor_topic *topic = &s->topics[s->group.topic_count++];
    unsigned byte;

    for (int i = 0; i < 16; i++) {
        sscanf(line + 6 + 2 * i, "%2x", &byte);
        topic->topic_id.bytes[i] = (uint8_t)byte;
    }
    sscanf(line + 6 + 32, "%" SCNd32, &topic->partition_count);
}

static void
owned_read(struct solving *s, int32_t member, char *list)
{
    char *rest = NULL;

    for (char *at = strtok_r(list, ",", &rest); at != NULL; at = strtok_r(NULL, ",", &rest)) {
        struct topic_part part = {.epoch = 0};
        int topic;

        if (sscanf(at, "%d:%" SCNd32, &topic, &part.partition) != 2)
            continue;
        part.topic_id = s->topics[topic].topic_id;
        topic_parts_add(&s->owned[member], &part);
    }
}

static void
member_read(struct solving *s, char *line)
{
    int32_t number = s->group.member_count++;
    struct assignor_member *member = &s->members[number];
    static char reads[LINE_BYTES], owned[LINE_BYTES];
    char *rest = NULL;

    sscanf(line, "member %31s %31s %65535s %65535s", s->ids[number], s->instances[number], reads,
        owned);
    member->member_id = s->ids[number];
    member->instance_id = strcmp(s->instances[number], "-") == 0 ? NULL : s->instances[number];
    for (char *at = strtok_r(reads, ",", &rest); at != NULL && *at != '-';
         at = strtok_r(NULL, ",", &rest))
        s->places[number][member->topic_count++] = (int32_t)strtol(at, NULL, 10);
    member->topics = s->places[number];
    owned_read(s, number, owned);
    member->owned = &s->owned[number];
}

static void
member_tell(const struct solving *s, const struct assignor_member *member)
{
    size_t kept = 0;

    printf("%s", member->member_id);
    for (size_t i = 0; i < member->target.count; i++) {
        const struct topic_part *part = &member->target.items[i];

        kept += topic_parts_find(member->owned, &part->topic_id, part->partition) != NULL;
        if (s->range || !s->group.homogeneous)
            printf(" %d:%d", assignor_topic_find(&s->group, &part->topic_id), part->partition);
    }
    if (!s->range && s->group.homogeneous)
        printf(" %zu kept %zu", member->target.count, kept);
    putchar('\n');
}

static void
solve(struct solving *s)
{
    s->group.topics = s->topics;
    s->group.members = s->members;
    (s->range ? assignor_range : assignor_uniform)(&s->group);
    for (int32_t i = 0; i < s->group.member_count; i++) {
        member_tell(s, &s->members[i]);
        topic_parts_fini(&s->members[i].target);
        topic_parts_fini(&s->owned[i]);
    }
}

/* With a homogeneous group the topics are those that somebody reads, as refbroker calls it. */
static void
unread_empty(struct solving *s)
{
    for (int32_t i = 0; s->group.homogeneous && i < s->group.topic_count; i++)
        if (s->group.member_count == 0 || !assignor_reads(&s->members[0], i))
            s->topics[i].partition_count = 0;
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
            s.range = strstr(line, " range ") != NULL;
            s.group.homogeneous = strstr(line, "HOMOGENEOUS") != NULL;
            fputs(line, stdout);
        } else if (strncmp(line, "topic ", 6) == 0) {
            topic_read(&s, line);
        } else if (strncmp(line, "member ", 7) == 0) {
            member_read(&s, line);
        } else {
            unread_empty(&s);
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
        fputs("usage: assignor_peer make SEED N FILE | solve FILE\n", stderr);
        return 2;
    }
    env_init_seeded(&env, strtoull(argv[2], NULL, 10), 0);
    for (int i = 0, count = (int)strtol(argv[3], NULL, 10); i < count; i++)
        group_make(&env, out, i);
    return fclose(out) == 0 ? 0 : 1;
}
