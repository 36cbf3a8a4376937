/*
 * run_measured: runs a command that moves so many bytes, and says what it cost.
 *
 *   run_measured BYTES COMMAND [ARGUMENT]...
 *
 * Prints figures as "metric<TAB>unit<TAB>value": throughput over the whole life of the process, its
 * CPU seconds (user and system, wait4), its largest RSS. The command's output goes to stderr; its
 * exit code is ours.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/measure.h"

int
main(int argc, char **argv)
{
    double bytes = argc > 2 ? strtod(argv[1], NULL) : 0, took, cpu;
    int64_t started = measure_now_us();
    struct rusage usage;
    int status = 0;
    pid_t pid;

    if (bytes <= 0) {
        fprintf(stderr, "usage: run_measured BYTES COMMAND [ARGUMENT]...\n");
        return 2;
    }
    pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        return 1;
    took = (double)(measure_now_us() - started) / 1e6;
    cpu = measure_cpu_seconds(&usage);
    printf("throughput\tMB/s\t%.1f\n", bytes / took / 1e6);
    printf("CPU\ts/GB\t%.3f\n", cpu / (bytes / 1e9));
    printf("largest RSS\tMB\t%.0f\n", (double)usage.ru_maxrss * 1024 / 1e6);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
