#include "lib/base/env.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lib/base/xalloc.h"

static int64_t
clock_us(clockid_t id)
{
    struct timespec ts;

    REQUIRE(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
env_init_real(struct env *env)
{
    memset(env, 0, sizeof *env);
}

void
env_init_seeded(struct env *env, uint64_t seed, int64_t wall_start_us)
{
    memset(env, 0, sizeof *env);
    env->seeded = true;
    env->random_state = seed;
    env->wall_start_us = wall_start_us;
}

int64_t
env_now_us(const struct env *env)
{
    return env->seeded ? env->now_us : clock_us(CLOCK_MONOTONIC);
}

int64_t
env_now_ms(const struct env *env)
{
    return env_now_us(env) / 1000;
}

int64_t
env_thread_cpu_us(const struct env *env)
{
    return env->seeded ? env->now_us : clock_us(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
env_wall_ms(const struct env *env)
{
    return (env->seeded ? env->wall_start_us + env->now_us : clock_us(CLOCK_REALTIME)) / 1000;
}

void
env_advance(struct env *env, int64_t us)
{
    REQUIRE(env->seeded && us >= 0);
    env->now_us += us;
}

uint64_t
env_random(struct env *env)
{
    uint64_t z;

    if (!env->seeded) {
        REQUIRE(getrandom(&z, sizeof z, 0) == sizeof z);
        return z;
    }
    z = (env->random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t
env_random_below(struct env *env, uint64_t bound)
{
    uint64_t limit, value;

    REQUIRE(bound > 0);
    limit = UINT64_MAX - UINT64_MAX % bound;
    do
        value = env_random(env);
    while (value >= limit);
    return value % bound;
}

void
env_random_bytes(struct env *env, void *data, size_t size)
{
    unsigned char *p = data;

    while (size > 0) {
        uint64_t value = env_random(env);
        size_t n = size < sizeof value ? size : sizeof value;

        memcpy(p, &value, n);
        p += n;
        size -= n;
    }
}
