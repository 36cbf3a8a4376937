/*
 * streams_assignor_peer: our side of the comparison with Kafka's own assignor of streams groups
 * (kdl.streamsgroups.StreamsAssignorOracle).
 *
 *   streams_assignor_peer make SEED N FILE   N random groups: subtopologies, members, what they have
 *   streams_assignor_peer solve FILE         what our assignor makes of them
 *
 * A group is a line `group NUMBER STANDBYS`, a line `subtopology ID TASKS STATEFUL` for each, in the
 * order of their ids, a line `member ID PROCESS ACTIVE STANDBY` for each member, and `end`. Tasks
 * are told as SUBTOPOLOGY:PARTITION, the subtopology by its place, lists with commas, `-` where
 * there is nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/streams_assignor.h"

#define SUBTOPOLOGIES_MAX 5
#define MEMBERS_MAX 14
#define TASKS_MAX 20
#define NOBODY (-1)
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
    int subtopology_count;
    int member_count;
    int process_count;
    int standby_percent;
    int tasks[SUBTOPOLOGIES_MAX];
    int owners[SUBTOPOLOGIES_MAX][TASKS_MAX]; /* of active tasks */
};

static void
subtopologies_make(struct made *m, int free_percent)
{
    for (int i = 0; i < m->subtopology_count; i++) {
        m->tasks[i] = 1 + pick(m->env, TASKS_MAX);
        fprintf(m->out, "subtopology %d-%d %d %d\n", i, pick(m->env, 100), m->tasks[i],
            pick(m->env, 3) > 0);
        for (int k = 0; k < m->tasks[i]; k++)
            m->owners[i][k] =
                pick(m->env, 100) < free_percent ? NOBODY : pick(m->env, m->member_count);
    }
}

static void
tasks_make(struct made *m, int member, bool active)
{
    const char *between = "";

    for (int i = 0; i < m->subtopology_count; i++)
        for (int k = 0; k < m->tasks[i]; k++)
            if (active ? m->owners[i][k] == member
                       : m->owners[i][k] != member && pick(m->env, 100) < m->standby_percent) {
                fprintf(m->out, "%s%d:%d", between, i, k);
                between = ",";
            }
    if (*between == '\0')
        fputs("-", m->out);
}

static void
group_make(struct env *env, FILE *out, int number)
{
    struct made m = {.env = env, .out = out};

    m.subtopology_count = 1 + pick(env, SUBTOPOLOGIES_MAX);
    m.member_count = 1 + pick(env, MEMBERS_MAX);
    m.process_count = 1 + pick(env, m.member_count);
    m.standby_percent = pick(env, 3) == 0 ? 0 : pick(env, 50);
    fprintf(out, "group %d %d\n", number, pick(env, 4));
    subtopologies_make(&m, pick(env, 101));
    for (int i = 0; i < m.member_count; i++) {
        fprintf(out, "member m%02d-%d p%d ", pick(env, 100), i, pick(env, m.process_count) * 7);
        tasks_make(&m, i, true);
        fputs(" ", out);
        tasks_make(&m, i, false);
        fputs("\n", out);
    }
    fputs("end\n", out);
}

/* --- solve ---------------------------------------------------------------------------------------
 */

struct solving {
    struct streams_assignor_group group;
    struct streams_assignor_subtopology subtopologies[SUBTOPOLOGIES_MAX];
    struct streams_assignor_member members[MEMBERS_MAX];
    struct streams_assignment owned[MEMBERS_MAX];
    char subtopology_ids[SUBTOPOLOGIES_MAX][16];
    char member_ids[MEMBERS_MAX][16];
    char process_ids[MEMBERS_MAX][16];
};

static void
subtopology_read(struct solving *s, const char *line)
{
    int32_t place = s->group.subtopology_count++;
    struct streams_assignor_subtopology *subtopology = &s->subtopologies[place];
    int stateful;

    sscanf(line, "subtopology %15s %" SCNd32 " %d", s->subtopology_ids[place],
        &subtopology->task_count, &stateful);
    subtopology->subtopology_id = s->subtopology_ids[place];
    subtopology->is_stateful = stateful == 1;
}

static void
tasks_read(const struct solving *s, struct streams_tasks *tasks, char *list)
{
    char *rest = NULL;

    for (char *at = strtok_r(list, ",", &rest); at != NULL; at = strtok_r(NULL, ",", &rest)) {
        int32_t partition;
        int subtopology;

        if (sscanf(at, "%d:%" SCNd32, &subtopology, &partition) == 2)
            streams_tasks_add(tasks, s->subtopology_ids[subtopology], partition, 0);
    }
}

static void
member_read(struct solving *s, const char *line)
{
    int32_t number = s->group.member_count++;
    static char active[LINE_BYTES], standby[LINE_BYTES];

    sscanf(line, "member %15s %15s %65535s %65535s", s->member_ids[number], s->process_ids[number],
        active, standby);
    tasks_read(s, &s->owned[number].active, active);
    tasks_read(s, &s->owned[number].standby, standby);
    s->members[number] = (struct streams_assignor_member){.member_id = s->member_ids[number],
        .process_id = s->process_ids[number],
        .owned = &s->owned[number]};
}

static void
tasks_tell(const struct solving *s, const struct streams_tasks *tasks)
{
    for (int32_t i = 0; i < s->group.subtopology_count; i++) {
        const struct streams_run *run = streams_tasks_run(tasks, s->subtopology_ids[i]);

        for (size_t k = 0; run != NULL && k < run->count; k++)
            printf(" %" PRId32 ":%" PRId32, i, run->tasks[k].partition);
    }
}

static void
solve(struct solving *s)
{
    s->group.subtopologies = s->subtopologies;
    s->group.members = s->members;
    streams_assignor_sticky(&s->group);
    for (int32_t i = 0; i < s->group.member_count; i++) {
        fputs(s->member_ids[i], stdout);
        tasks_tell(s, &s->members[i].target.active);
        fputs(" standby", stdout);
        tasks_tell(s, &s->members[i].target.standby);
        fputs(" warmup", stdout);
        tasks_tell(s, &s->members[i].target.warmup);
        putchar('\n');
        streams_assignment_fini(&s->members[i].target);
        streams_assignment_fini(&s->owned[i]);
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
            sscanf(line, "group %*d %" SCNd32, &s.group.standby_replicas);
            fputs(line, stdout);
        } else if (strncmp(line, "subtopology ", 12) == 0) {
            subtopology_read(&s, line);
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
        fputs("usage: streams_assignor_peer make SEED N FILE | solve FILE\n", stderr);
        return 2;
    }
    env_init_seeded(&env, strtoull(argv[2], NULL, 10), 0);
    for (int i = 0, count = (int)strtol(argv[3], NULL, 10); i < count; i++)
        group_make(&env, out, i);
    return fclose(out) == 0 ? 0 : 1;
}
