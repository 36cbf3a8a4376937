/*
 * env: the clock and the dice, real or seeded.
 *
 * Code that decides anything by time or chance asks its env, so that a test or a simulation replays
 * it exactly. The real env reads the system's clocks and the kernel's random source; the seeded one
 * has a clock that only env_advance moves and a generator (splitmix64) that the seed determines.
 */
#ifndef LIB_BASE_ENV_H
#define LIB_BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env {
    bool seeded;
    uint64_t random_state;
    int64_t now_us;        /* seeded only: the monotonic clock */
    int64_t wall_start_us; /* seeded only: wall clock at now_us = 0 */
};

/* env_init_real and env_init_seeded prepare an env; nothing needs to be freed. */
void env_init_real(struct env *env);
void env_init_seeded(struct env *env, uint64_t seed, int64_t wall_start_us);

/* env_now_us is the monotonic clock in microseconds, env_now_ms in milliseconds; both count from an
 * arbitrary start. */
int64_t env_now_us(const struct env *env);
int64_t env_now_ms(const struct env *env);

/* env_thread_cpu_us is the CPU time that the calling thread has used; seeded, where nothing takes
 * time, the monotonic clock. A real one costs about a microsecond to ask for. */
int64_t env_thread_cpu_us(const struct env *env);

/* env_wall_ms is the wall clock: milliseconds since 1970, as in Kafka's timestamps. */
int64_t env_wall_ms(const struct env *env);

/* env_advance moves the clock of a seeded env. */
void env_advance(struct env *env, int64_t us);

/* env_random returns 64 random bits, env_random_below a number in [0, bound), bound > 0,
 * env_random_bytes fills memory. */
uint64_t env_random(struct env *env);
uint64_t env_random_below(struct env *env, uint64_t bound);
void env_random_bytes(struct env *env, void *data, size_t size);

#endif
